/**
 * lines.ts: treesum's output, byte for byte: sha256sum's lines with its escapes, and messages about what
 * could not be read. Written in blocking style: a full pipe makes the userthread wait, and a closed one, or a
 * full disk, throws an OutputError right here.
 */
import { getSystemErrorMap } from 'node:util';
import { sys } from '@libcr/syscalls';

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/** Node makes a new one at each call. */
const errors = getSystemErrorMap();

/** Standard output or standard error cannot be written. */
export class OutputError extends Error {
  override readonly name: string = 'OutputError';
  /** "EPIPE" */
  readonly code: string | undefined;

  constructor(fd: number, cause: unknown) {
    super(`${fd === 1 ? 'standard output' : 'standard error'}: ${describe(cause)}`, { cause });
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

/** "no space left on device". What is not a system call's error is a bug and is thrown again. */
function describe(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) throw error;
  return errors.get(errno)?.[1] ?? `error ${errno}`;
}

function print(fd: number, ...parts: (Buffer | string)[]): void {
  const line = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  try {
    for (let done = 0; done < line.length; ) done += sys.write(fd, line.subarray(done));
  } catch (error) {
    throw new OutputError(fd, error);
  }
}

/** sha256sum's escapes, for a name that would break its line; else the same Buffer. */
function escaped(name: Buffer): Buffer {
  const text = name.toString('latin1'); // one character a byte
  if (!/[\\\n\r]/.test(text)) return name;
  return Buffer.from(
    text.replace(/[\\\n\r]/g, (byte) => ESCAPES[byte] as string),
    'latin1',
  );
}

export function printSum(path: Buffer, digest: string): void {
  const name = escaped(path);
  print(1, name === path ? '' : '\\', digest, '  ', name, '\n');
}

/** "treesum: PATH: message" for a failed system call. */
export function printError(path: Buffer, error: unknown): void {
  print(2, 'treesum: ', escaped(path), `: ${describe(error)}\n`);
}
