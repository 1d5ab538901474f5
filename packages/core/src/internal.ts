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
  abortError,
  CodedError,
  invalidType,
  invalidValue,
  outOfRange,
  systemError,
  timeoutError,
  wouldBlock,
} from './errors.ts';
export { inspectAsString } from './inspect.ts';
export { Interruption } from './interruption.ts';
export { ownTimers } from './own-timers.ts';
export { ownScripts } from './preempt/own-scripts.ts';
export { isPreemptible } from './preempt/preemption.ts';
export { onEnded } from './rfork/messages.ts';
export { exportedCount, RemoteHome } from './rfork/ports.ts';
export { preload } from './rfork/preload.ts';
export { self } from './rfork/self.ts';
export { whenFinished } from './scheduler.ts';
export { describe, isDaemon } from './userthread.ts';
export { native };

/**
 * The address of core's `const struct lwkt_api` (native/include/lwkt.h): for a native half's init function. A number, as Node-API and V8
 * disagree on what an External holds.
 */
export const lwktApi: bigint = native.api;
