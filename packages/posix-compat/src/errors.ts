/**
 * errors.ts: the errors this package throws. What the standard has a name for is shaped like Node's system errors: code, errno (negative), syscall,
 * the last being C's name of the function. Misuse that C leaves undefined, and thread0's waits, have core's codes.
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | EAGAIN | Error | more recursive locks, or readers, than can be counted |
 * | EBUSY | Error | an object is to be made where there is one |
 * | ECANCELED | Error | what a cancelled thread's wait throws; pthread.join() answers CANCELED instead |
 * | EDEADLK | Error | a wait for oneself: a lock that one has, joining oneself |
 * | EINVAL | Error | no such object in that memory, a mutex that is not inconsistent, a detached thread, a name that can't be one |
 * | ENOTRECOVERABLE | Error | a robust mutex that nobody made consistent |
 * | ENOTSUP | Error | what userthreads do not have: asynchronous cancellation outside of preemptible regions, other policies |
 * | EOVERFLOW | Error | a semaphore's value would be too large |
 * | EOWNERDEAD | Error | a robust mutex whose owner has ended; the caller has it |
 * | EPERM | Error | letting go of what one does not have |
 * | ESRCH | Error | no thread of pthread.create(), or one that has been joined |
 * | ETIMEDOUT | Error | a deadline, or a timeout, passed |
 * | EEXIST, ENOENT, EACCES, ENAMETOOLONG, EMFILE | Error | named semaphores: what the file system says |
 * | ERR_LWKT_WOULD_BLOCK | Error | thread0 (the event loop) would have to wait |
 * | ERR_LIBCR_NATIVE | Error | named semaphores: the native half is missing |
 * | ABORT_ERR | AbortError | td.abort(), or a signal; cause is the reason |
 * | ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE | TypeError, RangeError | misuse, as in Node |
 */
import { constants } from 'node:os';
import { systemError } from '@libcr/core/internal';

/** libuv, from which Node has its texts, has none for these. The texts are glibc's in libuv's form. */
const UNKNOWN_TO_NODE = {
  EDEADLK: [35, 'resource deadlock avoided'],
  EOWNERDEAD: [130, 'owner died'],
  ENOTRECOVERABLE: [131, 'state not recoverable'],
} as const;

type Known = keyof typeof constants.errno;

/** The error of that name, as the C function would have answered it. */
export function posixError(code: Known | keyof typeof UNKNOWN_TO_NODE, name: string): Error {
  if (!(code in UNKNOWN_TO_NODE)) return systemError(constants.errno[code as Known], name);
  const [errno, text] = UNKNOWN_TO_NODE[code as keyof typeof UNKNOWN_TO_NODE];
  return Object.assign(new Error(`${code}: ${text}, ${name}`), { errno: -errno, code, syscall: name });
}
