/** busy.test.ts: the busy server's answers wherever it computes; that light requests are answered while a heavy one computes; the load program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { cli, environment, lwkt } from '../../lwkt/test/lwkt.ts';

const file = (name: string): string => fileURLToPath(new URL(`../busy/${name}`, import.meta.url));
const PLACES = ['loop', 'userthread', 'preemptible'];
const FOR_EVER = '1000000000'; // hours

let server: ChildProcess | undefined;

/** Starts it, and says where it listens. */
async function start(...args: string[]): Promise<string> {
  server = spawn(process.execPath, [cli, 'run', file('busy.ts'), ...args], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(server.stdout as NodeJS.ReadableStream);
  const [line] = await Promise.race([once(lines, 'line'), once(server, 'exit')]);
  expect(line).toMatch(/^busy: http:\/\/127\.0\.0\.1:\d+\/$/);
  return String(line).slice('busy: '.length);
}

async function get(url: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(url);
  return { status: answer.status, body: await answer.text() };
}

afterEach(async () => {
  if (server && server.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
});

test.each(PLACES)('--on %s: the answers, and an end in order', async (place) => {
  const base = await start('--on', place, '--below', '10000');
  const heavy = Array.from({ length: 4 }, () => get(`${base}heavy`));
  const light = Array.from({ length: 20 }, () => get(`${base}light`));
  for (const answer of await Promise.all(heavy)) expect(answer).toEqual({ status: 200, body: '1229\n' });
  for (const answer of await Promise.all(light)) expect(answer).toEqual({ status: 200, body: 'light\n' });
  expect(await get(`${base}none`)).toEqual({ status: 404, body: 'no such page\n' });
  server?.kill('SIGTERM');
  expect(await once(server as ChildProcess, 'exit')).toEqual([0, null]);
});

test('--on preemptible: light requests are answered while heavy ones compute', async () => {
  const base = await start('--below', FOR_EVER);
  const heavy = [get(`${base}heavy`), get(`${base}heavy`)].map((answer) => answer.catch(() => 'never'));
  for (let i = 0; i < 20; i++) expect(await get(`${base}light`)).toEqual({ status: 200, body: 'light\n' });
  server?.kill('SIGKILL');
  expect(await Promise.all(heavy)).toEqual(['never', 'never']);
});

test('measure.ts: figures for each place', async () => {
  const args = ['--json', '--seconds', '0.2', '--below', '1000'];
  const { status, stdout, stderr } = await lwkt(['run', file('measure.ts'), ...args]);
  expect([status, stderr]).toEqual([0, '']);
  const figures = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(figures.map(({ place }) => place)).toEqual(PLACES);
  for (const { light, heavy, p50, p99 } of figures) {
    expect(Math.min(light, heavy)).toBeGreaterThan(0);
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
  }
});

test('wrong command lines: usage, status 2', async () => {
  const wrong: [string, string[]][] = [
    ['busy', ['--on', 'toString']],
    ['busy', ['--slice', '0']],
    ['busy', ['x']],
    ['measure', ['mars']],
    ['measure', ['--seconds', '0']],
  ];
  for (const [program, args] of wrong) {
    const { status, stderr } = await lwkt(['run', file(`${program}.ts`), ...args]);
    expect(stderr, String(args)).toMatch(new RegExp(`^usage: ${program} `));
    expect(status, String(args)).toBe(2);
  }
});
