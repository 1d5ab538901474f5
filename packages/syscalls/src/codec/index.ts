/** codec: between JavaScript's values and the kernel's structs, one file for each. Nothing here makes a system call. */
export { allocateBytes, byteLength, toBuffers, toBytes } from './bytes.ts';
export { type Cachestat, type CachestatRange, decodeCachestat, encodeCachestatRange } from './cachestat.ts';
export { type Dirent, decodeDirents } from './dirent.ts';
export { allocateEpollEvents, decodeEpollEvents, type EpollEvent, encodeEpollEvent } from './epoll.ts';
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
export { decodeNames } from './names.ts';
export { encodeOffset } from './offset.ts';
export { encodeOpenHow, type OpenHow } from './open-how.ts';
export { encodeOption } from './option.ts';
export { decodeText, PATH_MAX, type Path, toPath } from './path.ts';
export { decodePollFds, encodePollFds, type PollFd } from './pollfd.ts';
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
export { encodeTimespec, type Timespec } from './timespec.ts';
