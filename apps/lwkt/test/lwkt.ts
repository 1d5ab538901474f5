/**
 * lwkt.ts: runs the built lwkt command as a child process, as all tests of lwkt and of the examples do. Needs
 * `npm run build`.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (!existsSync(cli)) throw new Error(`${cli} is missing: npm run build`);

export interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** stdout as it came. */
  bytes: Buffer;
}

export interface RunOptions {
  cwd?: string;
  /** The program; absent: this Node with lwkt. */
  command?: string[];
  /** Variables besides those of the tests. */
  env?: NodeJS.ProcessEnv;
}

/** A program from a shell does not see vitest's variables. */
export function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !/^(VITEST|NODE_OPTIONS|NODE_ENV|FORCE_COLOR|TINYPOOL)/.test(name)),
  );
}

/** Runs lwkt with args to its end. Rejects only if it cannot be started. */
export function lwkt(args: string[], options: RunOptions = {}): Promise<Result> {
  const [program, ...first] = options.command ?? [process.execPath, cli];
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, [...first, ...args], {
      cwd: options.cwd,
      env: { ...environment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const bytes = Buffer.concat(stdout);
      resolve({ status, signal, bytes, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** Starts lwkt with args, for tests that talk to it while it runs. said: stdout so far, after each piece of it. */
export function started(
  args: string[],
  said: (text: string) => void = () => {},
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [cli, ...args], { env: environment() });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
    said(text);
  });
  return child;
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

/** Compiles fixtures/programs/NAME.c. Returns the program's path. */
export function compiled(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lwkt-program-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  execFileSync('gcc', ['-O1', '-o', join(folder, name), fixture(`programs/${name}.c`)]);
  return join(folder, name);
}
