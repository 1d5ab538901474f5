/** statx.ts: struct statx (256 bytes; statx(2)). */
import { FileMode } from './file-mode.ts';
import { readTime, readU64 } from './stat.ts';

/** What statx answers; mask says which fields the file system has filled in. */
export class Statx extends FileMode {
  /** STATX_*. */
  readonly mask: number;
  readonly blksize: number;
  /** STATX_ATTR_*. */
  readonly attributes: bigint;
  readonly attributesMask: bigint;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: bigint;
  readonly size: number;
  readonly blocks: number;
  /** Nanoseconds since 1970. */
  readonly atimeNs: bigint;
  /** When it was made. */
  readonly btimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly mntId: bigint;

  constructor(struct: Buffer) {
    super(struct.readUInt16LE(28));
    this.mask = struct.readUInt32LE(0);
    this.blksize = struct.readUInt32LE(4);
    this.attributes = struct.readBigUInt64LE(8);
    this.nlink = struct.readUInt32LE(16);
    this.uid = struct.readUInt32LE(20);
    this.gid = struct.readUInt32LE(24);
    this.ino = struct.readBigUInt64LE(32);
    this.size = readU64(struct, 40);
    this.blocks = readU64(struct, 48);
    this.attributesMask = struct.readBigUInt64LE(56);
    this.atimeNs = readTime(struct, 64);
    this.btimeNs = readTime(struct, 80);
    this.ctimeNs = readTime(struct, 96);
    this.mtimeNs = readTime(struct, 112);
    this.rdevMajor = struct.readUInt32LE(128);
    this.rdevMinor = struct.readUInt32LE(132);
    this.devMajor = struct.readUInt32LE(136);
    this.devMinor = struct.readUInt32LE(140);
    this.mntId = struct.readBigUInt64LE(144);
  }
}

export function decodeStatx(struct: Buffer): Statx {
  return new Statx(struct);
}
