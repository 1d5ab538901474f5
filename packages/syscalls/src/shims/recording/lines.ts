/**
 * lines.ts: the file of a recording: JSON, an object a line. docs/shims/record.md describes it for its readers.
 *
 * First the header, last the end; between them threads, calls and clock readings, in the order in which calls returned. A line stands behind
 * the line of its thread.
 *
 * Not here: reading (read.ts) and writing (../record/writer.ts) the file.
 */
import type { EncodedArgument } from './argument.ts';
import type { EncodedBytes } from './bytes.ts';

/** Moves with every change that an older reader would take wrongly. */
export const VERSION = 1;

/** What was recorded, and where. */
export interface RecordingHeader {
  recording: 'libcr';
  version: number;
  /** Of @libcr/syscalls. */
  libcr: string;
  node: string;
  arch: string;
  /** When it began, in ISO 8601. */
  time: string;
  cwd: string;
  /** process.argv. */
  argv: string[];
  /** The program's file, where it was told: hash is its SHA-256 in hexadecimal. */
  script?: { path: string; hash: string };
  /** Whether clock readings and random numbers are in it. */
  clock: boolean;
}

/** A userthread at its first call. */
export interface ThreadLine {
  thread: number;
  name: string;
}

/** What a call threw: bad arguments, an abort, "would block". */
export interface Thrown {
  name: string;
  code?: string;
  message: string;
  /** What had been moved before. */
  bytesTransferred?: number;
  /** Thrown because the userthread was aborted, or a deadline passed: there has to be an abort in the replay, too. */
  abort?: true;
}

export interface CallLine {
  t: number;
  /** A number for a call that the table has not. */
  call: string | number;
  args: EncodedArgument[];
  /** >= 0, or -errno. One of reply, throws and waits is there. */
  reply?: number;
  throws?: Thrown;
  /** It had not returned when the recording ended. */
  waits?: true;
  /** Other userthreads, or the event loop, had a chance to run before it returned. */
  blocked?: true;
  /** What the kernel has written, an entry for each argument (or part of one) that it writes; absent: nothing. */
  out?: EncodedBytes[];
}

/** Whose answer it is; forms of one function have one name. */
export type ClockName =
  | 'Date.now'
  | 'Temporal.Now'
  | 'performance.now'
  | 'performance.timeOrigin'
  | 'performance.eventLoopUtilization'
  | 'process.hrtime'
  | 'process.uptime'
  | 'process.cpuUsage'
  | 'process.threadCpuUsage'
  | 'process.resourceUsage'
  | 'process.memoryUsage'
  | 'process.constrainedMemory'
  | 'process.availableMemory'
  | 'os.uptime'
  | 'os.freemem'
  | 'os.loadavg'
  | 'os.cpus'
  | 'Math.random'
  | 'crypto.randomBytes'
  | 'crypto.randomFill'
  | 'crypto.randomInt'
  | 'crypto.randomUUID'
  | 'crypto.getRandomValues'
  | 'crypto.generateKey'
  | 'crypto.generateKeyPair'
  | 'crypto.generatePrime';

export interface ClockLine {
  t: number;
  clock: ClockName;
  /** hrtime's, Temporal's and primes: a decimal number, as text. Bytes: base64. Objects: JSON, as text. */
  value: number | string;
}

/** The last line: how many lines are before it. */
export interface EndLine {
  end: number;
}

export type Line = RecordingHeader | ThreadLine | CallLine | ClockLine | EndLine;
