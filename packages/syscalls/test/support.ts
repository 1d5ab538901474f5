/** support.ts: what the tests share: a folder of their own, code on a userthread, what an error looks like. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@libcr/core';
import { afterAll } from 'vitest';

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'libcr-syscalls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs fn on a userthread. */
export function onUserthread<R>(fn: () => R): () => Promise<Awaited<R>> {
  return () => run(fn);
}

/** The error that fn throws, as plain data; { returned } where it doesn't. */
export function errorOf(fn: () => unknown): Record<string, unknown> {
  try {
    return { returned: fn() };
  } catch (error) {
    const { message, cause } = error as Error;
    return {
      name: (error as Error).constructor.name,
      message,
      ...(error as object),
      ...(cause === undefined ? {} : { cause }),
    };
  }
}

/** The code of the error that fn throws. */
export function codeOf(fn: () => unknown): unknown {
  return errorOf(fn).code ?? 'no error';
}

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs one of programs/ in a process of its own. */
export function runProgram(name: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', name), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 250_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** Random integers in [0, below). LIBCR_SEED=N begins at N; the seed is printed. (mulberry32) */
export function randomOf(name: string): (below: number) => number {
  const seed = Number(process.env.LIBCR_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`${name}: LIBCR_SEED=${seed}`);
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
