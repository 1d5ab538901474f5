/** open-how.ts: struct open_how (24 bytes; openat2(2)). */
import { object, safe } from '../integer.ts';

export interface OpenHow {
  /** O_*. */
  flags?: number;
  /** Of a file that is made; has to be absent or 0 where none is. */
  mode?: number;
  /** RESOLVE_*: what the path may not lead through. */
  resolve?: number;
}

export function encodeOpenHow(name: string, how: OpenHow): Buffer {
  object(name, how, 'of type object');
  const struct = Buffer.alloc(24);
  (['flags', 'mode', 'resolve'] as const).forEach((key, i) => {
    const value = how[key] ?? 0;
    struct.writeBigUInt64LE(BigInt(safe(`${name}.${key}`, value, 0)), i * 8);
  });
  return struct;
}
