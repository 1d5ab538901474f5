/**
 * record: the shim that writes each system call into a file: which userthread made it, its arguments, its answer, and what the kernel has
 * written. ../replay/ answers them from there.
 *
 * Not here: the form of the file (../recording/).
 *
 * Invariant: recording changes nothing. A call answers and throws what it would without it; where the file can no longer be written, a
 * warning says so once, and the program goes on unrecorded.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { curthread, stats, type UserThread } from '@libcr/core';
import { invalidType, isAbortOf, isError } from '@libcr/core/internal';
import { nodeFs } from '../../node-fs.ts';
import { rowOf } from '../../port/calls.ts';
import { checkShim, type Next, type Shim } from '../../port/shim.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { FOR_PROGRAMS, notForPrograms } from '../../supervisor/for-programs.ts';
import { checkKeys } from '../match.ts';
import { encodeCall, writtenPieces } from '../recording/argument.ts';
import { encodeBytes } from '../recording/bytes.ts';
import {
  type CallLine,
  type ClockName,
  type RecordingHeader,
  type Thrown,
  VERSION,
} from '../recording/lines.ts';
import { wrapClock } from '../recording/sources/index.ts';
import { Writer } from './writer.ts';

export type { RecordingHeader } from '../recording/lines.ts';

export interface RecordOptions {
  /** The file, which is made, or replaced. Only its owner may read it: what a program reads is in it. */
  file: string;
  /** Whether to record Date, performance.now(), process.hrtime() and Math.random(), too: until close(), and for the whole process. */
  clock?: boolean | undefined;
  /** The program's file: its path and its hash are recorded with it. */
  script?: string | undefined;
}

/** The shim, and a handle on its file. */
export interface Recorder extends Shim {
  /** Ends the recording: writes the last line. Also done when the process exits. Calls go on, unrecorded. Does not block; harmless when done. */
  close(): void;
}

function checkOptions(options: RecordOptions): void {
  checkKeys('options', options, ['file', 'clock', 'script']);
  const { file, clock, script } = options;
  if (typeof file !== 'string') throw invalidType('options.file', 'of type string', file);
  if (clock !== undefined && typeof clock !== 'boolean')
    throw invalidType('options.clock', 'of type boolean', clock);
  if (script !== undefined && typeof script !== 'string')
    throw invalidType('options.script', 'of type string', script);
}

function headerOf({ clock = false, script }: RecordOptions): RecordingHeader {
  const { version } = createRequire(import.meta.url)('@libcr/syscalls/package.json') as { version: string };
  return {
    recording: 'libcr',
    version: VERSION,
    libcr: version,
    node: process.version,
    arch: process.arch,
    time: new Date().toISOString(),
    cwd: process.cwd(),
    argv: [...process.argv],
    ...(script !== undefined && {
      script: {
        path: resolve(script),
        hash: createHash('sha256').update(nodeFs.readFileSync(script)).digest('hex'),
      },
    }),
    clock,
  };
}

function thrown(td: UserThread, error: unknown): Thrown {
  if (!isError(error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const { code, bytesTransferred } = error as { code?: unknown; bytesTransferred?: number };
  return {
    name,
    ...(typeof code === 'string' && { code }),
    message,
    ...(bytesTransferred !== undefined && { bytesTransferred }),
    ...(isAbortOf(td, error) && { abort: true as const }),
  };
}

class Recording {
  private readonly writer: Writer;
  private readonly threads = new WeakMap<UserThread, number>();
  private count = 0;
  /** Calls that have not returned, by their threads; there may be one in another where shims make calls. */
  private readonly pending = new Map<CallLine, UserThread>();
  private readonly inside = new Map<UserThread, number>();
  private open = true;
  private readonly restoreClock: (() => void) | undefined;

  constructor(options: RecordOptions) {
    const header = headerOf(options);
    this.writer = new Writer(options.file);
    this.writer.write(header);
    if (options.clock) this.restoreClock = wrapClock((name, read) => this.reading(name, read));
    process.once('exit', this.close);
  }

  call(next: Next, msg: SysMsg): number {
    if (!this.open) return next(msg);
    const { td } = msg;
    const row = rowOf(msg.number);
    const encoded = encodeCall(row, msg.args);
    const line: CallLine = { t: this.threadOf(td), call: row?.name ?? msg.number, args: encoded.args };
    this.pending.set(line, td);
    this.enter(td, 1);
    const { switches } = stats();
    try {
      const reply = next(msg);
      line.reply = reply;
      const out = writtenPieces(encoded, reply);
      if (out.some(({ length }) => length > 0)) line.out = out.map(encodeBytes);
      return reply;
    } catch (error) {
      line.throws = thrown(td, error);
      throw error;
    } finally {
      if (stats().switches !== switches) line.blocked = true;
      this.enter(td, -1);
      this.pending.delete(line);
      if (this.open) this.writer.write(line);
    }
  }

  readonly close = (): void => {
    if (!this.open) return;
    this.open = false;
    process.off('exit', this.close);
    this.restoreClock?.();
    for (const line of this.pending.keys()) this.writer.write({ ...line, waits: true });
    this.writer.write({ end: this.writer.lines });
    this.writer.close();
  };

  /** What is read on the way of a call is no affair of the program's: in a replay, it is not read. */
  private reading(clock: ClockName, read: () => number | string): number | string {
    const value = read();
    const td = curthread();
    if (!this.inside.has(td)) this.writer.write({ t: this.threadOf(td), clock, value });
    return value;
  }

  private enter(td: UserThread, by: number): void {
    const depth = (this.inside.get(td) ?? 0) + by;
    if (depth === 0) this.inside.delete(td);
    else this.inside.set(td, depth);
  }

  /** Threads are numbered in the order of their first calls. */
  private threadOf(td: UserThread): number {
    let thread = this.threads.get(td);
    if (thread === undefined) {
      thread = this.count++;
      this.threads.set(td, thread);
      this.writer.write({ thread, name: td.name });
    }
    return thread;
  }
}

/**
 * A shim that records system calls. Puts it on one port only, as the innermost thing that shall be recorded: what shims below it do is in the
 * answers. Throws TypeError for bad options, and what reading the script and opening the file throw. (rr(1) records a whole process so)
 */
export function record(options: RecordOptions): Recorder {
  checkOptions(options);
  const recording = new Recording(options);
  const shim: Recorder & { [FOR_PROGRAMS]: () => never } = {
    name: 'record',
    on: 'all',
    shim: (next) => (msg) => recording.call(next, msg),
    close: recording.close,
    [FOR_PROGRAMS]: () => {
      throw notForPrograms('record', '`lwkt record` records one, for `lwkt replay`');
    },
  };
  checkShim(shim);
  return shim;
}
