/**
 * kind.mjs: what a kind of argument is, and shapes that many have.
 *
 * Not here: the kinds themselves, which are in the files beside this one.
 */

/**
 * @typedef {object} Kind
 * @property {string[]} native the kernel arguments it stands for, as constants of enum arg_kind (native/node/syscalls.h)
 * @property {string[]} format how strace shows each of them; see src/shims/format/
 * @property {string} [type] TypeScript type of the exposed argument; absent: nothing is exposed
 * @property {(name: string, row: object, arg: object) => string[]} [before] statements before the call
 * @property {(name: string, arg: object) => string[]} [values] the expressions of the kernel arguments; raw calls need none
 */

/** The argument as it is. */
export const own = (name) => [name];

/** A struct of a fixed size that the kernel fills: `struct`, so at most one in a call. */
export const structOut = (size, format) => ({
  native: [`ARG_STRUCT_OUT(${size})`],
  format: [format],
  before: () => [`const struct = Buffer.alloc(${size});`],
  values: () => ['struct'],
});

/** The same under a name of its own: `statusStruct`. */
export const namedOut = (size, format) => ({
  native: [`ARG_STRUCT_OUT(${size})`],
  format: [format],
  before: (name) => [`const ${name}Struct = Buffer.alloc(${size});`],
  values: (name) => [`${name}Struct`],
});

/** A struct that a function of src/codec/ makes; undefined is NULL where the type allows it. */
export const structIn = (size, format, type, encode) => {
  const optional = type.endsWith('| undefined');
  return {
    native: [`ARG_STRUCT_IN${optional ? '_NULLABLE' : ''}(${size})`],
    format: [format],
    type,
    before: (name) => {
      const made = `${encode}('${name}', ${name})`;
      return [`const ${name}Struct = ${optional ? `${name} === undefined ? null : ${made}` : made};`];
    },
    values: (name) => [`${name}Struct`],
  };
};

/** Arguments of calls that have no function of their own: buffers, and their lengths. */
export const raw = (...native) => ({ native, format: native.map((_, i) => (i === 0 ? 'struct' : 'int')) });

/** One message of sendmsg or recvmsg. */
export const message = (native, type, make) => ({
  native: [native],
  format: ['message'],
  type,
  before: (name) => [`const plain = ${make}('${name}', ${name});`],
  values: () => ['plain'],
});

/** Several, and how many. */
export const messages = (native, type, make) => ({
  native: [native, 'ARG_IOV_COUNT'],
  format: ['messages', 'int'],
  type: `readonly ${type}[]`,
  before: (name) => [`const list = toMessages('${name}', ${name}, ${make});`],
  values: () => ['list', 'list.length'],
});
