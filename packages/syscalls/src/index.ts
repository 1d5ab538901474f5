/**
 * @libcr/syscalls: system calls as messages: sys (blocking, promises, raw), the port they go to, and shims on it.
 *
 * Not here: the shims that come ready-made (@libcr/syscalls/shims/*).
 */
import { curthread } from '@libcr/core';
import { type AsyncCalls, asyncCalls, blockingCalls, type Calls } from './generated/sys.ts';
import { type SyscallStats, stats } from './port/send.ts';
import type { Shim } from './port/shim.ts';
import { portOf, type SyscallPort } from './port/syscall-port.ts';
import { raw } from './raw.ts';

export type {
  Accepted,
  Cachestat,
  CachestatRange,
  ControlMessage,
  Dirent,
  EpollEvent,
  FdSets,
  FileHandle,
  FileTime,
  FileTimes,
  Ids,
  IncomingMessage,
  InotifyEvent,
  Itimerspec,
  ItimerspecIn,
  Itimerval,
  MountedFileHandle,
  MqAttributes,
  OpenHow,
  OutgoingMessage,
  Path,
  PollFd,
  Received,
  ReceivedMessage,
  Rlimit,
  Rusage,
  SchedAttr,
  SemOperation,
  Sigevent,
  Siginfo,
  SignalfdInfo,
  SockAddr,
  Stat,
  Statfs,
  Statx,
  Sysinfo,
  Timespec,
  Timeval,
  Tms,
  Utimbuf,
  Utsname,
  Waited,
  WaitedId,
} from './codec/index.ts';
export { decodeInotifyEvents, decodeSignalfdInfo } from './codec/index.ts';
export type { SyscallError } from './failure.ts';
export { constants } from './generated/constants.ts';
export type { CallName } from './generated/rows.ts';
export type { AsyncCalls, Calls } from './generated/sys.ts';
export { path, type SyscallPath } from './path.ts';
export type { SyscallStats } from './port/send.ts';
export { defineShim, type Next, type Shim } from './port/shim.ts';
export { type ShimGuard, SyscallPort, syscallPort } from './port/syscall-port.ts';
export { SysMsg } from './port/sysmsg.ts';

/** The system calls, and what goes with them. */
export interface Sys extends Calls {
  /** Each call as a promise, for code on the event loop: the same message, the same errors. */
  readonly promises: AsyncCalls;
  /** By number, in C's convention: -1 and curthread().errno. */
  raw(number: number, ...args: unknown[]): number;
  /** A port of its own with these shims on top of the running userthread's: for create(…, { syscallPort }). */
  with(...shims: Shim[]): SyscallPort;
  /** Counters of this thread's system calls. */
  stats(): SyscallStats;
}

export const sys: Sys = {
  ...blockingCalls,
  promises: asyncCalls,
  raw,
  with: (...shims) => portOf(curthread()).with(...shims),
  stats,
};
