/**
 * users-clock.ts: the global setTimeout and clearTimeout that a program's waits use: at each wait those that are there, as tests replace them by a clock that they move on
 * themselves (fake timers). They are this context's, or that of a program which is loaded into one of its own (Jest; see host.ts). Not for our own work: own-timers.ts.
 */
import { exploring } from '../explore/exploring.ts';

export type Clock = Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>;

let users: Clock = globalThis;

/** The program's global object is this one from now on. */
export function setUsersGlobal(global: Clock): void {
  users = global;
}

/** Where that context has ended, this one's; of a run that is explored, its own. */
export function usersClock(): Clock {
  const { explorer } = exploring;
  if (explorer?.clock !== undefined) return explorer.clock;
  return typeof users.setTimeout === 'function' ? users : globalThis;
}
