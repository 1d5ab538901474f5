/**
 * send.ts: a system call on its way: to the running userthread's port, and from there to the shims that want it, or straight down.
 *
 * Invariant: a call that nobody shims and that completes at once allocates nothing here.
 */
import { create, curthread } from '@libcr/core';
import { throwIfAborted } from '@libcr/core/internal';
import { plainArrays } from '../codec/bytes.ts';
import { constants as c } from '../generated/constants.ts';
import { native } from '../native.ts';
import { RESULT_MIN } from './answers.ts';
import { countCall, inTurn } from './budget.ts';
import { CALL_COUNT, mayBlock } from './calls.ts';
import { complete, completeAsync } from './complete.ts';
import { type Args, portOf, type SyscallPort } from './syscall-port.ts';
import { SysMsg } from './sysmsg.ts';
import { closing, closingRange, watched } from './waits/readiness.ts';

let messages = 0;

/** Counters of this thread's (main's or the Worker's) system calls. */
export interface SyscallStats {
  /** System calls sent as messages. */
  messages: number;
}

export function stats(): SyscallStats {
  return { messages };
}

/** The bottom of every chain: the direct port. */
export function bottom(number: number, args: Args): number {
  const a1 = plainArrays(args[1]); // a shim's
  if (watched !== 0) beforeClose(number, args[0], a1, args[2]);
  const r = native.call(number, args[0], a1, args[2], args[3], args[4], args[5]);
  return r >= RESULT_MIN ? r : complete(number, [args[0], a1, args[2], args[3], args[4], args[5]], r);
}

function beforeClose(number: number, a0: unknown, a1: unknown, a2: unknown): void {
  if (number === c.SYS_close) closing(a0 as number);
  else if ((number === c.SYS_dup2 || number === c.SYS_dup3) && a0 !== a1) closing(a1 as number);
  else if (number === c.SYS_close_range && ((a2 as number) & c.CLOSE_RANGE_CLOEXEC) === 0)
    closingRange(a0 as number, a1 as number);
}

function shimmed(port: SyscallPort, number: number, args: Args): number {
  return port.dispatch(new SysMsg(number, args, curthread()));
}

/** Sends a call and waits for its reply: >= 0 the result, negative -errno. Throws for arguments of a wrong kind, and on abort. */
export function send(
  number: number,
  a0?: unknown,
  a1?: unknown,
  a2?: unknown,
  a3?: unknown,
  a4?: unknown,
  a5?: unknown,
): number {
  const td = curthread();
  messages++;
  if (mayBlock[number] === 1) {
    throwIfAborted();
    countCall(td);
  }
  const port = portOf(td);
  if (port.wants[number] === 1) return shimmed(port, number, [a0, a1, a2, a3, a4, a5]);
  if (watched !== 0) beforeClose(number, a0, a1, a2);
  const r = native.call(number, a0, a1, a2, a3, a4, a5);
  return r >= RESULT_MIN ? r : complete(number, [a0, a1, a2, a3, a4, a5], r);
}

/** The same for code on the event loop. Shims are blocking code: they run on a userthread made for the call. */
export function sendAsync(
  number: number,
  a0?: unknown,
  a1?: unknown,
  a2?: unknown,
  a3?: unknown,
  a4?: unknown,
  a5?: unknown,
): number | Promise<number> {
  messages++;
  const port = portOf(curthread());
  if (port.wants[number] === 1) {
    const args: Args = [a0, a1, a2, a3, a4, a5];
    return create(() => shimmed(port, number, args), { name: 'sys.promises', syscallPort: port }).finished;
  }
  if (watched !== 0) beforeClose(number, a0, a1, a2);
  const r = native.call(number, a0, a1, a2, a3, a4, a5);
  return r >= RESULT_MIN ? inTurn(r) : completeAsync(number, [a0, a1, a2, a3, a4, a5], r);
}

/** Whether the number can be one of the table's. */
export function isCallNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < CALL_COUNT;
}
