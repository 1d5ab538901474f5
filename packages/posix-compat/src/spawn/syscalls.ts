/**
 * syscalls.ts: a program's system calls as objects, from what the launcher writes: an object of JSON in each line, with arguments as
 * strace shows them.
 */
import { type Readable, Transform } from 'node:stream';

/** null for NULL; a number; what a string of the program's says, if all of it is shown; else strace's text: O_RDONLY|O_CLOEXEC. */
export type SyscallArgument = number | bigint | string | null;

/** A system call that has been made. */
export interface Syscall {
  /** The process, and the thread in it that made the call. */
  pid: number;
  tid: number;
  /** "openat" */
  name: string;
  args: SyscallArgument[];
  /** -1 where it has failed; null where nothing comes back, as of exit_group. */
  result: number | null;
  /** Why it has failed: "ENOENT". */
  errno?: string;
}

/** The calls in the order in which they came back. A stream of objects: it has to be read, or the program waits. */
export interface SyscallTrace extends Readable {
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<Syscall>;
  toArray(): Promise<Syscall[]>;
  on(event: 'data', listener: (call: Syscall) => void): this;
  on(event: string | symbol, listener: (...args: never[]) => void): this;
}

const ESCAPES: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/** A whole C string as strace shows it: what it says, in UTF-8. */
function unquote(text: string): string {
  const bytes: number[] = [];
  for (const [, octal, hexadecimal, escaped, plain] of text
    .slice(1, -1)
    .matchAll(/\\([0-7]{1,3})|\\x([0-9a-f]{2})|\\(.)|([^\\])/g)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (hexadecimal !== undefined) bytes.push(Number.parseInt(hexadecimal, 16));
    else bytes.push(escaped === undefined ? (plain as string).charCodeAt(0) : (ESCAPES[escaped] ?? 0));
  }
  return Buffer.from(bytes).toString();
}

/** One argument, from strace's text. */
export function decodeArgument(text: string): SyscallArgument {
  if (text === 'NULL') return null;
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return unquote(text);
  if (!/^(-?\d+|0x[0-9a-f]+)$/.test(text) || /^0\d/.test(text)) return text; // 0644 stays as it is
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function decodeLine(line: string): Syscall {
  const { args, ...call } = JSON.parse(line) as Omit<Syscall, 'args'> & { args: string[] };
  return { ...call, args: args.map(decodeArgument) };
}

/** The lines of source as objects. Ends where source does, however that is; a line that was cut off, as its process was killed, is dropped. */
export function syscallTrace(source: Readable): SyscallTrace {
  let rest = '';
  const trace = new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) this.push(decodeLine(line));
      done();
    },
  });
  const end = () => void trace.end();
  source.once('error', end).once('close', end).pipe(trace);
  return trace as unknown as SyscallTrace;
}
