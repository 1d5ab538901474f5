/** errors.mjs: errors that many calls share: those of looking up a path (path_resolution(7)). */

export const PATH = ['EACCES', 'EFAULT', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOMEM', 'ENOTDIR'];
