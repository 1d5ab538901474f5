/**
 * identities.ts: what programs know files of the folder by: device and number are those of the lower directories, as if all lay there. So a file, or a directory, is the same one before and after it has been
 * copied, by its path and by a descriptor, and none is on another file system than its neighbours.
 *
 * A name of several that a lower file has is a file of its own when it has been copied, and so has a number of its own.
 *
 * Invariant: what a device and a number become depends on nothing but them and on which files have been copied; another file of the folder's file system than ours is one elsewhere, too.
 */
import { viewBytes } from '../../../codec/bytes.ts';
import { constants as c } from '../../../generated/constants.ts';
import type { SysMsg } from '../../../port/sysmsg.ts';
import { type LayerStat, lstatOf } from '../layer.ts';
import { isDirectory } from './lowers.ts';

/** What is added to the number of a file that has none below. */
const OWN = 2n ** 40n;

const major = (device: bigint): number => Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn));
const minor = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n));

export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export class Identities {
  private readonly folder: bigint;
  private readonly lower: bigint;
  /** By the numbers of the copies. */
  private readonly copied = new Map<bigint, Identity>();

  /** The folder, and the uppermost lower directory. */
  constructor(folder: string, lower: string) {
    this.folder = (lstatOf(folder) as LayerStat).dev;
    this.lower = (lstatOf(lower) as LayerStat).dev;
  }

  /** What the first is of is a copy of what the second is of. */
  keep(copy: LayerStat, { dev, ino, nlink, mode }: LayerStat): void {
    if (nlink === 1n || isDirectory({ mode })) this.copied.set(copy.ino, { dev, ino });
  }

  of({ dev, ino }: Identity): Identity {
    if (dev !== this.folder) return { dev, ino };
    return (
      this.copied.get(ino) ??
      (this.folder === this.lower ? { dev, ino } : { dev: this.lower, ino: ino + OWN })
    );
  }

  /** The same of a number in the folder alone. */
  numberOf(ino: bigint): bigint {
    return this.of({ dev: this.folder, ino }).ino;
  }

  /** In what the kernel has answered to a stat or statx that succeeded. */
  correct(msg: SysMsg): void {
    const isStatx = msg.name === 'statx';
    const into = msg.get(isStatx ? 'statx' : 'stat');
    if (!ArrayBuffer.isView(into)) return;
    const bytes = viewBytes(into);
    const at = isStatx ? 32 : 8;
    const ino = bytes.readBigUInt64LE(at);
    if (!isStatx) {
      const found = this.of({ dev: bytes.readBigUInt64LE(0), ino });
      bytes.writeBigUInt64LE(found.dev, 0);
      bytes.writeBigUInt64LE(found.ino, at);
      return;
    }
    const [high, low] = [bytes.readUInt32LE(136), bytes.readUInt32LE(140)];
    const dev = BigInt((low & 0xff) + (high & 0xfff) * 256) + (BigInt(low & ~0xff & 0xffff_ffff) << 12n);
    const found = this.of({ dev, ino });
    bytes.writeUInt32LE(major(found.dev), 136);
    bytes.writeUInt32LE(minor(found.dev), 140);
    if ((bytes.readUInt32LE(0) & c.STATX_INO) !== 0) bytes.writeBigUInt64LE(found.ino, at);
  }
}
