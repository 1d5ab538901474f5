/** sysinfo.ts: struct sysinfo of x86-64 (112 bytes; sysinfo(2)). */
import { readI64 } from '../integer.ts';
import { readU64 } from '../words.ts';

export interface Sysinfo {
  /** Seconds. */
  uptime: number;
  /** Load over 1, 5 and 15 minutes. */
  loads: readonly [number, number, number];
  /** Memory and swap in units of memUnit bytes. */
  totalram: number;
  freeram: number;
  sharedram: number;
  bufferram: number;
  totalswap: number;
  freeswap: number;
  procs: number;
  memUnit: number;
}

/** Loads are fixed-point numbers with 16 bits after the point. */
const LOAD_SCALE = 65536;

export const decodeSysinfo = (struct: Buffer): Sysinfo => ({
  uptime: readI64(struct, 0),
  loads: [
    readU64(struct, 8) / LOAD_SCALE,
    readU64(struct, 16) / LOAD_SCALE,
    readU64(struct, 24) / LOAD_SCALE,
  ],
  totalram: readU64(struct, 32),
  freeram: readU64(struct, 40),
  sharedram: readU64(struct, 48),
  bufferram: readU64(struct, 56),
  totalswap: readU64(struct, 64),
  freeswap: readU64(struct, 72),
  procs: struct.readUInt16LE(80),
  memUnit: struct.readUInt32LE(104),
});
