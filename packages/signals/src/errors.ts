/**
 * errors.ts: the errors this package throws. What the kernel or the standard has a name for is shaped like Node's system errors: code, errno (negative),
 * syscall, the last being C's name of the function.
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | EAGAIN | Error | the queue of signals is full (sigqueue, threadKill); no signal came in time (sigwait) |
 * | EINVAL | Error | no such signal, or one that nobody can handle or wait for (SIGKILL, SIGSTOP, 32, 33); no such clock; a timer that has ended |
 * | EPERM | Error | the signal may not be sent to that process |
 * | ESRCH | Error | no such process, or a userthread that has finished |
 * | ERR_LIBCR_SIGNAL_RESERVED | Error | SIGPROF, which V8's CPU profiler needs; a timer's SIGSEGV and its like |
 * | ERR_LIBCR_SIGNAL | SignalError | the reason of abortOn()'s signal |
 * | ERR_LIBCR_NATIVE | Error | the native half is missing |
 * | ERR_LWKT_NOT_OWNER | Error | onsignal() of another rfork's port |
 * | ERR_LWKT_TIMEOUT | Error, name TimeoutError | sigsuspend's timeout |
 * | ERR_LWKT_WOULD_BLOCK | Error | thread0 (the event loop) would have to wait |
 * | ABORT_ERR | AbortError | td.abort(), or a signal; cause is the reason |
 * | ERR_UNKNOWN_SIGNAL | TypeError | no signal has that name |
 * | ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE | TypeError, TypeError, RangeError | misuse, as in Node |
 */
import { constants } from 'node:os';
import { CodedError, systemError } from '@libcr/core/internal';

/** The error of that name, as the C function would have answered it. */
export function posixError(code: 'EAGAIN' | 'EINVAL' | 'ESRCH', name: string): Error {
  return systemError(constants.errno[code], name);
}

/** What a native function has answered, unless it is an error: -errno. */
export function checked(answer: number, name: string): number {
  if (answer < 0) throw systemError(-answer, name);
  return answer;
}

export function unknownSignal(name: string): TypeError {
  return Object.assign(new TypeError(`Unknown signal: ${name}`), { code: 'ERR_UNKNOWN_SIGNAL' });
}

export function reserved(message: string): Error {
  return new CodedError('ERR_LIBCR_SIGNAL_RESERVED', message);
}
