/**
 * @libcr/core: userthreads, message ports and messages for Node.js. See README.md; the terms are LWKT's.
 */

import { MsgPort } from './msg/msgport.ts';
import { native, type Stats } from './node/native.ts';
import { ownScripts } from './preempt/own-scripts.ts';
import { setupMessages } from './rfork/host-objects.ts';
import { lockModules } from './state/require-lock.ts';
import { watchVm } from './state/vm-region.ts';
import { watchPromising } from './state/wasm-stack.ts';
import { curthread, provideTokens } from './thread/block.ts';
import { joinThread } from './thread/scheduler.ts';
import { provide } from './thread/userthread.ts';
import { letGo, regain } from './token/lock.ts';

ownScripts(import.meta.url);
setupMessages();
watchVm();
watchPromising();
lockModules();
provideTokens({ letGo, regain });
provide({ current: curthread, join: joinThread, port: (td) => new MsgPort(td.name, { owner: td }) });

export { type GroupResult, group } from './group/body.ts';
export { Group, type GroupOptions } from './group/group.ts';
export { type MapOptions, map, type RaceOptions, race } from './group/map.ts';
export { Msg, type MsgOptions, type ReplyOptions } from './msg/msg.ts';
export { EASYNC, MsgPort, type MsgPortOptions } from './msg/msgport.ts';
export type { NativeArg, Stats } from './node/native.ts';
export { type PreemptibleOptions, preemptible, setSlice, uninterrupted } from './preempt/preemption.ts';
export { type LoopBlock, type LoopWatcher, type WatchLoopOptions, watchLoop } from './preempt/watch-loop.ts';
export { Rfork, type RforkMain, type RforkOptions, type RforkState } from './rfork/rfork.ts';
export type { RforkInfo } from './rfork/self.ts';
export { type ThreadLocal, threadLocal } from './state/thread-local.ts';
export { curthread, yieldNow } from './thread/block.ts';
export { type CreateNativeOptions, createNative, type NativeSymbol } from './thread/native-thread.ts';
export { type CreateOptions, create, type RunOptions, run, userthreads } from './thread/scheduler.ts';
export {
  PRIORITY_DEFAULT,
  PRIORITY_MAX,
  PRIORITY_MIN,
  type ThreadState,
  UserThread,
  type WaitOptions,
} from './thread/userthread.ts';
export { sleep, wait } from './thread/wait.ts';
export type { Hold } from './token/lock.ts';
export { Serializer } from './token/serializer.ts';
export { Token, type TokenOptions } from './token/token.ts';
export { snapshot } from './top/snapshot.ts';
export type {
  SnapshotOptions,
  TopPort,
  TopProcess,
  TopRfork,
  TopRforkRunning,
  TopRforkSilent,
  TopSnapshot,
  TopThread,
} from './top/types.ts';
export type { TraceEvent } from './trace/chrome.ts';
export {
  type EventTrace,
  startTraceEvents,
  type TraceEventsFile,
  type TraceEventsOptions,
} from './trace/trace-events.ts';

/** This CPU's counters: switches, threads, stacks. Plain numbers, copied out. */
export function stats(): Stats {
  return native.stats();
}
