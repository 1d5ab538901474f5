/**
 * supervised-chaos.test.ts: shims of TypeScript that throw, wait, never answer and are aborted, before a program that does at random what makes it hard to keep account of it (programs/supervised/chaos.c),
 * while its processes are killed, stopped and signalled. Nothing hangs, the program comes to its end, no shim is busy, and no slot is left but as channel.h says (those `lost`, by a
 * process that was killed within a few instructions). And the supervisor is killed at any moment: then nothing is left of the program, or it goes on without.
 *
 * CI has some runs; LIBCR_CHAOS_RUNS=200 has as many of each kind. LIBCR_SEED=N makes the first of them with that seed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile } from '../programs.ts';

const RUNS = Number(process.env.LIBCR_CHAOS_RUNS ?? 6);
const FIRST = Number(process.env.LIBCR_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** More than a few, in a run, would be no accident. */
const LOST_MAX = 8;

const chaos = fileURLToPath(new URL('../programs/supervised/chaos.mjs', import.meta.url));
let group = 0;
let continuing: NodeJS.Timeout | undefined;
afterEach(() => {
  clearInterval(continuing);
  if (group > 0) killGroup('SIGKILL'); // of a test that has failed
  group = 0;
});

function killGroup(signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

interface Run {
  seed: number;
  rforks: number;
  onExit: 'kill' | 'detach';
  steps?: number;
}

/** Starts a supervisor with the program; it is there when this has come back. */
async function begun({ seed, rforks, onExit, steps = 40 }: Run) {
  console.log(`chaos: LIBCR_SEED=${seed} rforks=${rforks} onExit=${onExit}`);
  const program = compile('supervised/chaos', ['-static']);
  const args = [chaos, launcherPath(), program, seed, 3, steps, rforks, onExit].map(String);
  const supervisor: ChildProcess = spawn(process.execPath, ['--no-warnings', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const over = once(supervisor, 'close');
  const [stdout, stderr] = [supervisor.stdout, supervisor.stderr].map((stream) =>
    text(stream as NodeJS.ReadableStream),
  );
  const [first] = await once(supervisor.stdout as NodeJS.ReadableStream, 'data');
  group = Number(/^group (\d+)$/m.exec(String(first))?.[1]);
  continuing = setInterval(() => killGroup('SIGCONT'), 10); // who was stopped by one that has been killed
  return { supervisor, over, stdout: stdout as Promise<string>, stderr: stderr as Promise<string> };
}

const runs = Array.from(
  { length: RUNS },
  (_, i): Run => ({
    seed: (FIRST + i) % 2 ** 32,
    rforks: 1 + (i % 2),
    onExit: 'kill',
  }),
);

/** Whether a process of the group is there that is no zombie. */
function isAlive(): boolean {
  const lines = execFileSync('ps', ['-eo', 'pgid=,stat='], { encoding: 'utf8' }).split('\n');
  return lines.some((line) => new RegExp(`^ *${group} +[^Z]`).test(line));
}

test.each(runs)('it comes to its end: $seed', async (run) => {
  const { over, stdout, stderr } = await begun(run);
  const [status] = await over;
  const said = await stdout;
  expect([status, said.includes('done\n')], `${said}${await stderr}`).toEqual([0, true]);
  const { lost, used, ...rest } = JSON.parse(said.trim().split('\n').at(-1) as string);
  expect(rest).toMatchObject({ status: 0, signal: null, calls: expect.any(Number) });
  expect(used - lost).toBe(0);
  expect(lost).toBeLessThanOrEqual(LOST_MAX);
});

test.each(runs)('the supervisor is killed: nothing is left of the program: $seed', async (run) => {
  const { supervisor, over, stdout } = await begun({ ...run, steps: 10_000 });
  await after(run.seed % 200);
  supervisor.kill('SIGKILL');
  await over;
  while (isAlive()) await after(10);
  expect(await stdout).not.toContain('done');
});

test.each(runs)('the supervisor is killed: the program goes on without it: $seed', async (run) => {
  const { supervisor, over, stdout } = await begun({ ...run, onExit: 'detach' });
  await after(run.seed % 200);
  supervisor.kill('SIGKILL');
  const whole = await stdout; // when all have ended
  await over;
  while (isAlive()) await after(10);
  expect(whole).toContain('done\n');
});
