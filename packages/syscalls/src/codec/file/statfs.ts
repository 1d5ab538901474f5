/** statfs.ts: struct statfs of x86-64 (120 bytes; statfs(2)). */
import { readU64 } from '../words.ts';

/** A file system. */
export interface Statfs {
  /** Which kind: a magic number, as 0x01021994 for tmpfs. */
  type: number;
  /** Bytes that I/O is best done in. */
  bsize: number;
  /** All of the file system, in units of frsize. */
  blocks: number;
  bfree: number;
  /** Free for users that are not privileged. */
  bavail: number;
  /** Inodes. */
  files: number;
  ffree: number;
  fsid: readonly [number, number];
  /** Bytes of the longest name. */
  namelen: number;
  frsize: number;
  /** ST_*. */
  flags: number;
}

export function decodeStatfs(struct: Buffer): Statfs {
  return {
    type: readU64(struct, 0),
    bsize: readU64(struct, 8),
    blocks: readU64(struct, 16),
    bfree: readU64(struct, 24),
    bavail: readU64(struct, 32),
    files: readU64(struct, 40),
    ffree: readU64(struct, 48),
    fsid: [struct.readInt32LE(56), struct.readInt32LE(60)],
    namelen: readU64(struct, 64),
    frsize: readU64(struct, 72),
    flags: readU64(struct, 80),
  };
}
