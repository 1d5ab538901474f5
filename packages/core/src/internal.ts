/**
 * internal.ts: @libcr/core/internal, what the sibling packages (@libcr/syscalls and others) build on. Not for programs: it may change with
 * any release, together with its users.
 */
import { native } from './native.ts';

export { followSignal } from './abort-signal.ts';
export {
  type CallWait,
  callOf,
  holdsTokens,
  type Inherited,
  isAlive,
  isPreempted,
  postAst,
  setCall,
  setSignals,
  signalsOf,
} from './ast.ts';
export {
  blockUninterruptibly,
  blockUntil,
  checkMilliseconds,
  checkWaitOptions,
  interrupt,
  isAbortOf,
  isInterrupted,
  someThread,
  suspend,
  thread0,
  throwIfAborted,
  uninterrupt,
  wake,
} from './block.ts';
export { isAbortSignal, isError, isUrl } from './brands.ts';
export {
  type Answerer,
  answererOf,
  type Carrier,
  carry,
  leave,
  listRemotePort,
  type RemotePortInfo,
  receive,
} from './elsewhere.ts';
export {
  abortError,
  CodedError,
  coded,
  invalidArgument,
  invalidType,
  invalidValue,
  outOfRange,
  received,
  systemError,
  timeoutError,
  wouldBlock,
} from './errors.ts';
export { mayBlock } from './explore/exploring.ts';
export { fromHost } from './host.ts';
export { inspectAsString } from './inspect.ts';
export { Interruption } from './interruption.ts';
export { loadNativeHalf, type NativeHalf, placesOf } from './native-half.ts';
export { ownTimers } from './own-timers.ts';
export { ownScripts } from './preempt/own-scripts.ts';
export { isPreemptible } from './preempt/preemption.ts';
export { onEnded } from './rfork/messages.ts';
export { exportedCount, RemoteHome } from './rfork/ports.ts';
export { preload } from './rfork/preload.ts';
export { self } from './rfork/self.ts';
export { decodeError, encodeError } from './rfork/wire.ts';
export { whenFinished } from './scheduler.ts';
export { usersClock } from './users-clock.ts';
export { describe, isDaemon } from './userthread.ts';
export { native };

/**
 * The address of core's `const struct lwkt_api` (native/include/lwkt.h): for a native half's init function. A number, as Node-API and V8
 * disagree on what an External holds.
 */
export const lwktApi: bigint = native.api;
