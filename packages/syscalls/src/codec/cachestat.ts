/** cachestat.ts: struct cachestat_range and struct cachestat (cachestat(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { readU64 } from './stat.ts';

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
  if (typeof range !== 'object' || range === null) throw invalidType(name, '{ offset, length }', range);
  const struct = Buffer.alloc(16);
  (['offset', 'length'] as const).forEach((key, i) => {
    const value = range[key];
    if (typeof value !== 'number') throw invalidType(`${name}.${key}`, 'of type number', value);
    if (!Number.isSafeInteger(value) || value < 0)
      throw outOfRange(`${name}.${key}`, 'an integer >= 0', value);
    struct.writeBigUInt64LE(BigInt(value), i * 8);
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
