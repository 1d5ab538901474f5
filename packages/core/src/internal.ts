/**
 * internal.ts: @libcr/core/internal, what the sibling packages (@libcr/syscalls and others) build on. Not for programs: it may change with
 * any release, together with its users.
 */
import { native } from './native.ts';

export { followSignal } from './abort-signal.ts';
export {
  blockUntil,
  checkMilliseconds,
  checkWaitOptions,
  interrupt,
  isAbortOf,
  isInterrupted,
  suspend,
  thread0,
  throwIfAborted,
  uninterrupt,
  wake,
} from './block.ts';
export {
  abortError,
  CodedError,
  invalidType,
  invalidValue,
  outOfRange,
  timeoutError,
  wouldBlock,
} from './errors.ts';
export { inspectAsString } from './inspect.ts';
export { Interruption } from './interruption.ts';
export { exportedCount, RemoteHome } from './rfork/ports.ts';
export { preload } from './rfork/preload.ts';
export { native };

/**
 * The address of core's `const struct lwkt_api` (native/include/lwkt.h): for a native half's init function. A number, as Node-API and V8
 * disagree on what an External holds.
 */
export const lwktApi: bigint = native.api;
