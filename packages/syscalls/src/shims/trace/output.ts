/**
 * output.ts: where the lines of a trace go: a descriptor or a function, each at once; a file, gathered.
 *
 * Invariant: what can't be written is no error of the program's: a warning says so, once, and the output is at its end.
 */
import { isMainThread } from 'node:worker_threads';
import { invalidType, isError } from '@libcr/core/internal';
import { nodeFs } from '../../node-fs.ts';
import { writeAll } from '../write-all.ts';

const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = nodeFs.constants;
const STDERR = 2;
const GATHER = 65536;

/** Where lines go. */
export interface Output {
  /** False from the first failure on. */
  working: boolean;
  /** What others may write whole lines to as well: a plain file, a device or a pipe. */
  readonly file?: string | undefined;
  /** Or they may give them to print(): whether it comes before or after what else they do does not matter. */
  readonly takesLater?: boolean;
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

/** A path of what a descriptor is, where more lines come to the end of what is there. */
function fileOf(fd: number): string | undefined {
  try {
    // As bigints: realpathSync, and so require(), goes by the last stat that was none, and takes a path's end for a pipe where that was one.
    const path = nodeFs.readlinkSync(`/proc/self/fd/${fd}`);
    const is = nodeFs.fstatSync(fd, { bigint: true });
    if (is.isFIFO()) return `/proc/${process.pid}/fd/${fd}`;
    const there = nodeFs.statSync(path, { bigint: true });
    return (is.isFile() || is.isCharacterDevice()) && there.dev === is.dev && there.ino === is.ino
      ? path
      : undefined;
  } catch {
    return undefined;
  }
}

/** Writes each line at once. */
function directOutput(name: string, write: (line: string) => void, file?: string): Output {
  const output: Output = {
    working: true,
    file,
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
    file: fileOf(fd),
    print(line) {
      lines.push(`${line}\n`);
      size += line.length;
      if (size >= GATHER) flush();
      else if (!planned) {
        planned = true;
        setImmediate(flush); // which the loop does not sleep before
      }
    },
  };
  return output;
}

export function outputOf(output: string | ((line: string) => void) | undefined): Output {
  if (typeof output === 'function')
    return Object.assign(directOutput('options.output', output), { takesLater: true });
  if (output === undefined || output === 'stderr')
    return directOutput(STDERR_NAME, (line) => writeAll(STDERR, `${line}\n`), fileOf(STDERR));
  if (typeof output !== 'string') throw invalidType('options.output', 'of type string or function', output);
  return fileOutput(output);
}
