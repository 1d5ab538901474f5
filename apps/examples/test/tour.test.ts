/** tour.test.ts: what `npm start` shows: every step runs, its code is the source's, and it ends as it says it does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { environment, lwkt, type Result } from '../../lwkt/test/lwkt.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const TOUR = [process.execPath, `${root}/tools/start/tour.mjs`];
const TITLES = [/^1\. checksums /m, /^2\. 1,000 userthreads /m, /^3\. a shim /m, /^4\. a server /m];

const tour = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<Result> =>
  lwkt(args, { command: TOUR, env });

/** Processes with that in their environment. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark);
    } catch {
      return false; // it has just ended, or is not ours
    }
  });
}

test('every step, with the code that runs and what it measured', async () => {
  const { status, stdout, stderr } = await tour(['--quick', '--patience', '1000']);
  expect([status, stderr]).toEqual([0, '']);
  for (const title of TITLES) expect(stdout).toMatch(title);
  expect(stdout).toMatch(/^ {3}userthreads +\d+\.\d\d s$/m);
  expect(stdout).toMatch(/^ {3}fs\.promises +\d+\.\d\d s +at (1|16|128) in flight/m);
  expect(stdout).toMatch(/^ {3}50 userthreads +\d+\.\d\d s/m);
  expect(stdout).toMatch(/^ {3}\/secret with it +EACCES: permission denied, open '…\/secret'$/m);
  for (const place of ['the event loop', 'a preemptible userthread each'])
    expect(stdout).toMatch(new RegExp(`^ {3}on ${place} +[0-9.]+ ms +[0-9.]+ ms`, 'm'));
  expect(stdout).not.toMatch(/cut off|[^\P{Cc}\n]/iu); // no control characters
  expect(stdout.trimEnd().split('\n').slice(-4)[0]).toBe('Where to go on:');

  const shown = [...stdout.matchAll(/\n\n((?: {5}.*\n|\n)+?)\n {3}\((\S+)\)\n/g)];
  expect(shown).toHaveLength(TITLES.length);
  for (const [, code, path] of shown) {
    const source = readFileSync(`${root}/${path}`, 'utf8');
    const lines = (code as string).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.length).toBeLessThanOrEqual(8);
    expect(source).toContain(lines.map((line) => line.slice(5)).join('\n'));
  }
});

test('a step that fails: exit code 1, and which one', async () => {
  const { status, stdout, stderr } = await tour(['--quick', '--patience', '1000'], { TMPDIR: '/nowhere' });
  expect(stderr).toMatch(/^tour: step 3 \(a shim that refuses a file\) failed: exit code 1$/m);
  expect(stdout).not.toMatch(/Where to go on/);
  expect(status).toBe(1);
});

test('a step that takes too long is cut off, and the next one begins', async () => {
  const { status, stdout, stderr } = await tour(['--patience', '0.001']);
  expect([status, stderr]).toEqual([0, '']);
  for (const title of TITLES) expect(stdout).toMatch(title);
  expect(stdout.match(/^ {3}Cut off: /gm)).toHaveLength(TITLES.length);
});

test('a reader that stops early: quiet, status 141', async () => {
  const pipe = ['-c', '"$@" --quick | head -n 1; echo "status $PIPESTATUS"', 'bash', ...TOUR];
  const { stdout, stderr } = await lwkt(pipe, { command: ['bash'] });
  expect([stdout.split('\n').slice(1), stderr]).toEqual([['status 141', ''], '']);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s: it ends, and nothing is left of the step that ran', async (signal, code) => {
  const mark = `LIBCR_TOUR_TEST=${process.pid}-${signal}`;
  const [name, value] = mark.split('=') as [string, string];
  const child = spawn(TOUR[0] as string, TOUR.slice(1), {
    env: { ...environment(), [name]: value },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (let output = ''; !output.includes('userthreads.mjs)'); )
    output += (await once(child.stdout, 'data'))[0];
  while (processesWith(mark).length < 3) await new Promise((resolve) => setTimeout(resolve, 5)); // the tour, the step, its subject
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([code, null]);
  while (processesWith(mark).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});
