/**
 * supervise.ts: shims in front of a program: they run in this process, which serves the program's calls until it, and what it has started, have ended.
 */
import { subscribe } from 'node:diagnostics_channel';
import { resolve } from 'node:path';
import { Failure, UsageError } from '../errors.ts';

export interface SuperviseOptions {
  shims: string[];
  config?: string | undefined;
  onSupervisorExit?: string | undefined;
  shimTimeout?: string | undefined;
}

export interface Supervised {
  /** The launcher's, with the numbers that the descriptors have there. */
  options: string[];
  /** The supervisor's descriptors, and where the launcher is to have them. */
  descriptors: [at: number, fd: number][];
  /** Resolves when nothing runs under it any more. */
  end(): Promise<void>;
}

function exitOf(value: string | undefined): 'kill' | 'detach' | undefined {
  if (value === undefined || value === 'kill' || value === 'detach') return value;
  throw new UsageError(`--on-supervisor-exit must be kill or detach, not ${value}`);
}

function timeoutOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && milliseconds > 0 && milliseconds < 2 ** 31) return milliseconds;
  throw new UsageError(`--shim-timeout must be milliseconds above 0, to 2147483647, not ${value}`);
}

/** What is no shim, can't be one before programs, or has no room for its files, is a line on stderr. */
function made<R>(make: () => R): R {
  try {
    return make();
  } catch (error) {
    const { code = '', message, syscall } = error as NodeJS.ErrnoException;
    const isKernels = syscall !== undefined && /^E[A-Z0-9]+$/.test(code);
    if (!isKernels && !/^ERR_(LIBCR_NOT_FOR_PROGRAMS|INVALID_ARG_|OUT_OF_RANGE)/.test(code)) throw error;
    throw new Failure(message, { cause: error });
  }
}

/** A call that fails with EIO since a shim has thrown would be a riddle: the first error of each is said. */
function sayErrors(): void {
  const said = new Set<unknown>();
  subscribe('libcr:syscalls:shim-error', (published) => {
    const { shim, message, error } = published as {
      shim: string;
      message: { name: string; pid: number };
      error: unknown;
    };
    if (said.has(shim)) return;
    said.add(shim);
    const text = error instanceof Error ? error.stack : String(error);
    process.stderr.write(
      `lwkt: shim "${shim}", asked for ${message.name} of process ${message.pid}, which fails with EIO: ${text}\n`,
    );
  });
}

/** Numbers that are none of the program's. */
function freeNumbers(taken: readonly number[], count: number): number[] {
  const free: number[] = [];
  for (let fd = 3; free.length < count; fd++) if (!taken.includes(fd)) free.push(fd);
  return free;
}

/** taken: descriptors of the program's. undefined where no shims are named: then nothing of this is loaded. Throws UsageError and Failure. */
export async function supervise(
  options: SuperviseOptions,
  taken: readonly number[],
): Promise<Supervised | undefined> {
  const onExit = exitOf(options.onSupervisorExit);
  const timeout = timeoutOf(options.shimTimeout);
  if (options.shims.length === 0 && options.config === undefined) {
    if (onExit !== undefined) throw new UsageError('option --on-supervisor-exit needs --shim or --config');
    if (timeout !== undefined) throw new UsageError('option --shim-timeout needs --shim or --config');
    return undefined;
  }
  const folder = process.cwd();
  const from = resolve(folder, 'lwkt'); // packages are those that a module there would have
  const { namedShims } = await import('../shims.ts');
  const { importSupervisor } = await import('../script/packages.ts');
  const { shims } = await namedShims(from, { shims: options.shims, config: options.config, folder });
  const { Supervisor } = await importSupervisor(from);
  sayErrors();
  const places = freeNumbers(taken, 2);
  const supervisor = made(() => new Supervisor({ shims, onExit, timeout }));
  return {
    options: [`--script=${places}`],
    descriptors: places.map((at, i) => [at, supervisor.descriptors[i] as number]),
    end: () => supervisor.end(),
  };
}
