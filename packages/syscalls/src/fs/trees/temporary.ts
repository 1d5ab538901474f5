/**
 * temporary.ts: mkdtempDisposable: a new directory that removes itself, with all that is in it, at the end of a `using` block.
 *
 * Invariant: what is removed is what was made, wherever the working directory is by then.
 */
import { resolve } from 'node:path';
import { curthread } from '@libcr/core';
import { through } from '../../port/syscall-port.ts';
import { checkOptions, encoded } from '../arguments/arguments.ts';
import { mkdtemp } from '../directories.ts';
import type { Work } from '../forms/work.ts';
import { rm } from './removal.ts';

interface Made {
  path: string | Buffer;
  removal: () => Work<void>;
}

/** What to make of a new directory's path: its encoded form, and what removes it. */
function madeOf(path: string, cwd: string, encoding: Parameters<typeof encoded>[1]): Made {
  const full = resolve(cwd, path);
  return {
    path: encoded(Buffer.from(path), encoding),
    // What is gone already need not be removed.
    removal: () => rm(full, { recursive: true, force: true }),
  };
}

export interface DisposableDirectory {
  path: string;
  /** Removes it with all that is in it; harmless when it is gone. Blocks the running userthread only. */
  remove(): void;
  [Symbol.dispose](): void;
}

export interface AsyncDisposableDirectory {
  path: string;
  /** Removes it with all that is in it; harmless when it is gone. */
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function mkdtempDisposableSync(prefix: unknown, options?: unknown): DisposableDirectory {
  const { encoding } = checkOptions(options);
  const { path, removal } = madeOf(mkdtemp(prefix).run() as string, process.cwd(), encoding);
  const port = curthread().syscallPort;
  const remove = (): void => through(port, () => removal().run());
  return { path: path as string, remove, [Symbol.dispose]: () => remove() };
}

export async function mkdtempDisposable(
  prefix: unknown,
  options?: unknown,
): Promise<AsyncDisposableDirectory> {
  const { encoding } = checkOptions(options);
  const cwd = process.cwd();
  const port = curthread().syscallPort;
  const { path, removal } = madeOf((await mkdtemp(prefix).promise()) as string, cwd, encoding);
  const remove = async (): Promise<void> => through(port, () => removal().promise());
  const made = { path: path as string, remove, [Symbol.asyncDispose]: () => remove() };
  return Object.setPrototypeOf(made, null) as AsyncDisposableDirectory;
}
