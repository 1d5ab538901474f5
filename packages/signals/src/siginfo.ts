/**
 * siginfo.ts: what comes along with a signal, and how it stands in the buffer that is shared with the native half: signalfd's struct of 128 bytes, and
 * at 120 why it is for us.
 */
import type { Signal } from './names.ts';
import { nameOf } from './names.ts';

/** What comes along with a signal. Fields that its kind does not have are 0. (siginfo_t) */
export interface SignalInfo {
  readonly signal: Signal;
  readonly signo: number;
  /** Why it was sent: one of SI_*, or for some signals one of their own, as CLD_EXITED. */
  readonly code: number;
  /** The errno that belongs to it. */
  readonly errno: number;
  /** Who has sent it; of SIGCHLD, the child. */
  readonly pid: number;
  readonly uid: number;
  /** What sigqueue() or a timer has been given, as an int. */
  readonly value: number;
  /** The same as all of its 64 bits: a C program may have given a pointer. */
  readonly pointer: bigint;
  /** Of a timer: its id, and how often it has expired besides since the last signal. */
  readonly timer: number;
  readonly overrun: number;
  /** Of SIGIO: the descriptor, and what has happened (POLLIN and its like). */
  readonly fd: number;
  readonly band: number;
  /** Of SIGCHLD: the exit code or the signal, and CPU times in clock ticks. */
  readonly status: number;
  readonly utime: number;
  readonly stime: number;
}

/** Sent by kill(). */
export const SI_USER = 0;
/** Sent by the kernel. */
export const SI_KERNEL = 128;
/** Sent by sigqueue(). */
export const SI_QUEUE = -1;
/** A timer has expired. */
export const SI_TIMER = -2;
/** Something has come to an empty message queue. */
export const SI_MESGQ = -3;
/** Asynchronous I/O has completed. */
export const SI_ASYNCIO = -4;
/** Sent to a thread: threadKill(), tgkill(). */
export const SI_TKILL = -6;

export const BATCH = 64;
const LETTER = 128;

/** Flags beside a signal. */
export const TOLD = 1;
export const FORWARDED = 2;
export const COPY = 4;

export const buffer: ArrayBuffer = new ArrayBuffer(BATCH * LETTER);
const view = new DataView(buffer);

/** The signal at that place of the buffer. */
export function infoAt(index: number): SignalInfo {
  const at = index * LETTER;
  const signo = view.getUint32(at, true);
  return {
    signal: nameOf(signo) as Signal,
    signo,
    code: view.getInt32(at + 8, true),
    errno: view.getInt32(at + 4, true),
    pid: view.getUint32(at + 12, true),
    uid: view.getUint32(at + 16, true),
    value: view.getInt32(at + 44, true),
    pointer: view.getBigUint64(at + 48, true),
    timer: view.getUint32(at + 24, true),
    overrun: view.getUint32(at + 32, true),
    fd: view.getInt32(at + 20, true),
    band: view.getUint32(at + 28, true),
    status: view.getInt32(at + 40, true),
    utime: view.getUint32(at + 56, true) + view.getUint32(at + 60, true) * 2 ** 32,
    stime: view.getUint32(at + 64, true) + view.getUint32(at + 68, true) * 2 ** 32,
  };
}

export function flagsAt(index: number): number {
  return view.getUint32(index * LETTER + 120, true);
}

/** Puts it into the buffer's first place. */
export function write(info: SignalInfo, flags: number): void {
  view.setUint32(0, info.signo, true);
  view.setInt32(4, info.errno, true);
  view.setInt32(8, info.code, true);
  view.setUint32(12, info.pid, true);
  view.setUint32(16, info.uid, true);
  view.setInt32(20, info.fd, true);
  view.setUint32(24, info.timer, true);
  view.setUint32(28, info.band, true);
  view.setUint32(32, info.overrun, true);
  view.setInt32(40, info.status, true);
  view.setInt32(44, info.value, true);
  view.setBigUint64(48, info.pointer, true);
  view.setBigUint64(56, BigInt(info.utime), true);
  view.setBigUint64(64, BigInt(info.stime), true);
  view.setUint32(120, flags, true);
}

/** The two words that pending() has left. */
export function words(): { low: number; high: number } {
  return { low: view.getInt32(0, true), high: view.getInt32(4, true) };
}

const uid = process.getuid?.() ?? 0;

/** A signal of this process' own. */
export function ownInfo(signo: number, code: number, value = 0, pointer = 0n): SignalInfo {
  return {
    signal: nameOf(signo) as Signal,
    signo,
    code,
    errno: 0,
    pid: process.pid,
    uid,
    value,
    pointer,
    timer: 0,
    overrun: 0,
    fd: 0,
    band: 0,
    status: 0,
    utime: 0,
    stime: 0,
  };
}
