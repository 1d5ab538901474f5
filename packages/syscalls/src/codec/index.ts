/** codec: between JavaScript's values and the kernel's structs, one file for each. Nothing here makes a system call. */
export { byteLength, toBuffers, toBytes } from './bytes.ts';
export { type Dirent, decodeDirents } from './dirent.ts';
export { allocateEpollEvents, decodeEpollEvents, type EpollEvent, encodeEpollEvent } from './epoll.ts';
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
export { decodeStatx, Statx } from './statx.ts';
export { encodeTimespec, type Timespec } from './timespec.ts';
