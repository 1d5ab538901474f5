/** families.mjs: system calls that stand for one another, by their names. */

/**
 * Calls that do the same thing to the same objects: a shim that asks for one gets the others too, so that nothing slips by because a
 * program, or a C library, says it in another way.
 *
 * For paths: with and without a directory's descriptor, with and without flags, links followed or not. What takes only a descriptor (fstat,
 * fchmod, fchown) is about another object, and not in the family. unlinkat is unlink's though it can remove directories: who cares for
 * these asks for rmdir and unlinkat.
 * For the rest: an old call and the newer one that takes flags, a signal mask or a finer timeout.
 */
export const families = [
  ['open', 'openat', 'openat2', 'creat', 'open_by_handle_at'],
  ['stat', 'lstat', 'newfstatat', 'statx'],
  ['access', 'faccessat', 'faccessat2'],
  ['chmod', 'fchmodat', 'fchmodat2'],
  ['chown', 'lchown', 'fchownat'],
  ['utime', 'utimes', 'futimesat', 'utimensat'],
  ['mkdir', 'mkdirat'],
  ['mknod', 'mknodat'],
  ['link', 'linkat'],
  ['symlink', 'symlinkat'],
  ['readlink', 'readlinkat'],
  ['rename', 'renameat', 'renameat2'],
  ['unlink', 'unlinkat'],
  ['setxattr', 'lsetxattr', 'setxattrat'],
  ['getxattr', 'lgetxattr', 'getxattrat'],
  ['listxattr', 'llistxattr', 'listxattrat'],
  ['removexattr', 'lremovexattr', 'removexattrat'],
  ['execve', 'execveat'],
  ['getdents', 'getdents64'],
  ['dup2', 'dup3'],
  ['pipe', 'pipe2'],
  ['accept', 'accept4'],
  ['poll', 'ppoll'],
  ['select', 'pselect6'],
  ['epoll_create', 'epoll_create1'],
  ['epoll_wait', 'epoll_pwait', 'epoll_pwait2'],
  ['eventfd', 'eventfd2'],
  ['inotify_init', 'inotify_init1'],
  ['signalfd', 'signalfd4'],
];
