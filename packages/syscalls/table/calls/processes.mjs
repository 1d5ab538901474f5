/** processes.mjs: processes. The fields of a row are explained in ../calls.mjs. */

/** @type {import('../calls.mjs').Row[]} */
export const processes = [
  {
    name: 'getpid',
    numbers: { x86_64: 39, aarch64: 172 },
    level: 'full',
    block: 'never',
    result: 'number',
    errors: [],
    doc: "The process' id.",
    args: [],
  },
];
