/**
 * under-shims.ts: runs programs under shims of TypeScript, by a Supervisor of this process, and says what is left of them when all have ended.
 *
 * What people use, spawn's option `shims`, is tested in supervised.test.ts; this is for tests that look at the supervisor, too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { Shim } from '@libcr/syscalls';
import { Supervisor, type SupervisorOptions } from '@libcr/syscalls/supervisor';
import { launcherPath } from '../../src/launcher.ts';
import type { Result, RunOptions } from '../programs.ts';

/** ms, after which the program and its children are killed. */
const TIMEOUT = 250_000;

/** What a supervisor has when no process runs under it any more. */
export interface Rest {
  /** Calls that shims were asked for. */
  calls: number;
  /** Calls that shims are still busy with. */
  busy: number;
  /** Slots that are taken. */
  used: number;
  /** Of those: by a process that was killed before it could say that it has it, or when it gave it back. */
  lost: number;
}

export interface Shimmed extends Result {
  rest: Rest;
}

interface Inside {
  desk: { slots: { used(): Iterable<number>; at(slot: number): number; word(at: number): number } };
}
const SLOT_PID = 16;

export function restOf(supervisor: Supervisor): Rest {
  const { slots } = (supervisor as unknown as Inside).desk;
  const used = [...slots.used()];
  const { calls, busy } = supervisor.stats();
  return {
    calls,
    busy,
    used: used.length,
    lost: used.filter((slot) => slots.word(slots.at(slot) + SLOT_PID) === 0).length,
  };
}

/** Until no process runs under it, and no shim is busy. */
export async function settled(supervisor: Supervisor): Promise<void> {
  while (supervisor.processes.some(({ pid }) => pid > 0) || supervisor.stats().busy > 0) await after(5);
}

export interface ShimmedOptions extends RunOptions {
  onExit?: SupervisorOptions['onExit'];
  /** The supervisor's own option timeout. */
  shimTimeout?: number;
  /** With the program's process, when it has been started. */
  began?: (pid: number, supervisor: Supervisor) => void;
}

/** PROGRAM under the launcher, under shims, until it and all that it has started have ended. */
export async function underShims(
  shims: readonly Shim[],
  program: string,
  args: readonly string[] = [],
  given: ShimmedOptions = {},
): Promise<Shimmed> {
  const { options = [], cwd, env, input = '', timeout = TIMEOUT, began, onExit, shimTimeout } = given;
  using supervisor = new Supervisor({ shims, onExit, timeout: shimTimeout });
  const command = [...options, '--script=3,4', '--', program, ...args];
  const child = spawn(launcherPath(), command, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...supervisor.descriptors],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (piece: string) => {
      texts[name] += piece;
    });
  child.stdin?.on('error', () => {}); // it ended without reading it
  child.stdin?.end(input);
  began?.(child.pid as number, supervisor);
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), timeout);
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await settled(supervisor);
  return { ...texts, status, signal, rest: restOf(supervisor) };
}
