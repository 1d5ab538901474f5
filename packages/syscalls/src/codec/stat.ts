/** stat.ts: struct stat of x86-64 (144 bytes; stat(3type)). */
import { FileMode } from './file-mode.ts';

/** 64 bits as a number: exact up to 2^53. */
export const readU64 = (struct: Buffer, at: number): number =>
  struct.readUInt32LE(at) + struct.readUInt32LE(at + 4) * 2 ** 32;

/** Seconds and nanoseconds as nanoseconds. */
export const readTime = (struct: Buffer, at: number): bigint =>
  struct.readBigInt64LE(at) * 1_000_000_000n + BigInt(struct.readUInt32LE(at + 8));

/** What fstat answers. Numbers are plain where they fit into 53 bits in practice; ino and the times are bigint. */
export class Stat extends FileMode {
  readonly dev: number;
  readonly ino: bigint;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** Bytes that I/O is best done in. */
  readonly blksize: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  /** Nanoseconds since 1970. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;

  constructor(struct: Buffer) {
    super(struct.readUInt32LE(24));
    this.dev = readU64(struct, 0);
    this.ino = struct.readBigUInt64LE(8);
    this.nlink = readU64(struct, 16);
    this.uid = struct.readUInt32LE(28);
    this.gid = struct.readUInt32LE(32);
    this.rdev = readU64(struct, 40);
    this.size = readU64(struct, 48);
    this.blksize = readU64(struct, 56);
    this.blocks = readU64(struct, 64);
    this.atimeNs = readTime(struct, 72);
    this.mtimeNs = readTime(struct, 88);
    this.ctimeNs = readTime(struct, 104);
  }
}

export function decodeStat(struct: Buffer): Stat {
  return new Stat(struct);
}
