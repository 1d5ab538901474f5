/**
 * internal.ts: @libcr/core/internal, what the sibling packages (@libcr/syscalls and others) build on. Not for programs: it may change with
 * any release, together with its users.
 */
import { native } from './node/native.ts';

export { isAbortSignal, isError, isUrl } from './errors/brands.ts';
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
} from './errors/errors.ts';
export { inspectAsString } from './errors/inspect.ts';
export { mayBlock } from './explore/exploring.ts';
export {
  type Answerer,
  answererOf,
  type Carrier,
  carry,
  leave,
  listRemotePort,
  type RemotePortInfo,
  receive,
} from './msg/elsewhere.ts';
export { fromHost } from './node/host.ts';
export { loadNativeHalf, type NativeHalf, placesOf } from './node/native-half.ts';
export { ownTimers } from './node/own-timers.ts';
export { usersClock } from './node/users-clock.ts';
export { ownScripts } from './preempt/own-scripts.ts';
export { isPreemptible } from './preempt/preemption.ts';
export { onEnded } from './rfork/messages.ts';
export { exportedCount, RemoteHome } from './rfork/ports.ts';
export { preload } from './rfork/preload.ts';
export { self } from './rfork/self.ts';
export { decodeError, encodeError } from './rfork/wire.ts';
export { followSignal } from './thread/abort-signal.ts';
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
} from './thread/ast.ts';
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
} from './thread/block.ts';
export { Interruption } from './thread/interruption.ts';
export { whenFinished } from './thread/scheduler.ts';
export { describe, isDaemon } from './thread/userthread.ts';
export { native };

/**
 * The address of core's `const struct lwkt_api` (native/include/lwkt.h): for a native half's init function. A number, as Node-API and V8
 * disagree on what an External holds.
 */
export const lwktApi: bigint = native.api;
