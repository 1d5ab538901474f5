/** time.mjs: kinds of arguments: times and timers. What a kind is, says kind.mjs. */
import { raw, structIn, structOut } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const time = {
  timespecIn: {
    native: ['ARG_STRUCT_IN(16)'],
    format: ['timespec'],
    type: 'Timespec | number',
    before: (name) => [`const struct = encodeTimespec('${name}', ${name});`],
    values: () => ['struct'],
  },

  timespecOptional: structIn(16, 'timespec', 'Timespec | number | undefined', 'encodeTimespec'),
  timespecOut: structOut(16, 'timespec'),
  timevalIn: structIn(16, 'timeval', 'Timespec | number', 'encodeTimeval'),
  timevalOptional: structIn(16, 'timeval', 'Timespec | number | undefined', 'encodeTimeval'),
  timevalOut: structOut(16, 'timeval'),
  itimerspecIn: structIn(32, 'itimerspec', 'ItimerspecIn', 'encodeItimerspec'),
  itimerspecOut: structOut(32, 'itimerspec'),
  itimervalIn: structIn(32, 'itimerval', 'ItimerspecIn', 'encodeItimerval'),
  itimervalOut: structOut(32, 'itimerval'),
  sigeventIn: structIn(64, 'struct', 'Sigevent | undefined', 'encodeSigevent'),
  timerIdOut: structOut(4, 'intOut'),
  tmsOut: structOut(32, 'tms'),
  timexInOut: raw('ARG_STRUCT_INOUT(208)'),
};
