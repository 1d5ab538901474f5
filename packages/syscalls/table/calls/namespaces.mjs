/** namespaces.mjs: namespaces: what the kernel thread sees of the machine. The fields of a row are explained in ../calls.mjs. */

/** @type {import('../calls.mjs').Row[]} */
export const namespaces = [
  {
    name: 'unshare',
    numbers: { x86_64: 272, aarch64: 97 },
    level: 'raw',
    block: 'never',
    result: 'number',
    errors: ['EINVAL', 'ENOMEM', 'ENOSPC', 'EPERM', 'EUSERS'],
    doc: "Gives the kernel thread namespaces of its own: for all userthreads of the rfork, but not for Node's helper threads, with which files then differ.",
    args: [['flags', 'flags', { flags: 'cloneFlags' }]],
  },
  {
    name: 'setns',
    numbers: { x86_64: 308, aarch64: 268 },
    level: 'raw',
    block: 'never',
    result: 'number',
    errors: ['EBADF', 'EINVAL', 'ENOMEM', 'EPERM', 'ESRCH'],
    doc: "Moves the kernel thread into a namespace: all userthreads of the rfork, but not Node's helper threads.",
    args: [
      ['fd', 'fd'],
      ['type', 'flags', { flags: 'cloneFlags' }],
    ],
  },
  {
    name: 'listns',
    numbers: { x86_64: 470, aarch64: 470 },
    level: 'raw',
    block: 'never',
    result: 'number',
    errors: ['EFAULT', 'EINVAL', 'ENOENT', 'EOPNOTSUPP', 'EPERM'],
    doc: 'The ids of namespaces: struct ns_id_req in, 64 bits each out. (Linux 6.19)',
    args: [
      ['request', 'sizedIn0'],
      ['ids', 'idsOut'],
      ['flags', 'int'],
    ],
  },
];
