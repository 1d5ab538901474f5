/** statx.ts: struct statx (256 bytes; statx(2)). */

import { load, timeAt, u64AsNumber } from '../words.ts';
import { FileMode } from './file-mode.ts';

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

  constructor(struct: Uint8Array) {
    const { u16, u32, u64 } = load(struct);
    super(u16[14] as number);
    this.mask = u32[0] as number;
    this.blksize = u32[1] as number;
    this.attributes = u64[1] as bigint;
    this.nlink = u32[4] as number;
    this.uid = u32[5] as number;
    this.gid = u32[6] as number;
    this.ino = u64[4] as bigint;
    this.size = u64AsNumber(5);
    this.blocks = u64AsNumber(6);
    this.attributesMask = u64[7] as bigint;
    this.atimeNs = timeAt(8);
    this.btimeNs = timeAt(10);
    this.ctimeNs = timeAt(12);
    this.mtimeNs = timeAt(14);
    this.rdevMajor = u32[32] as number;
    this.rdevMinor = u32[33] as number;
    this.devMajor = u32[34] as number;
    this.devMinor = u32[35] as number;
    this.mntId = u64[18] as bigint;
  }
}

export function decodeStatx(struct: Uint8Array): Statx {
  return new Statx(struct);
}
