/** kinds.mjs: what an argument of a system call can be, by kind: all of kinds/*.mjs. */
import { buffers } from './kinds/buffers.mjs';
import { events } from './kinds/events.mjs';
import { files } from './kinds/files.mjs';
import { numbers } from './kinds/numbers.mjs';
import { processes } from './kinds/processes.mjs';
import { sockets } from './kinds/sockets.mjs';
import { system } from './kinds/system.mjs';
import { time } from './kinds/time.mjs';

/** @type {Record<string, import('./kinds/kind.mjs').Kind>} */
export const kinds = {
  ...numbers,
  ...buffers,
  ...files,
  ...sockets,
  ...events,
  ...time,
  ...processes,
  ...system,
};
