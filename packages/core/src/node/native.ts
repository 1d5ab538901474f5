/**
 * native.ts: the native half: what its functions mean. native-half.ts finds it.
 */
import { loadNativeHalf } from './native-half.ts';

/** What blocking native functions answer (enum BlockResult in native/node/cpu.h). */
export const BLOCK_OK = 0;
export const BLOCK_INTERRUPTED = 1;
/** From here on: the thread was not switched out, as it can't be where it stands. */
export const BLOCK_REFUSED = 4;
/** As V8 runs on another stack than the thread's. */
export const BLOCK_FOREIGN_STACK = 4;
/** As V8 may be told to terminate what it does. */
export const BLOCK_WATCHED = 5;
/** Below JSON.stringify, while another thread waits below one. (Node 22) */
export const BLOCK_STRINGIFY = 6;
/** Below an addon that has one stack for all, while another thread waits below it. */
export const BLOCK_ADDON_STACK = 7;

/** Places in `shared` (enum Shared in native/node/cpu.h). */
export const RUNNING = 0;
export const ASYNC_BASE = 1;
export const EXITING = 2;

/** Counters of this thread's CPU (struct lwkt_stats). */
export interface Stats {
  /** Stack switches made. */
  switches: number;
  /** Userthreads created. */
  created: number;
  /** Userthreads that have not finished. */
  alive: number;
  /** Idle stacks kept for reuse. */
  pooled: number;
  /** Userthreads on the run queue. */
  runnable: number;
  /** Stacks made, as no idle one was there. */
  stacksCreated: number;
  /** Of those, given back to the system. */
  stacksFreed: number;
  /** Visits of the event loop to the scheduler. */
  passes: number;
  /** IPI messages sent to other rforks. */
  ipisSent: number;
  /** IPI messages of other rforks' that were run here. */
  ipisReceived: number;
}

/** What stands for a host object on its way: its type, three numbers, a text. */
export type HostValues = [type: number, a: number, b: number, c: number, text: string];

/** What a native userthread's function may be given. */
export type NativeArg = bigint | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | undefined;

