/** rlimit.ts: struct rlimit64 (16 bytes; prlimit(2)). */
import { object, safe } from '../integer.ts';
import { readBigU64, readU64 } from '../words.ts';

/** Infinity is RLIM_INFINITY. */
export interface Rlimit {
  /** What is enforced. */
  soft: number;
  /** What soft may be raised to. */
  hard: number;
}

const INFINITY = 0xffffffffffffffffn;

export function encodeRlimit(name: string, limit: Rlimit): Buffer {
  object(name, limit, '{ soft, hard }');
  const struct = Buffer.allocUnsafe(16);
  (['soft', 'hard'] as const).forEach((key, i) => {
    const value = limit[key];
    const bits = value === Infinity ? INFINITY : BigInt(safe(`${name}.${key}`, value, 0));
    struct.writeBigUInt64LE(bits, i * 8);
  });
  return struct;
}

export function decodeRlimit(struct: Buffer): Rlimit {
  const read = (at: number): number => (readBigU64(struct, at) === INFINITY ? Infinity : readU64(struct, at));
  return { soft: read(0), hard: read(8) };
}
