/**
 * values.ts: what a call's argument is as bytes: a byte that says which of these it is, and what belongs to it. Lengths are 32 bits.
 *
 * | tag | then |
 * | --- | --- |
 * | absent, null | |
 * | int | 32 bits |
 * | number | a double: what is no such int |
 * | bigint | 64 bits |
 * | text | length, UTF-8 |
 * | bytes | length, and what the kernel only reads |
 * | room | length: what the kernel only writes |
 * | both | length, and what it reads and writes |
 * | list | 16 bits: how many buffers; bytes or room each |
 */
export const WIRE_VERSION = 1;

export const TAG = {
  absent: 0,
  null: 1,
  int: 2,
  number: 3,
  bigint: 4,
  text: 5,
  bytes: 6,
  room: 7,
  both: 8,
  list: 9,
} as const;

/** In front of an answer's pieces: the version, and the reply. */
export const ANSWER_HEAD = 9;
export const LENGTH = 4;
/** Buffers of a list: the kernel takes no more. */
export const LIST_MAX = 1024;
