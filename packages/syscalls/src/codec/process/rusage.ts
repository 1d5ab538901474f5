/** rusage.ts: struct rusage (144 bytes; getrusage(2)). */
import { readI64 } from '../integer.ts';
import { readTimeval, type Timeval } from '../signal/timespec.ts';

/** What has been used. Fields that Linux leaves 0 are not here. */
export interface Rusage {
  /** Processor time in user mode, and in the kernel. */
  utime: Timeval;
  stime: Timeval;
  /** The most memory there has been at once, in units of 1,024 bytes. */
  maxrss: number;
  /** Page faults without and with I/O. */
  minflt: number;
  majflt: number;
  /** Times that the file system has read and written. */
  inblock: number;
  oublock: number;
  /** Context switches of its own will, and others. */
  nvcsw: number;
  nivcsw: number;
}

export const decodeRusage = (struct: Buffer): Rusage => ({
  utime: readTimeval(struct, 0),
  stime: readTimeval(struct, 16),
  maxrss: readI64(struct, 32),
  minflt: readI64(struct, 64),
  majflt: readI64(struct, 72),
  inblock: readI64(struct, 88),
  oublock: readI64(struct, 96),
  nvcsw: readI64(struct, 128),
  nivcsw: readI64(struct, 136),
});
