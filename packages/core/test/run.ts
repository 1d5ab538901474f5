/**
 * run.ts: starts a program below test/programs in a Node of its own, as the tests here do. LIBCR_NODE_FLAGS
 * (separated by blanks) are flags for every such Node: '--expose-gc --gc-interval=100 --stress-compaction',
 * '--stress-scavenge=50', '--stress-incremental-marking'.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface RunOptions {
  args?: string[];
  flags?: string[];
  env?: Record<string, string>;
  /** Milliseconds until the program counts as hung and is killed; the result then has signal 'SIGKILL'. */
  timeout?: number;
  /** Called with the process and all that it has written to stdout so far, at each new piece. */
  onStdout?: (child: { kill(signal: NodeJS.Signals): boolean }, text: string) => void;
}

export interface RunResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export const stressFlags: string[] = (process.env.LIBCR_NODE_FLAGS ?? '').split(' ').filter(Boolean);

/** Under stress flags everything takes 10 to 50 times as long: tests make fewer rounds then. */
export const stressed: boolean = stressFlags.length > 0;

export function programPath(name: string): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

/** Runs programs/NAME to its end. Never rejects for what the program does. */
export function runProgram(name: string, options: RunOptions = {}): Promise<RunResult> {
  const { args = [], flags = [], env = {}, timeout = 280_000, onStdout } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...stressFlags, ...flags, programPath(name), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...withoutVitest(), LIBCR_STRESSED: stressed ? '1' : '', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onStdout?.(child, stdout);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

/** The environment, without what would make the program behave otherwise than from a shell. */
function withoutVitest(): Record<string, string | undefined> {
  const { NODE_OPTIONS, NODE_V8_COVERAGE, NODE_ENV, ...rest } = process.env;
  return rest;
}

/** Runs a program that must end well; returns the JSON it printed. What went wrong is in the error's message. */
export async function outcome<T = Record<string, unknown>>(
  name: string,
  options: RunOptions = {},
): Promise<T> {
  const { status, signal, stdout, stderr } = await runProgram(name, options);
  const what = `${name} ${(options.args ?? []).join(' ')}`;
  const shown = `${what}: status ${status}, signal ${signal}\n${stdout}\n${stderr}`;
  if (status !== 0 || signal !== null) throw new Error(shown);
  const lines = stdout.trim().split('\n');
  try {
    return JSON.parse(lines.at(-1) as string) as T;
  } catch {
    throw new Error(`no JSON at the end of the output: ${shown}`);
  }
}
