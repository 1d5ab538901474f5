/**
 * trace.ts: the shim that prints every system call, one line each, in strace(1)'s format with -f and -T: userthread, call, reply, seconds.
 *
 *     3     openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 21 <0.000013>
 *
 * Not here: the text of a call (format/). A line is printed when its call has returned, so lines stand in the order of returns.
 *
 * Invariant: tracing changes nothing. A call answers and throws what it would without it; where lines can no longer be written, a warning
 * says so once, and the program goes on untraced.
 */

import { isMainThread } from 'node:worker_threads';
import { invalidType, isError, outOfRange } from '@libcr/core/internal';
import { nanoseconds } from '../clock.ts';
import type { CallName } from '../generated/rows.ts';
import { nodeFs } from '../node-fs.ts';
import { rowOf } from '../port/calls.ts';
import { checkShim, type Shim } from '../port/shim.ts';
import { formatCall, formatReply, formatUnknown, lengthsOf } from './format/index.ts';
import { writeAll } from './write-all.ts';

export interface TraceOptions {
  /**
   * Where the lines go: 'stderr' (default), a path (made, or truncated; a Worker adds to it), or a function that gets each line without its newline. Lines for a
   * file are gathered, and written at each turn of the event loop and at exit. Where writing fails, or the function throws, that is the end
   * of the trace: a warning (LIBCR_TRACE) says so, and the program goes on.
   */
  output?: string | ((line: string) => void) | undefined;
  /** The calls to print; all, if absent. */
  on?: readonly CallName[] | 'all' | undefined;
  /** How many bytes of data are shown, 0 to 2^31-1; 32 if absent, as strace. */
  stringLimit?: number | undefined;
}

const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = nodeFs.constants;
const STDERR = 2;
const GATHER = 65536;

/** Where lines go. */
interface Output {
  /** False from the first failure on. */
  working: boolean;
  print(line: string): void;
}

const STDERR_NAME = 'standard error';

/** Says that the trace ends here. `ending`: the process is about to exit. */
function warn(name: string, error: unknown, ending: boolean): void {
  const text = isError(error) ? error.message : String(error);
  const message = `cannot write the trace to ${name}: ${text}; the program goes on untraced`;
  if (ending) {
    // emitWarning() waits for the next tick, and none comes.
    process.emit('warning', Object.assign(new Error(message), { name: 'Warning', code: 'LIBCR_TRACE' }));
    return;
  }
  if (name === STDERR_NAME) {
    // The warning fails there as well. Node ignores that, but not where a worker's stderr (tsx has one) is piped there, too.
    const ignore = (): void => {};
    process.stderr.on('error', ignore);
    setImmediate(() => process.stderr.off('error', ignore)).unref();
  }
  process.emitWarning(message, { code: 'LIBCR_TRACE' });
}

/** What reads arguments runs code of theirs where they are odd enough (a getter, a valueOf), and that may throw. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Does what writes; a failure ends the output's work, with a warning. */
function attempt(output: Output, name: string, write: () => void, ending = false): void {
  if (!output.working) return;
  try {
    write();
  } catch (error) {
    output.working = false;
    warn(name, error, ending);
  }
}

/** Writes each line at once. */
function directOutput(name: string, write: (line: string) => void): Output {
  const output: Output = {
    working: true,
    print: (line) => attempt(output, name, () => write(line)),
  };
  return output;
}

/** Gathers lines for a file. */
function fileOutput(path: string): Output {
  // A Worker adds its lines to those of others, each flush at the end of the file.
  const fd = nodeFs.openSync(path, O_WRONLY | O_CREAT | O_APPEND | (isMainThread ? O_TRUNC : 0), 0o666);
  let lines: string[] = [];
  let size = 0;
  let planned = false;
  const flush = (ending?: boolean): void => {
    planned = false;
    const text = lines.join('');
    lines = [];
    size = 0;
    attempt(output, path, () => writeAll(fd, text), ending);
  };
  process.on('exit', () => {
    flush(true);
    attempt(output, path, () => nodeFs.closeSync(fd), true);
  });
  const output: Output = {
    working: true,
    print(line) {
      lines.push(`${line}\n`);
      size += line.length;
      if (size >= GATHER) flush();
      else if (!planned) {
        planned = true;
        setImmediate(flush).unref();
      }
    },
  };
  return output;
}

function outputOf(output: TraceOptions['output']): Output {
  if (typeof output === 'function') return directOutput('options.output', output);
  if (output === undefined || output === 'stderr')
    return directOutput(STDERR_NAME, (line) => writeAll(STDERR, `${line}\n`));
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
      if (!output.working) return next(msg);
      const row = rowOf(msg.number);
      const lengths = attempted(() => lengthsOf(row, msg.args));
      const begin = nanoseconds();
      let reply = -1;
      let ending: string | undefined;
      try {
        reply = next(msg);
        return reply;
      } catch (error) {
        ending = `= ? (${isError(error) ? error.name : typeof error})`;
        throw error;
      } finally {
        const seconds = Number(nanoseconds() - begin) / 1e9;
        const line = attempted(() => {
          const call =
            row === undefined
              ? formatUnknown(msg.number, msg.args)
              : formatCall(row, msg.args, reply, limit, lengths);
          return `${call} ${ending ?? formatReply(row, msg.args, reply)}`;
        });
        const shown = line ?? `${msg.name}(…) ${ending ?? `= ${reply}`}`;
        output.print(`${String(msg.td.id).padEnd(5)} ${shown} <${seconds.toFixed(6)}>`);
      }
    },
  };
  checkShim(shim);
  const output = outputOf(options.output);
  return shim;
}
