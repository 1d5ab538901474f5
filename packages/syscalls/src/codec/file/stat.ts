/** stat.ts: struct stat of x86-64 (144 bytes; stat(3type)). */

import { load, timeAt, u64AsNumber } from '../words.ts';
import { FileMode } from './file-mode.ts';

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

  constructor(struct: Uint8Array) {
    const { u32, u64 } = load(struct);
    super(u32[6] as number);
    this.dev = u64AsNumber(0);
    this.ino = u64[1] as bigint;
    this.nlink = u64AsNumber(2);
    this.uid = u32[7] as number;
    this.gid = u32[8] as number;
    this.rdev = u64AsNumber(5);
    this.size = u64AsNumber(6);
    this.blksize = u64AsNumber(7);
    this.blocks = u64AsNumber(8);
    this.atimeNs = timeAt(9);
    this.mtimeNs = timeAt(11);
    this.ctimeNs = timeAt(13);
  }
}

export function decodeStat(struct: Uint8Array): Stat {
  return new Stat(struct);
}
