/** processes.mjs: kinds of arguments: structs of processes, users, limits and scheduling. What a kind is, says kind.mjs. */
import { namedOut, raw, structIn, structOut } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const processes = {
  statusOut: namedOut(4, 'waitStatus'),
  rusageOut: namedOut(144, 'rusage'),
  siginfoOut: namedOut(128, 'siginfo'),
  siginfoIn: raw('ARG_STRUCT_IN(128)'),
  /** What an option takes: ../requests.mjs. */
  commandArgument: raw('ARG_COMMAND(0)'),
  idOut: namedOut(4, 'idOut'),
  groupsOut: {
    native: ['ARG_INT', 'ARG_OUT_COUNTED(4)'],
    format: ['int', 'struct'],
    type: 'number',
    before: (name) => [`const struct = allocateBytes('${name}', ${name} * 4);`],
    values: (name) => [name, 'struct'],
  },
  struct8Out: raw('ARG_STRUCT_OUT(8)'),
  struct8InOut: raw('ARG_STRUCT_INOUT(8)'),
  capabilitiesIn: raw('ARG_STRUCT_IN(24)'),
  capabilitiesOut: raw('ARG_STRUCT_OUT_NULLABLE(24)'),
  rlimitIn: structIn(16, 'rlimit', 'Rlimit', 'encodeRlimit'),
  rlimitOptional: structIn(16, 'rlimit', 'Rlimit | undefined', 'encodeRlimit'),
  rlimitOut: structOut(16, 'rlimit'),
  schedParamIn: structIn(4, 'schedParam', 'number', 'encodeSchedParam'),
  schedParamOut: structOut(4, 'schedParam'),
  /** A struct that says itself how long it is. */
  schedAttrIn: {
    native: ['ARG_SIZED(0)'],
    format: ['schedAttr'],
    type: 'SchedAttr',
    before: (name) => [`const struct = encodeSchedAttr('${name}', ${name});`],
    values: () => ['struct'],
  },
  schedAttrOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['schedAttr', 'int'],
    before: () => ['const struct = Buffer.alloc(56);'],
    values: () => ['struct', '56'],
  },
  sizedIn0: raw('ARG_SIZED(0)'),
  sizedIn4: raw('ARG_SIZED(4)'),
  cpusIn: {
    native: ['ARG_INT', 'ARG_IN_COUNTED(1)'],
    format: ['int', 'cpus'],
    type: 'readonly number[]',
    before: (name) => [`const struct = encodeCpus('${name}', ${name});`],
    values: () => ['struct.length', 'struct'],
  },
  cpusOut: {
    native: ['ARG_INT', 'ARG_OUT_COUNTED(1)'],
    format: ['int', 'cpus'],
    before: () => ['const struct = Buffer.alloc(CPUSET_SIZE);'],
    values: () => ['CPUSET_SIZE', 'struct'],
  },
  cpuOut: namedOut(4, 'intOut'),
  nodeOut: namedOut(4, 'intOut'),
};
