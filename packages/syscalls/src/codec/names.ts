/** names.ts: names that end with a NUL, one after the other (listxattr(2)). */

export function decodeNames(bytes: Buffer, length: number): string[] {
  const text = bytes.toString('utf8', 0, Math.min(length, bytes.length));
  return text.split('\0').slice(0, -1);
}