export interface Native {
  setup(
    entry: (slot: number) => void,
    failed: (slot: number, errno: number) => void,
    resource: object,
    noop: () => void,
    nativeEnded: (slot: number, errno: number, result: bigint) => void,
    terminated: (slot: number, preemptions: number) => void,
  ): void;
  /** Numbers that the native side and we write: see RUNNING, ASYNC_BASE, EXITING. */
  shared: Int32Array;
  /** 0 or an errno. The running thread is in a preemptible region from now on, with a slice of so many ms that begins; 0: in a critical section. */
  preempt(slice: number): number;
  /** It leaves its region. How often it has been preempted there. */
  preemptEnd(): number;
  preemptions(slot: number): number;
  /** Why nothing can be preempted here; undefined: it can. */
  preemptionMissing(): string | undefined;
  /** V8 is to end it as soon as it computes in its region, if it is in one. */
  terminate(slot: number): void;
  setupAsyncIds(
    fields: Uint32Array,
    ids: Float64Array,
    wrap: object,
    resources: (object | undefined)[],
    kStackLength: number,
    kExecutionAsyncId: number,
    kTriggerAsyncId: number,
  ): void;
  ownScripts(prefix: string): void;
  /** 0 or an errno. limit in ms; 0: no watchdog any more. slot -1: thread0; -2: a thread that has ended. duration in ms. */
  watchLoop(
    limit: number,
    onBlock?: (slot: number, name: string, stack: string, duration: number) => void,
  ): number;
  /** A slot, or -errno. nostart: it is not runnable before schedule() or interrupt(). */
  create(priority: number, stackSize: number, name: string, nostart: boolean): number;
  schedule(slot: number): void;
  interrupt(slot: number): void;
  setpri(slot: number, priority: number): number;
  block(): number;
  /** What block() would answer to the running thread: BLOCK_OK, or why it can't be switched out here. */
  refusal(): number;
  /** Whether V8 may be told to terminate what the running userthread does; returns what it was. */
  watched(on: boolean): boolean;
  /** Asked from now on, on thread0, whose turn it is, of userthreads that all could have it: the place in slots. undefined: nobody is. */
  choose(next: ((slots: readonly number[]) => number) | undefined): void;
  /** Makes the function's context known, as one that arrays are joined in. */
  joinContext(fn: object): void;
  yield(): number;
  stack(slot: number): string | undefined;
  /** The address of what LWKT_NATIVE has made there (lwkt_client.h). Throws. The library stays loaded. */
  findNative(library: string, symbol: string): bigint;
  /** A slot, or -errno. */
  createNative(
    entry: bigint,
    priority: number,
    stackSize: number,
    name: string,
    arg: NativeArg,
    nostart: boolean,
  ): number;
  /** Of a native userthread: what it waits for; undefined where it is runnable or has ended. */
  waitReason(slot: number): string | undefined;
  stats(): Stats;
  trim(keep: number, max: number): number;
  /** What is a host object to V8's structured clone extends this. */
  HostObject: new () => object;
  /** The id of an rfork that is to come. */
  reserve(name: string): number;
  /** That one will not come, or is no more. */
  forsake(rfork: number): void;
  /** This rfork gets its id: the reserved one, or a new one (0). */
  enter(reserved: number, name: string): number;
  /** Three fields for each rfork: id, name, whether it is there yet. */
  rforks(): (number | string | boolean)[];
  setupRemote(
    deliver: (here: boolean) => boolean,
    writeHost: (object: object) => HostValues | undefined,
    readHost: (type: number, a: number, b: number, c: number, text: string) => object,
    cloneError: (message: string) => Error,
  ): void;
  /** 0, or ESRCH where that rfork has ended. Throws what structured clone throws. */
  send(
    to: number,
    kind: number,
    port: number,
    origin: number,
    id: number,
    value: unknown,
    transfer?: readonly ArrayBuffer[],
    hops?: number,
  ): number;
  /** Seven fields for each of what has come: kind, from, port, origin, id, value, hops. here: only up to what needs much stack. */
  receive(here: boolean): unknown[];
  /** The loop has one reason more, or less, to stay alive. */
  hold(on: boolean): void;
  /** 0 or an errno: this rfork's threads are traced from now on; of the events the last so many are kept. */
  traceStart(events: number): number;
  traceStop(): void;
  /** All events there are, of 64 bytes each (struct lwkt_trace_event), and how many have been lost so far. */
  traceRead(): [events: ArrayBuffer, lost: number];
  /** An event of the running thread's. time: CLOCK_MONOTONIC ns, 0 for now. */
  traceMark(kind: number, rfork: number, number: number, time: number): void;
  /** Goes with the running thread's next leave. */
  traceNote(number: number): void;
  /** The running userthread's slot; -1: thread0. */
  traceSlot(): number;
  /** What the record calls a thread that has not ended. */
  traceId(slot: number): number;
  /** Whether a JavaScript userthread of this rfork switches otherwise than it does untraced. For tests. */
  traceHooked(): boolean;
  /** Of a thread; slot -1: thread0. undefined where it has ended. CPU time in ns, stack in bytes. */
  figures(
    slot: number,
  ): [switches: number, cpuTime: number, stackSize: number, onRunQueue: boolean] | undefined;
  /** Bytes ever used; 0: not known. Three system calls. */
  stackUsed(slot: number): number;
  /** For how many ns CPU time has been counted so far; it is from now on, or not. */
  countCputime(on: boolean): number;
  /** Whether each thread has its own list of the arrays that are being joined. */
  joinStacks: boolean;
  /** Whether each thread has its own counts of Node-API's scopes. */
  napiScopes: boolean;
  /** Whether this is libuv's default loop: in Node's program that is the main thread's, and no Worker's. */
  onDefaultLoop: boolean;
  /** How V8's thread-local words were found: by the program's symbols, or by looking. */
  threadWords: 'symbols' | 'looking';
  /** All objects of the heap with that property of their own. Costs some garbage collections. */
  objectsWith(key: string): object[];
  /** Whether V8's continuation slot is in use here. */
  hasContinuation(): boolean;
  /** The address of struct lwkt_api. */
  api: bigint;
}

export const native: Native = loadNativeHalf({ of: '@libcr/core', name: 'core', url: import.meta.url });
