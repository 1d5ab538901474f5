/** dirent.ts: struct linux_dirent64, one after the other in a buffer (getdents(2)). */

import { readBigI64, readBigU64 } from '../words.ts';
import { checkEncoding } from './path.ts';

export interface Dirent {
  /** A string, or a Buffer with encoding 'buffer'. */
  name: string | Buffer;
  /** DT_*; DT_UNKNOWN where the file system does not tell. */
  type: number;
  ino: bigint;
  /** Where the next one lies: for lseek. */
  off: bigint;
}

const HEADER = 19;

/** length: bytes the kernel, or a shim, says it has written. Entries that do not fit together end the list. */
export function decodeDirents(
  view: NodeJS.ArrayBufferView,
  length: number,
  encoding: 'utf8' | 'buffer',
): Dirent[] {
  checkEncoding(encoding);
  const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, Math.min(length, view.byteLength));
  const entries: Dirent[] = [];
  for (let at = 0; at + HEADER < bytes.length; ) {
    const size = bytes.readUInt16LE(at + 16);
    if (size <= HEADER || at + size > bytes.length) break;
    let end = at + HEADER;
    while (end < at + size && bytes[end] !== 0) end++;
    entries.push({
      name:
        encoding === 'buffer'
          ? Buffer.from(bytes.subarray(at + HEADER, end))
          : bytes.toString('utf8', at + HEADER, end),
      type: bytes[at + 18] as number,
      ino: readBigU64(bytes, at),
      off: readBigI64(bytes, at + 8),
    });
    at += size;
  }
  return entries;
}
