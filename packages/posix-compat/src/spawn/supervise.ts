/**
 * supervise.ts: shims of TypeScript in front of a program: this process supervises it, by @libcr/syscalls/supervisor.
 *
 * That package is loaded where shims are given, and not before: spawn without them needs no other package.
 */
import { createRequire } from 'node:module';
import { invalidType, invalidValue, outOfRange } from './errors.ts';

/** What @libcr/syscalls' defineShim() returns, and its ready-made shims. */
export interface ShimOfCalls {
  readonly name: string;
  readonly on: readonly string[] | 'all';
  // biome-ignore lint/suspicious/noExplicitAny: the types are @libcr/syscalls', which need not be there
  readonly shim: (next: any) => (msg: any) => number;
}

/** How this process supervises a program. */
export interface ShimOptions {
  /**
   * Shims through which the program's system calls go, and those of the processes that it starts, the outermost first: @libcr/syscalls' defineShim(), and its ready-made
   * ones. They run in this process, on userthreads. Needs the package @libcr/syscalls.
   */
  shims?: readonly ShimOfCalls[] | undefined;
  /** With shims: what becomes of the program when this process ends before it: 'kill' (if absent), or 'detach': it goes on without shims. */
  onSupervisorExit?: 'kill' | 'detach' | undefined;
  /** With shims: milliseconds that they may take for a call, above 0 to 2^31-1; one that takes longer fails with ETIMEDOUT. No limit if absent. */
  shimTimeout?: number | undefined;
}

/** A system call that a program has made, as its shims have it. */
export interface ProgramCall {
  pid: number;
  /** The path of what the process runs. */
  program: string;
  tid: number;
  /** "openat" */
  name: string;
  args: readonly unknown[];
  /** >= 0, or -errno. */
  reply: number;
}

/** Of @libcr/syscalls/supervisor, what is used here. */
interface Supervisor {
  readonly descriptors: readonly [number, number];
  calls(): AsyncIterableIterator<ProgramCall>;
  end(): Promise<void>;
  close(): void;
}
type Make = new (options: { shims: readonly ShimOfCalls[]; onExit?: string; timeout?: number }) => Supervisor;

const MODULE = '@libcr/syscalls/supervisor';

function load(): Make {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(MODULE);
  } catch {
    const message = `spawn()'s option "shims" needs the package @libcr/syscalls, which is not installed`;
    throw Object.assign(new Error(message), { code: 'ERR_LIBCR_NO_SHIMS' });
  }
  return require(MODULE).Supervisor as Make;
}

/** Throws TypeError and RangeError; undefined where no shims are given. */
export function supervise({ shims, onSupervisorExit, shimTimeout }: ShimOptions): Supervisor | undefined {
  if (onSupervisorExit !== undefined && onSupervisorExit !== 'kill' && onSupervisorExit !== 'detach')
    throw invalidType('onSupervisorExit', "'kill' or 'detach'", onSupervisorExit);
  if (shimTimeout !== undefined && typeof shimTimeout !== 'number')
    throw invalidType('shimTimeout', 'a number', shimTimeout);
  if (shimTimeout !== undefined && !(shimTimeout > 0 && shimTimeout < 2 ** 31))
    throw outOfRange('shimTimeout', '> 0 and <= 2^31 - 1', shimTimeout);
  if (shims === undefined) {
    const alone = Object.entries({ onSupervisorExit, shimTimeout }).find(([, value]) => value !== undefined);
    if (alone !== undefined) throw invalidValue(`The "${alone[0]}" option needs the option "shims"`);
    return undefined;
  }
  if (!Array.isArray(shims)) throw invalidType('shims', 'an array of shims', shims);
  return new (load())({
    shims,
    ...(onSupervisorExit !== undefined && { onExit: onSupervisorExit }),
    ...(shimTimeout !== undefined && { timeout: shimTimeout }),
  });
}

export type { Supervisor };
