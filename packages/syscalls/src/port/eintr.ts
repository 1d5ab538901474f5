/**
 * eintr.ts: calls that a signal's handler ends (@libcr/signals). Most go on afterwards where the handler's action says so (SA_RESTART); those here never do.
 *
 * Not ended at all are calls that a helper thread makes, or the ring as a whole: who gave up one of these would not know what has been done.
 */
import { constants as c } from '../generated/constants.ts';

/** Thrown into a call's steps: a handler has run, and the call is to end with what it has done so far. */
export const INTERRUPTED: unique symbol = Symbol('EINTR');

/** signal(7), "Interruption of system calls and library functions by signal handlers". */
const never: ReadonlySet<number> = new Set([
  c.SYS_poll,
  c.SYS_ppoll,
  c.SYS_select,
  c.SYS_pselect6,
  c.SYS_epoll_wait,
  c.SYS_epoll_pwait,
  c.SYS_epoll_pwait2,
  c.SYS_nanosleep,
  c.SYS_clock_nanosleep,
]);

/** Whether the call ends with EINTR whatever the handler's action says. */
export function endsByAnyHandler(number: number): boolean {
  return never.has(number);
}
