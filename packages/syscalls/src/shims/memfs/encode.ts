/** encode.ts: the kernel's structs, as x86-64 has them: what src/codec decodes, written. */
import { constants as c } from '../../generated/constants.ts';
import type { Inode } from './inodes/inode.ts';
import { PAGE } from './inodes/space.ts';
import type { Time } from './inodes/time.ts';
import type { Volume } from './volume.ts';

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

function u64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function time(view: DataView, at: number, { sec, nsec }: Time): void {
  view.setBigInt64(at, BigInt(sec), true);
  u64(view, at + 8, nsec);
}

export const STAT_SIZE = 144;

/** struct stat (stat(3type)). */
export function encodeStat(into: Uint8Array, { device }: Volume, inode: Inode): void {
  const view = viewOf(into.fill(0, 0, STAT_SIZE));
  u64(view, 0, (device & 0xff) + (device & ~0xff) * 4096);
  u64(view, 8, inode.ino);
  u64(view, 16, inode.links);
  view.setUint32(24, inode.mode, true);
  view.setUint32(28, inode.uid, true);
  view.setUint32(32, inode.gid, true);
  u64(view, 40, inode.rdev);
  u64(view, 48, inode.size);
  u64(view, 56, PAGE);
  u64(view, 64, inode.blocks);
  time(view, 72, inode.atime);
  time(view, 88, inode.mtime);
  time(view, 104, inode.ctime);
}

export const STATX_SIZE = 256;

/** struct statx (statx(2)): all fields of STATX_ALL, whatever was asked for. */
export function encodeStatx(into: Uint8Array, { device }: Volume, inode: Inode): void {
  const view = viewOf(into.fill(0, 0, STATX_SIZE));
  view.setUint32(0, c.STATX_ALL, true);
  view.setUint32(4, PAGE, true);
  view.setUint32(16, inode.links, true);
  view.setUint32(20, inode.uid, true);
  view.setUint32(24, inode.gid, true);
  view.setUint16(28, inode.mode, true);
  u64(view, 32, inode.ino);
  u64(view, 40, inode.size);
  u64(view, 48, inode.blocks);
  time(view, 64, inode.atime);
  time(view, 80, inode.btime);
  time(view, 96, inode.ctime);
  time(view, 112, inode.mtime);
  view.setUint32(128, Math.floor(inode.rdev / 256) & 0xfff, true);
  view.setUint32(132, (inode.rdev & 0xff) | (Math.floor(inode.rdev / 4096) & ~0xff), true);
  view.setUint32(140, device, true);
}

export const STATFS_SIZE = 120;

/** struct statfs (statfs(2)): programs that ask shall do what they do on tmpfs. */
export function encodeStatfs(into: Uint8Array, { space, device, magic }: Volume): void {
  const view = viewOf(into.fill(0, 0, STATFS_SIZE));
  const free = space.pages - space.usedPages;
  u64(view, 0, magic);
  u64(view, 8, PAGE);
  u64(view, 16, space.pages);
  u64(view, 24, free);
  u64(view, 32, free);
  u64(view, 40, space.inodes);
  u64(view, 48, space.inodes - space.usedInodes);
  view.setUint32(56, device, true); // f_fsid
  u64(view, 64, 255);
  u64(view, 72, PAGE);
}

export interface Dirent {
  name: Uint8Array;
  ino: number;
  type: number;
  /** The position after it. */
  next: number;
}

/** struct linux_dirent64 (getdents(2)) at a place in a buffer; the bytes it takes, or 0 where it doesn't fit. */
export function encodeDirent(into: Uint8Array, at: number, { name, ino, type, next }: Dirent): number {
  const size = (19 + name.length + 1 + 7) & ~7;
  if (at + size > into.length) return 0;
  const view = viewOf(into.fill(0, at, at + size));
  u64(view, at, ino);
  u64(view, at + 8, next);
  view.setUint16(at + 16, size, true);
  view.setUint8(at + 18, type);
  into.set(name, at + 19);
  return size;
}

/** The same for getdents' struct linux_dirent, which has the type in its last byte. */
export function encodeOldDirent(into: Uint8Array, at: number, { name, ino, type, next }: Dirent): number {
  const size = (18 + name.length + 2 + 7) & ~7;
  if (at + size > into.length) return 0;
  const view = viewOf(into.fill(0, at, at + size));
  u64(view, at, ino);
  u64(view, at + 8, next);
  view.setUint16(at + 16, size, true);
  into.set(name, at + 18);
  view.setUint8(at + size - 1, type);
  return size;
}
