/** timeout.ts: the timeouts of poll, select and their like: which argument it is, what it says, and the call without it. */
import { milliseconds } from '../../clock.ts';
import { constants as c } from '../../generated/constants.ts';

/** Milliseconds in an int, or a struct timespec or timeval whose small unit is so many milliseconds. */
interface Timeout {
  index: number;
  unit: 'int' | 1e-6 | 1e-3;
}

function timeoutOf(number: number): Timeout {
  switch (number) {
    case c.SYS_poll:
      return { index: 2, unit: 'int' };
    case c.SYS_ppoll:
      return { index: 2, unit: 1e-6 };
    case c.SYS_select:
      return { index: 4, unit: 1e-3 };
    case c.SYS_pselect6:
      return { index: 4, unit: 1e-6 };
    case c.SYS_epoll_pwait2:
      return { index: 3, unit: 1e-6 };
    default:
      return { index: 3, unit: 'int' };
  }
}

/** When the call is over, in performance.now()'s time; Infinity for never. */
export function deadlineOf(number: number, args: readonly unknown[]): number {
  const { index, unit } = timeoutOf(number);
  const value = args[index];
  if (unit === 'int') return (value as number) < 0 ? Infinity : milliseconds() + (value as number);
  if (value === null || value === undefined) return Infinity;
  const { buffer, byteOffset } = value as NodeJS.ArrayBufferView;
  const view = new DataView(buffer, byteOffset, 16);
  const ms = Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) * unit;
  return milliseconds() + ms;
}

/** The arguments with a timeout of 0. */
export function withoutTimeout(number: number, args: readonly unknown[]): unknown[] {
  const { index, unit } = timeoutOf(number);
  const rest = [...args];
  rest[index] = unit === 'int' ? 0 : Buffer.alloc(16);
  return rest;
}
