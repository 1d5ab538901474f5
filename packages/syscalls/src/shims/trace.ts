/**
 * trace.ts: the shim that prints every system call, one line each, in strace(1)'s format with -f and -T: userthread, call, reply, seconds.
 *
 *     3     openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 21 <0.000013>
 *
 * Not here: the text of a call (format.ts). A line is printed when its call has returned, so lines stand in the order of returns.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { invalidType, outOfRange } from '@libcr/core/internal';
import type { CallName } from '../generated/rows.ts';
import { rowOf } from '../port/calls.ts';
import { checkShim, type Shim } from '../port/shim.ts';
import { formatCall, formatReply } from './format.ts';

export interface TraceOptions {
  /**
   * Where the lines go: 'stderr' (default), a path (made, or truncated), or a function that gets each line without its newline. Lines for a
   * file are gathered, and written at each turn of the event loop and at exit.
   */
  output?: string | ((line: string) => void) | undefined;
  /** The calls to print; all, if absent. */
  on?: readonly CallName[] | 'all' | undefined;
  /** How many bytes of data are shown, 0 to 2^31-1; 32 if absent, as strace. */
  stringLimit?: number | undefined;
}

const STDERR = 2;
const RETRY_MS = 1;
const GATHER = 65536;

/** Writes all, even where standard error is a pipe that Node has made non-blocking. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return; // nobody reads it any more
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** Gathers lines for a file. */
function fileOutput(path: string): (line: string) => void {
  const fd = openSync(path, 'w', 0o666);
  let lines: string[] = [];
  let size = 0;
  let planned = false;
  const flush = (): void => {
    planned = false;
    const text = lines.join('');
    lines = [];
    size = 0;
    writeAll(fd, text);
  };
  process.on('exit', () => {
    flush();
    closeSync(fd);
  });
  return (line) => {
    lines.push(`${line}\n`);
    size += line.length;
    if (size >= GATHER) flush();
    else if (!planned) {
      planned = true;
      setImmediate(flush).unref();
    }
  };
}

function outputOf(output: TraceOptions['output']): (line: string) => void {
  if (typeof output === 'function') return output;
  if (output === undefined || output === 'stderr') return (line) => writeAll(STDERR, `${line}\n`);
  if (typeof output !== 'string') throw invalidType('options.output', 'of type string or function', output);
  return fileOutput(output);
}

/** A shim that prints system calls. Throws what opening the file throws. The idea: strace(1). */
export function trace(options: TraceOptions = {}): Shim {
  const limit = options.stringLimit ?? 32;
  if (typeof limit !== 'number') throw invalidType('options.stringLimit', 'of type number', limit);
  if (!Number.isInteger(limit) || limit < 0 || limit > 2 ** 31 - 1)
    throw outOfRange('options.stringLimit', 'an integer >= 0 and <= 2^31 - 1', limit);
  const shim: Shim = {
    name: 'trace',
    on: options.on ?? 'all',
    shim: (next) => (msg) => {
      const begin = process.hrtime.bigint();
      let reply = 0;
      let ending: string | undefined;
      try {
        reply = next(msg);
        return reply;
      } catch (error) {
        ending = `= ? (${(error as Error).name})`;
        throw error;
      } finally {
        const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
        const row = rowOf(msg.number);
        const call =
          row === undefined
            ? `syscall_${msg.number}(${msg.args.filter((arg) => arg !== undefined).join(', ')})`
            : formatCall(row, msg.args, ending === undefined ? reply : -1, limit);
        print(
          `${String(msg.td.id).padEnd(5)} ${call} ${ending ?? formatReply(reply)} <${seconds.toFixed(6)}>`,
        );
      }
    },
  };
  checkShim(shim);
  const print = outputOf(options.output);
  return shim;
}
