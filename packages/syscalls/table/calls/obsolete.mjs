/** obsolete.mjs: calls that Linux has no more, and answers with ENOSYS. The fields of a row are explained in ../calls.mjs. */

/** @type {import('../calls.mjs').Row[]} */
export const obsolete = [
  {
    name: 'uselib',
    numbers: { x86_64: 134, aarch64: null },
    level: 'obsolete',
    doc: 'Loaded a shared library of the a.out format.',
  },
  {
    name: '_sysctl',
    numbers: { x86_64: 156, aarch64: null },
    level: 'obsolete',
    doc: 'Read and wrote parameters of the kernel, until Linux 5.5: /proc/sys.',
  },
  {
    name: 'create_module',
    numbers: { x86_64: 174, aarch64: null },
    level: 'obsolete',
    doc: 'Until Linux 2.6: init_module.',
  },
  {
    name: 'get_kernel_syms',
    numbers: { x86_64: 177, aarch64: null },
    level: 'obsolete',
    doc: 'Until Linux 2.6: /proc/kallsyms.',
  },
  {
    name: 'query_module',
    numbers: { x86_64: 178, aarch64: null },
    level: 'obsolete',
    doc: 'Until Linux 2.6: /proc/modules.',
  },
  {
    name: 'nfsservctl',
    numbers: { x86_64: 180, aarch64: 42 },
    level: 'obsolete',
    doc: 'Until Linux 3.1: the nfsd file system.',
  },
  {
    name: 'getpmsg',
    numbers: { x86_64: 181, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for STREAMS.',
  },
  {
    name: 'putpmsg',
    numbers: { x86_64: 182, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for STREAMS.',
  },
  {
    name: 'afs_syscall',
    numbers: { x86_64: 183, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for AFS.',
  },
  {
    name: 'tuxcall',
    numbers: { x86_64: 184, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for the TUX web server.',
  },
  {
    name: 'security',
    numbers: { x86_64: 185, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for security modules.',
  },
  {
    name: 'lookup_dcookie',
    numbers: { x86_64: 212, aarch64: 18 },
    level: 'obsolete',
    doc: 'Until Linux 6.7, for OProfile.',
  },
  {
    name: 'vserver',
    numbers: { x86_64: 236, aarch64: null },
    level: 'obsolete',
    doc: 'Reserved for Linux-VServer.',
  },
];
