/**
 * spawn.ts: child_process.spawn, with the program under libcr. The process that is spawned is the launcher, which becomes the program:
 * its pid, its end and its descriptors are the program's.
 */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type SpawnOptions as NodeSpawnOptions,
  spawn as nodeSpawn,
  type StdioOptions,
} from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { launcherPath } from '../launcher.ts';
import { invalidType } from './errors.ts';
import { whyNot } from './find.ts';
import { launcherOptions, type ProgramOptions } from './options.ts';
import { type ProgramCall, type ShimOptions, type Supervisor, supervise } from './supervise.ts';
import { type SyscallTrace, syscallTrace } from './syscalls.ts';

export type { ProgramOptions } from './options.ts';

/** child_process.spawn's, and how libcr runs the program. */
export interface SpawnOptions extends NodeSpawnOptions, ProgramOptions, ShimOptions {}

/** As child_process.spawn has it: the streams are there where no `stdio` says otherwise. */
type ChildOf<Options> = Options extends { stdio: StdioOptions }
  ? ChildProcess
  : ChildProcessWithoutNullStreams;

/** The child process; with `trace: true` its system calls, too. */
export type Program<Options extends SpawnOptions = SpawnOptions> = ChildOf<Options> & {
  /** The system calls of the program and of those that it starts, as they come back; undefined without `trace: true`. */
  readonly trace: Options extends { trace: true } ? SyscallTrace : SyscallTrace | undefined;
  /**
   * With shims: all calls of the program and of those that it starts, as they come back, from when this is first read on: an async iterator, always the same. It has to be read
   * on then, or the program waits; leaving a for await loop ends it. undefined without shims.
   */
  readonly calls: Options extends { shims: readonly unknown[] }
    ? AsyncIterableIterator<ProgramCall>
    : AsyncIterableIterator<ProgramCall> | undefined;
};

type Stdio = Extract<StdioOptions, readonly unknown[]>;

/** All descriptors, one by one. */
function stdioOf(stdio: StdioOptions | undefined): Stdio {
  if (!Array.isArray(stdio)) return [stdio, stdio, stdio] as Stdio;
  return [...stdio, ...Array<undefined>(Math.max(0, 3 - stdio.length))];
}

/** What a shell is to run, as child_process.spawn says it. */
function inShell(shell: boolean | string | undefined, command: string, args: readonly string[]): string[] {
  if (!shell) return [command, ...args];
  return [shell === true ? '/bin/sh' : shell, '-c', [command, ...args].join(' ')];
}

/** For its caller the child is the program, in what is told of a failure, too. */
function nameAs(child: ChildProcess, command: string, args: readonly string[], argv0: string): void {
  Object.assign(child, { spawnfile: command, spawnargs: [argv0, ...args] });
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.syscall?.startsWith('spawn')) {
      const syscall = `spawn ${command}`;
      const message = `${syscall} ${error.code}`;
      Object.assign(error, { syscall, path: command, spawnargs: [...args], message });
    }
    if (child.listenerCount('error') === 1) throw error; // nobody but this: as without it
  });
}

/** The supervisor lasts as long as the program, and what that starts. */
function follow(child: ChildProcess, supervisor: Supervisor | undefined): void {
  let calls: AsyncIterableIterator<ProgramCall> | undefined;
  const get = (): AsyncIterableIterator<ProgramCall> | undefined => {
    calls ??= supervisor?.calls();
    return calls;
  };
  Object.defineProperty(child, 'calls', { get, enumerable: false, configurable: true });
  if (supervisor === undefined) return;
  child.once('exit', () => void supervisor.end());
  if (child.pid === undefined) supervisor.close(); // it has not begun
}

/** child_process.spawn, which may throw. */
function start(
  supervisor: Supervisor | undefined,
  file: string,
  args: readonly string[],
  options: NodeSpawnOptions,
): ChildProcess {
  try {
    return nodeSpawn(file, args, options);
  } catch (error) {
    supervisor?.close();
    throw error;
  }
}

/** A file that fails with that error where it is run. */
const FAILING = { ENOENT: '/nonexistent/program', EACCES: '/' };

/**
 * Starts a program, found as a shell finds it, with its threads as userthreads over rforks and each of its system calls caught: libcr
 * runs it, and what it starts. Arguments, options, the child process and its events are `child_process.spawn`'s, with the options
 * `rforks`, `trace`, `stats`, `policy`, `nativeShims`, `metrics`, `patch`, `deterministic`, `time`, `schedule` and `preemptIn`; and `shims`, with `onSupervisorExit` and `shimTimeout`.
 *
 * Does not block; callable from anywhere. Throws TypeError and RangeError for options that are none, or don't go together, and an Error with the code
 * ERR_LIBCR_NATIVE where there is no launcher for this machine. What can't be run by libcr (a set-user-ID program, one for another
 * machine, a kernel that forbids it) ends with 126 or 125 and a sentence on stderr.
 *
 * With `shims` this process' event loop has to turn for the program to go on: each call that a shim wants is served by it.
 *
 * With `trace: true` the stream `trace` has to be read, as stdout has to be: the program waits where nobody does.
 */
export function spawn<const Options extends SpawnOptions = { trace?: undefined }>(
  command: string,
  args?: readonly string[],
  options?: Options,
): Program<Options>;
export function spawn<const Options extends SpawnOptions>(
  command: string,
  options: Options,
): Program<Options>;
export function spawn(
  command: string,
  args?: readonly string[] | SpawnOptions,
  given?: SpawnOptions,
): Program {
  const list = Array.isArray(args) ? (args as readonly string[]) : [];
  const options = (Array.isArray(args) ? given : (given ?? (args as SpawnOptions | undefined))) ?? {};
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const { rforks, trace, stats, policy, nativeShims, metrics, patch, shell, argv0, stdio, ...others } =
    options;
  const { deterministic, time, schedule, preemptIn, shims, onSupervisorExit, shimTimeout, ...rest } = others;
  const [file, ...more] = inShell(shell, command, list) as [string, ...string[]];

  const descriptors = stdioOf(stdio);
  const traceFd = trace === true ? descriptors.length : undefined;
  const same = { deterministic, time, schedule, preemptIn };
  const run = { rforks, trace, stats, policy, nativeShims, metrics, patch, ...same };
  const said = launcherOptions(run, traceFd);
  const { cwd = '.', env = process.env } = rest;
  const folder = typeof cwd === 'object' && 'href' in cwd ? fileURLToPath(cwd) : cwd; // a URL, of whatever realm
  const why = whyNot(file, folder, env.PATH ?? '/bin:/usr/bin');
  const name = argv0 === undefined ? [] : [`--argv0=${argv0}`];
  const launcher = why === undefined ? launcherPath() : FAILING[why];
  const passed: Stdio = traceFd === undefined ? descriptors : [...descriptors, 'pipe'];
  const supervisor = supervise({ shims, onSupervisorExit, shimTimeout });
  const script = supervisor === undefined ? [] : [`--script=${passed.length},${passed.length + 1}`];
  const child = start(supervisor, launcher, [...said, ...script, ...name, '--', file, ...more], {
    ...rest,
    stdio: supervisor === undefined ? passed : [...passed, ...supervisor.descriptors],
  });
  follow(child, supervisor);
  nameAs(child, file, more, argv0 ?? file);
  const source = traceFd === undefined ? undefined : (child.stdio[traceFd] as Readable | undefined);
  return Object.assign(child, { trace: source && syscallTrace(source) }) as unknown as Program;
}
