/** tms.ts: struct tms (32 bytes; times(2)). */
import { readI64 } from '../integer.ts';

/** Processor time in clock ticks, of which a second has 100 (sysconf(_SC_CLK_TCK)). */
export interface Tms {
  utime: number;
  stime: number;
  /** Of children that have been waited for. */
  cutime: number;
  cstime: number;
}

export const decodeTms = (struct: Buffer): Tms => ({
  utime: readI64(struct, 0),
  stime: readI64(struct, 8),
  cutime: readI64(struct, 16),
  cstime: readI64(struct, 24),
});
