/** codec: between JavaScript's values and the kernel's structs, one file for each. Nothing here makes a system call. */
export { allocateBytes, byteLength, toBuffers, toBytes } from './bytes.ts';
export { type Cachestat, type CachestatRange, decodeCachestat, encodeCachestatRange } from './cachestat.ts';
export type { ControlMessage } from './control.ts';
export { CPUSET_SIZE, decodeCpus, encodeCpus } from './cpus.ts';
export { type Dirent, decodeDirents } from './dirent.ts';
export { allocateEpollEvents, decodeEpollEvents, type EpollEvent, encodeEpollEvent } from './epoll.ts';
export { decodeFdSets, encodeFdSets, type FdSets } from './fd-sets.ts';
export {
  allocateFileHandle,
  decodeFileHandle,
  encodeFileHandle,
  type FileHandle,
  type MountedFileHandle,
} from './file-handle.ts';
export {
  encodeFileTimes,
  encodeTimevals,
  encodeUtimbuf,
  type FileTime,
  type FileTimes,
  type Utimbuf,
} from './file-times.ts';
export { decodeGroups, type Ids } from './ids.ts';
export { decodeInotifyEvents, type InotifyEvent } from './inotify.ts';
export { encodeInt } from './integer.ts';
export {
  decodeItimerspec,
  decodeItimerval,
  encodeItimerspec,
  encodeItimerval,
  type Itimerspec,
  type ItimerspecIn,
  type Itimerval,
} from './itimer.ts';
export {
  allocateMessage,
  decodeMessage,
  encodeMessage,
  type IncomingMessage,
  type OutgoingMessage,
  type ReceivedMessage,
  sentLength,
  toMessages,
} from './message.ts';
export { decodeMqAttributes, encodeMqAttributes, type MqAttributes } from './mq.ts';
export { decodeNames } from './names.ts';
export { encodeOffset } from './offset.ts';
export { encodeOpenHow, type OpenHow } from './open-how.ts';
export { encodeOption } from './option.ts';
export { decodeText, PATH_MAX, type Path, toPath } from './path.ts';
export { decodePollFds, encodePollFds, type PollFd } from './pollfd.ts';
export { decodeRlimit, encodeRlimit, type Rlimit } from './rlimit.ts';
export { decodeRusage, type Rusage } from './rusage.ts';
export { decodeSchedAttr, encodeSchedAttr, encodeSchedParam, type SchedAttr } from './sched.ts';
export { encodeSemOperations, type SemOperation } from './sem.ts';
export { encodeSigevent, type Sigevent } from './sigevent.ts';
export { decodeSignalfdInfo, type Siginfo, type SignalfdInfo } from './siginfo.ts';
export { decodeSigset, encodeSigset } from './sigset.ts';
export {
  type Accepted,
  decodeSockaddr,
  encodeSockaddr,
  type Received,
  SOCKADDR_SIZE,
  type SockAddr,
  sockaddrLength,
} from './sockaddr.ts';
export { decodeStat, Stat } from './stat.ts';
export { decodeStatfs, type Statfs } from './statfs.ts';
export { decodeStatx, Statx } from './statx.ts';
export { decodeSysinfo, type Sysinfo } from './sysinfo.ts';
export {
  encodeTimespec,
  encodeTimeval,
  readTimespec,
  readTimeval,
  type Timespec,
  type Timeval,
} from './timespec.ts';
export { decodeTms, type Tms } from './tms.ts';
export { decodeUtsname, type Utsname } from './utsname.ts';
export { decodeWaited, decodeWaitedId, type Waited, type WaitedId } from './wait.ts';
