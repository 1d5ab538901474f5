/**
 * listing.ts: a program's listing of a directory in which there is more than the kernel has there, or other things under the kernel's names: what leads to a tree, and what shows of an overlay's lower
 * directories. Those names come after the kernel's own, each at a position that it keeps.
 *
 * How far a listing is stands in the descriptor's own position, as ever: so it is shared by those who have inherited it, and telldir, seekdir and rewinddir do what they do.
 *
 * Invariants: a name that is there from the beginning of a listing to its end comes once in it, whatever is made, copied or removed meanwhile; and after its end nothing comes.
 */
import { viewBytes } from '../../../codec/bytes.ts';
import { constants as c } from '../../../generated/constants.ts';
import type { Next } from '../../../port/shim.ts';
import { SysMsg } from '../../../port/sysmsg.ts';
import { encodeDirent, encodeOldDirent } from '../encode.ts';
import { toBytes } from '../paths/byte-string.ts';

/** The position of the first name of ours: no file system's own, and below 2^31, the limit of some. */
const FIRST = 0x7000_0000;

/** What is behind a name: DT_*, and its number. */
export interface Named {
  readonly type: number;
  readonly ino: number;
}

/** A directory's names that are not the kernel's, or not as the kernel has them. */
export interface Names {
  /** In an order to which names are only ever added. begins: as a listing begins. */
  all(begins: boolean): ReadonlySet<string>;
  /** undefined where there is nothing now. */
  look(name: string): Named | undefined;
  /** What programs know a number as; absent where they know it as the kernel does. */
  ino?(ino: bigint): bigint;
}

/** Of the kernel's entries those whose names are not ours, into the program's buffer: the bytes they take. */
function kept(
  entries: Buffer,
  { ino }: Names,
  ours: ReadonlySet<string>,
  isOld: boolean,
  into: Uint8Array,
): number {
  let used = 0;
  for (let at = 0; at + 19 <= entries.length; ) {
    const size = entries.readUInt16LE(at + 16);
    const from = at + (isOld ? 18 : 19);
    if (!ours.has(entries.toString('latin1', from, entries.indexOf(0, from)))) {
      if (ino !== undefined) entries.writeBigUInt64LE(ino(entries.readBigUInt64LE(at)), at);
      into.set(entries.subarray(at, at + size), used);
      used += size;
    }
    at += Math.max(size, 1);
  }
  return used;
}

/** Answers a getdents64 or getdents. */
export function list(msg: SysMsg, next: Next, names: Names): number {
  const seek = (offset: number, whence: number): number =>
    next(new SysMsg(c.SYS_lseek, [msg.fd, offset, whence], msg.td));
  const [, buffer, length] = msg.args as [unknown, unknown, number];
  let position = seek(0, c.SEEK_CUR);
  if (!ArrayBuffer.isView(buffer) || position < 0) return next(msg);
  const into = viewBytes(buffer).subarray(0, length);
  const isOld = msg.name === 'getdents';
  const ours = names.all(position === 0);
  if (position < FIRST || position > FIRST + ours.size) {
    for (;;) {
      const n = next(msg.with({ bufferLength: into.length }));
      if (n < 0) return n;
      if (n === 0) break;
      const used = kept(Buffer.from(into.subarray(0, n)), names, ours, isOld, into);
      if (used > 0) return used;
    }
    position = FIRST;
  }
  const encode = isOld ? encodeOldDirent : encodeDirent;
  let used = 0;
  for (const name of [...ours].slice(position - FIRST)) {
    const there = names.look(name);
    if (there !== undefined) {
      const size = encode(into, used, { ...there, name: toBytes(name), next: position + 1 });
      if (size === 0) {
        if (used === 0) return -c.EINVAL;
        break;
      }
      used += size;
    }
    position++;
  }
  const moved = seek(position, c.SEEK_SET);
  return moved < 0 ? moved : used;
}
