/** open-how.ts: struct open_how (24 bytes; openat2(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';

export interface OpenHow {
  /** O_*. */
  flags?: number;
  /** Of a file that is made; has to be absent or 0 where none is. */
  mode?: number;
  /** RESOLVE_*: what the path may not lead through. */
  resolve?: number;
}

export function encodeOpenHow(name: string, how: OpenHow): Buffer {
  if (typeof how !== 'object' || how === null) throw invalidType(name, 'of type object', how);
  const struct = Buffer.alloc(24);
  (['flags', 'mode', 'resolve'] as const).forEach((key, i) => {
    const value = how[key] ?? 0;
    if (typeof value !== 'number') throw invalidType(`${name}.${key}`, 'of type number', value);
    if (!Number.isSafeInteger(value) || value < 0)
      throw outOfRange(`${name}.${key}`, 'an integer >= 0', value);
    struct.writeBigUInt64LE(BigInt(value), i * 8);
  });
  return struct;
}
