/** codec: between JavaScript's values and the kernel's structs, one file for each. Nothing here makes a system call. */
export { allocateBytes, byteLength, toBuffers, toBytes } from './bytes.ts';
export {
  type Cachestat,
  type CachestatRange,
  decodeCachestat,
  encodeCachestatRange,
} from './file/cachestat.ts';
export { type Dirent, decodeDirents } from './file/dirent.ts';
export {
  allocateFileHandle,
  decodeFileHandle,
  encodeFileHandle,
  type FileHandle,
  type MountedFileHandle,
} from './file/file-handle.ts';
export {
  encodeFileTimes,
  encodeTimevals,
  encodeUtimbuf,
  type FileTime,
  type FileTimes,
  type Utimbuf,
} from './file/file-times.ts';
export { decodeInotifyEvents, type InotifyEvent } from './file/inotify.ts';
export { encodeOffset } from './file/offset.ts';
export { encodeOpenHow, type OpenHow } from './file/open-how.ts';
export { decodeText, PATH_MAX, type Path, toPath } from './file/path.ts';
export { decodeStat, Stat } from './file/stat.ts';
export { decodeStatfs, type Statfs } from './file/statfs.ts';
export { decodeStatx, Statx } from './file/statx.ts';
export { encodeInt } from './integer.ts';
export { decodeMqAttributes, encodeMqAttributes, type MqAttributes } from './ipc/mq.ts';
export { encodeSemOperations, type SemOperation } from './ipc/sem.ts';
export { decodeNames } from './names.ts';
export type { ControlMessage } from './net/control.ts';
export { allocateEpollEvents, decodeEpollEvents, type EpollEvent, encodeEpollEvent } from './net/epoll.ts';
export { decodeFdSets, encodeFdSets, type FdSets } from './net/fd-sets.ts';
export {
  allocateMessage,
  decodeMessage,
  encodeMessage,
  type IncomingMessage,
  type OutgoingMessage,
  type ReceivedMessage,
  sentLength,
  toMessages,
} from './net/message.ts';
export { decodePollFds, encodePollFds, type PollFd } from './net/pollfd.ts';
export {
  type Accepted,
  decodeSockaddr,
  encodeSockaddr,
  type Received,
  SOCKADDR_SIZE,
  type SockAddr,
  sockaddrLength,
} from './net/sockaddr.ts';
export { encodeOption } from './option.ts';
export { CPUSET_SIZE, decodeCpus, encodeCpus } from './process/cpus.ts';
export { decodeGroups, type Ids } from './process/ids.ts';
export { decodeRlimit, encodeRlimit, type Rlimit } from './process/rlimit.ts';
export { decodeRusage, type Rusage } from './process/rusage.ts';
export { decodeSchedAttr, encodeSchedAttr, encodeSchedParam, type SchedAttr } from './process/sched.ts';
export { decodeSysinfo, type Sysinfo } from './process/sysinfo.ts';
export { decodeTms, type Tms } from './process/tms.ts';
export { decodeUtsname, type Utsname } from './process/utsname.ts';
export { decodeWaited, decodeWaitedId, type Waited, type WaitedId } from './process/wait.ts';
export {
  decodeItimerspec,
  decodeItimerval,
  encodeItimerspec,
  encodeItimerval,
  type Itimerspec,
  type ItimerspecIn,
  type Itimerval,
} from './signal/itimer.ts';
export { encodeSigevent, type Sigevent } from './signal/sigevent.ts';
export { decodeSignalfdInfo, type Siginfo, type SignalfdInfo } from './signal/siginfo.ts';
export { decodeSigset, encodeSigset } from './signal/sigset.ts';
export {
  encodeTimespec,
  encodeTimeval,
  readTimespec,
  readTimeval,
  type Timespec,
  type Timeval,
} from './signal/timespec.ts';
