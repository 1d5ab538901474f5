/** system.mjs: the machine and its kernel. The fields of a row are explained in ../calls.mjs. */

/** @type {import('../calls.mjs').Row[]} */
export const system = [
  {
    name: 'getrandom',
    numbers: { x86_64: 318, aarch64: 278 },
    level: 'full',
    block: 'never',
    result: 'number',
    errors: ['EAGAIN', 'EFAULT', 'EINTR', 'EINVAL', 'ENOSYS'],
    doc: 'Fills buffer with random bytes. flags: GRND_*.',
    args: [
      ['buffer', 'bufferOut'],
      ['length', 'lengthOut', { default: 'byteLength(buffer)' }],
      ['flags', 'flags', { default: '0', flags: 'random' }],
    ],
  },
];
