/** system.mjs: kinds of arguments: structs of the machine and of its queues. What a kind is, says kind.mjs. */
import { namedOut, raw, structIn, structOut } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const system = {
  utsnameOut: structOut(390, 'utsname'),
  sysinfoOut: structOut(112, 'sysinfo'),
  semOperations: {
    native: ['ARG_IN', 'ARG_COUNT(6)'],
    format: ['struct', 'int'],
    type: 'readonly SemOperation[]',
    before: (name) => [`const operationsStruct = encodeSemOperations('${name}', ${name});`],
    values: (name) => ['operationsStruct', `${name}.length`],
  },
  semctlArgument: raw('ARG_COMMAND(2)'),
  mqAttributesIn: structIn(64, 'mqAttributes', 'MqAttributes | undefined', 'encodeMqAttributes'),
  mqAttributesOut: structOut(64, 'mqAttributes'),
  priorityOut: namedOut(4, 'intOut'),
  intOutOptional: raw('ARG_STRUCT_OUT_NULLABLE(4)'),
  struct112InOut: raw('ARG_STRUCT_INOUT_NULLABLE(112)'),
  struct120InOut: raw('ARG_STRUCT_INOUT_NULLABLE(120)'),
  struct16In: raw('ARG_STRUCT_IN(16)'),
};
