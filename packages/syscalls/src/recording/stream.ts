/**
 * stream.ts: the records of one stream, which is what one process did with one program: those that have gone from its window to the file's end, piece by piece, and then those in
 * the window.
 *
 * Not here: what a record says (record.ts). The other side is native/program/record/write/log.c.
 *
 * Invariant: it comes to an end whatever the file has: no piece is read twice.
 */
import type { RecordingFile } from './file.ts';

/** What windows begin at a multiple of: a stream is known by which. */
export const PAGE: number = 4096;
const MAGIC = 0x544e4554582d5243n; /* "CR-XTENT" */
const HEAD = 40;
const RECORD_HEAD = 32;

interface Extent {
  /** What there is of it. */
  size: number;
  isWhole: boolean;
  next: number;
  first: number;
  sequence: number;
}

function extentAt(file: RecordingFile, at: number): Extent | undefined {
  const head = file.bytes(at, HEAD);
  if (head === undefined || head.readBigUInt64LE(0) !== MAGIC) return undefined;
  const [size, next, first] = [8, 16, 24].map((i) => Number(head.readBigUInt64LE(i))) as [
    number,
    number,
    number,
  ];
  if (size < HEAD) return undefined;
  return {
    size: Math.min(size, file.size - at),
    isWhole: at + size <= file.size,
    next,
    first,
    sequence: head.readUInt32LE(32),
  };
}

/** Each in a buffer of its own extent. */
function* recordsOf(file: RecordingFile, at: number, { size, isWhole }: Extent): Generator<Buffer, boolean> {
  const bytes = file.bytes(at, size);
  if (bytes === undefined) return false;
  for (let i = HEAD; i + RECORD_HEAD <= size; ) {
    const length = bytes.readUInt32LE(i);
    if (length === 0) break;
    if (length < RECORD_HEAD || length % 8 !== 0 || length > size - i) return false;
    yield bytes.subarray(i, i + length);
    i += length;
  }
  return isWhole;
}

export function isStream(file: RecordingFile, stream: number): boolean {
  return extentAt(file, stream * PAGE) !== undefined;
}

/** Whole records, in their order. Answers, at its end, whether it got there: the file may be cut off, or damaged. */
export function* recordsOfStream(file: RecordingFile, stream: number): Generator<Buffer, boolean> {
  const place = stream * PAGE;
  const window = extentAt(file, place);
  if (window === undefined) return false;
  const seen = new Set<number>([place]);
  let count = 0;
  for (let at = window.first; at !== 0; count++) {
    const extent = seen.has(at) ? undefined : extentAt(file, at);
    if (extent === undefined) return false;
    seen.add(at);
    if (!(yield* recordsOf(file, at, extent))) return false;
    at = extent.next;
  }
  // Else the process was killed between the two, and the last piece has all of it.
  return window.sequence === count ? yield* recordsOf(file, place, window) : true;
}
