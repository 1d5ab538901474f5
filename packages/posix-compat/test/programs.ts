/**
 * programs.ts: runs programs natively and under the launcher, each in a process of its own, and compiles those of test/programs. A program
 * that hangs is killed, and the result then has the signal SIGKILL.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launcherPath } from '../src/launcher.ts';
import { describeHung } from './hung.ts';

export interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
  /** The launcher's own. */
  options?: string[];
  /** Another launcher than the one that is shipped. */
  launcher?: string;
  /** ms, after which the program is killed, and `stderr` says what it was at. */
  timeout?: number;
  /** What a program prints on stderr that finds by itself that it does not go on: the same as if the time were over. */
  hangs?: RegExp;
}

const TIMEOUT = 250_000;

function run(
  command: string,
  args: string[],
  { cwd, env, input = '', timeout = TIMEOUT, hangs }: RunOptions,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    let timer: NodeJS.Timeout | undefined;
    const killHung = () => {
      clearTimeout(timer);
      hangs = undefined;
      stderr += describeHung(child.pid as number);
      process.kill(-(child.pid as number), 'SIGKILL'); // its children too
    };
    child.stderr.on('data', (piece) => {
      stderr += piece;
      if (hangs?.test(stderr)) killHung();
    });
    child.stdin.on('error', () => {}); // it ended without reading it
    child.stdin.end(input);
    timer = setTimeout(killHung, timeout);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

/** PROGRAM as it is. */
export function natively(program: string, args: string[] = [], options: RunOptions = {}): Promise<Result> {
  return run(program, args, options);
}

/** The same under the launcher. */
export function underLibcr(program: string, args: string[] = [], options: RunOptions = {}): Promise<Result> {
  return run(
    options.launcher ?? launcherPath(),
    [...(options.options ?? []), '--', program, ...args],
    options,
  );
}

export const scratch: string = mkdtempSync(join(tmpdir(), 'libcr-programs-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const sourceOf = (name: string) => fileURLToPath(new URL(`programs/${name}.c`, import.meta.url));

/** Compiles programs/ROOM/NAME.c, with more such files if it has `parts`. Returns the program's path, which ends in /NAME and the flags. */
export function compile(name: string, flags: string[] = [], parts: string[] = []): string {
  const program = join(scratch, [basename(name), ...flags].join(''));
  if (!existsSync(program))
    execFileSync('gcc', ['-O1', '-pthread', ...flags, '-o', program, ...[name, ...parts].map(sourceOf)]);
  return program;
}

let shims = 0;

/** Compiles a shim, of a file here or of text, as its users do. Returns the shared object's path. */
export function shim(source: string, flags: string[] = []): string {
  const object = join(scratch, `shim${shims++}.so`);
  const isText = source.includes('\n');
  const file = isText ? object.replace(/so$/, 'c') : fileURLToPath(new URL(source, import.meta.url));
  if (isText) writeFileSync(file, source);
  const all = ['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', `-I${dirname(launcherPath())}`, ...flags];
  execFileSync('gcc', [...all, file, '-o', object]);
  return object;
}

/** Builds a launcher with more in it (native/Makefile), one test file at a time. Returns its path. */
function launcherWith(...more: ('inject' | 'check')[]): string {
  const native = fileURLToPath(new URL('../native', import.meta.url));
  const words = more.map((name) => `${name.toUpperCase()}=1`);
  execFileSync('flock', [join(native, 'Makefile'), 'make', '-s', '-C', native, ...words]);
  return join(native, `../build-lib/${more.join('-')}/libcr`);
}

/** The launcher that disturbs its program (native/inject). */
export const disturbing = (): string => launcherWith('inject');

/** The one that looks at libcr's invariants at each delivery of signals (native/check); and one that does both. */
export const checking = (): string => launcherWith('check');
export const disturbingAndChecking = (): string => launcherWith('inject', 'check');

/** Whether a program is in PATH. */
export function has(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}
