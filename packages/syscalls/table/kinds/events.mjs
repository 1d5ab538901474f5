/** events.mjs: kinds of arguments: sets of descriptors, of signals, and events. What a kind is, says kind.mjs. */
/** @type {Record<string, import('./kind.mjs').Kind>} */
export const events = {
  epollEventIn: {
    native: ['ARG_STRUCT_IN_NULLABLE(12)'],
    format: ['epollEvent'],
    type: 'EpollEvent | undefined',
    before: (name) => [`const struct = ${name} === undefined ? null : encodeEpollEvent('${name}', ${name});`],
    values: () => ['struct'],
  },
  epollEventsOut: {
    native: ['ARG_OUT', 'ARG_COUNT(12)'],
    format: ['epollEvents', 'int'],
    type: 'number',
    before: (name) => [`const struct = allocateEpollEvents('${name}', ${name});`],
    values: (name) => ['struct', name],
  },
  pollfds: {
    native: ['ARG_INOUT', 'ARG_COUNT(8)'],
    format: ['pollfds', 'int'],
    type: 'PollFd[]',
    before: (name) => [`const struct = encodePollFds('${name}', ${name});`],
    values: (name) => ['struct', `${name}.length`],
  },

  /** How many descriptors, and three sets of 1,024 bits. */
  fdSets: {
    native: ['ARG_SELECT_COUNT', ...Array(3).fill('ARG_STRUCT_INOUT_NULLABLE(128)')],
    format: ['int', 'fdSet', 'fdSet', 'fdSet'],
    type: 'FdSets',
    before: (name) => [`const fdSets = encodeFdSets('${name}', ${name});`],
    values: () => ['fdSets.count', 'fdSets.read', 'fdSets.write', 'fdSets.except'],
  },
  /** A set of signals, and its size. */
  sigsetIn: {
    native: ['ARG_STRUCT_IN(8)', 'ARG_LENGTH'],
    format: ['sigset', 'int'],
    type: 'readonly number[]',
    before: (name) => [`const struct = encodeSigset('${name}', ${name});`],
    values: () => ['struct', 'struct.length'],
  },
  sigsetOut: {
    native: ['ARG_STRUCT_OUT(8)', 'ARG_LENGTH'],
    format: ['sigset', 'int'],
    before: () => ['const struct = Buffer.alloc(8);'],
    values: () => ['struct', '8'],
  },
};
