/** native.ts: loads the native half and binds it to this environment. */
import { CodedError, loadNativeHalf, lwktApi, ownScripts } from '@libcr/core/internal';

/** native/node/addon.cc. Numbers below -4095 are answers.ts'. */
export interface Native {
  /** The call in place, never waiting. */
  call(
    number: number,
    a0?: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
    a4?: unknown,
    a5?: unknown,
  ): number;
  /** The call in place, waiting as long as the kernel does. */
  callBlocking(number: number, ...args: unknown[]): number;
  /** The call on a helper thread: an id, or an error below 0. */
  offload(done: number, held: number, number: number, ...args: unknown[]): number;
  /** Copies the data of a finished one; -1 where the buffers have become too small. */
  finish(id: number, ...args: unknown[]): number;
  abandon(id: number): void;
  /** Asks for one onReady(fd, revents). */
  watch(fd: number, events: number): number;
  forget(fd: number): void;
  /** Whether waiting for descriptors keeps the event loop alive. */
  ref(on: boolean): void;
  /** Whether a descriptor can be waited for at all. */
  canWait(fd: number): boolean;

  /** Which way calls go that have to wait: LIBCR_SYSCALLS_PATH, or the ring where there is one. */
  readonly path: 'ring' | 'readiness';
  /** Why not the ring. */
  readonly why: string;
  /** Operations that the kernel's io_uring lacks, as "FTRUNCATE,TEE". */
  readonly missing: string;
  /** The call to the ring: a number > 0, an error below 0, or answers.ts' OFFLOAD where it is none for the ring. */
  submit(
    done: number,
    number: number,
    a0?: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
    a4?: unknown,
    a5?: unknown,
  ): number;
  /** Waits on the ring for events of fd, nanoseconds at most (below 0: for ever; fd -1: only for the time). In the background it does not keep the loop alive. */
  poll(fd: number, events: number, nanoseconds: number, background: boolean): number;
  /** Whether a wait keeps the event loop alive changes. */
  background(id: number, on: boolean): void;
  /** Receives from a stream socket on the ring: a number > 0, or answers.ts' READABLE. Its result is the bytes that take() has, or an error. */
  receive(fd: number, length: number): number;
  /** The data of a receive, and what there is besides, into the first bytes of a buffer: how many, or answers.ts' BAD_RANGE where that has become too small. */
  take(id: number, data: unknown, length: number): number;
  /** Ends a receive: -ECANCELED if it has taken nothing; else its result, and the data as take(). */
  recall(id: number, data: unknown, length: number): number;
  /** finish, for what submit has answered. */
  collect(
    id: number,
    a0?: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
    a4?: unknown,
    a5?: unknown,
  ): number;
  /** abandon, for what submit or poll has answered. */
  giveUp(id: number): void;
  /** The first length bytes as the inside of a C string; undefined where that is longer than a string can be. */
  quote(view: ArrayBufferView, length: number): string | undefined;
  /** Memory for programs' calls, or -errno. waiting[0]: calls that were taken and have not begun; while there are some, onBell() comes before each sleep of the loop. */
  supervise(
    onBell: () => void,
    onEnded: (pid: number) => void,
    waiting: Int32Array,
  ): NativeSupervisor | number;
}

/** native/node/supervisor.c. After close() all of it does nothing. */
export interface NativeSupervisor {
  /** All of it, as native/program/script/channel.h has it. Detached by close(). */
  readonly memory: ArrayBuffer;
  /** The descriptors that programs are given. */
  readonly memfd: number;
  readonly bell: number;
  /** Turns of a loop that looks, in a microsecond. */
  readonly turns: number;
  /** Nanoseconds, as rows in programs measure them (native/program/script/rows.h). */
  clock(): number;
  /** A slot that has been posted, looked for that long; or -1. */
  next(nanoseconds: number): number;
  /** The slot's command is for its lwp to do. */
  answer(slot: number): void;
  /** The slot is nobody's any more: its process has ended. */
  release(slot: number): void;
  /** onEnded() tells when the process has ended. 0 or -errno. */
  watch(pid: number): number;
  /** Whether (1 or 0) the event loop stays alive for it. */
  hold(on: number): void;
  close(): void;
}

interface Addon {
  setup(
    api: bigint,
    status: Float64Array,
    completions: Float64Array,
    onReady: (fd: number, revents: number) => void,
    onDone: (id: number, result: number) => void,
    onCompletions: (count: number) => void,
    path: string,
  ): Native;
}

/** Shared with native/node/direct/direct.c: [bytes moved already, descriptor to go on from]. Read it before anything else is called. */
export const status: Float64Array = new Float64Array(4);

const COMPLETIONS_AT_ONCE = 256;

/** Shared with native/node/ring/complete.c: number and result of each operation that onCompletions is told of. */
export const completions: Float64Array = new Float64Array(2 * COMPLETIONS_AT_ONCE);

let ready: (fd: number, revents: number) => void;
let done: (id: number, result: number) => void;
let completed: (count: number) => void;

/** Who is told of events; set by readiness.ts, offload.ts and ring.ts. */
export function onReady(listener: (fd: number, revents: number) => void): void {
  ready = listener;
}

export function onDone(listener: (id: number, result: number) => void): void {
  done = listener;
}

export function onCompletions(listener: (count: number) => void): void {
  completed = listener;
}

const PATHS = ['ring', 'readiness'];

/** LIBCR_SYSCALLS_PATH; '' where it is not set. */
function wantedPath(): string {
  const wanted = process.env.LIBCR_SYSCALLS_PATH ?? '';
  if (wanted === '' || PATHS.includes(wanted)) return wanted;
  throw new CodedError(
    'ERR_INVALID_ARG_VALUE',
    `LIBCR_SYSCALLS_PATH is "${wanted}"; it must be "ring" or "readiness", or not set`,
  );
}

function setUp(): Native {
  const wanted = wantedPath();
  const addon = loadNativeHalf<Addon>({ of: '@libcr/syscalls', name: 'syscalls', url: import.meta.url });
  const made = addon.setup(
    lwktApi,
    status,
    completions,
    (fd, revents) => ready(fd, revents),
    (id, result) => done(id, result),
    (count) => completed(count),
    wanted,
  );
  if (wanted === 'ring' && made.path !== 'ring')
    throw new CodedError('ERR_LIBCR_NATIVE', `LIBCR_SYSCALLS_PATH=ring, but there is no ring: ${made.why}`);
  return made;
}

ownScripts(import.meta.url); // what has been begun here must not be entered by others: it is not preempted
export const native: Native = setUp();
