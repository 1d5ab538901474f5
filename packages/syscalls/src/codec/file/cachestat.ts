/** cachestat.ts: struct cachestat_range and struct cachestat (cachestat(2)). */
import { object, safe } from '../integer.ts';
import { readU64 } from '../words.ts';

/** Bytes; length 0 reaches to the end of the file. */
export interface CachestatRange {
  offset: number;
  length: number;
}

/** Pages of a file. */
export interface Cachestat {
  cached: number;
  dirty: number;
  writeback: number;
  evicted: number;
  /** Of those evicted, the ones that are missed: memory has been short lately. */
  recentlyEvicted: number;
}

export function encodeCachestatRange(name: string, range: CachestatRange): Buffer {
  object(name, range, '{ offset, length }');
  const struct = Buffer.alloc(16);
  (['offset', 'length'] as const).forEach((key, i) => {
    const value = range[key];
    struct.writeBigUInt64LE(BigInt(safe(`${name}.${key}`, value, 0)), i * 8);
  });
  return struct;
}

export function decodeCachestat(struct: Buffer): Cachestat {
  return {
    cached: readU64(struct, 0),
    dirty: readU64(struct, 8),
    writeback: readU64(struct, 16),
    evicted: readU64(struct, 24),
    recentlyEvicted: readU64(struct, 32),
  };
}
