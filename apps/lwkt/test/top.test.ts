/** top.test.ts: `lwkt top` with programs that `lwkt run` has started. What each column says is tested in packages/core. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compare } from '../src/top/look.ts';
import { render } from '../src/top/table.ts';
import { cli, environment, fixture, lwkt } from './lwkt.ts';

type Child = ChildProcessByStdio<Writable, Readable, null> & { pid: number };

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-top-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const { TMPDIR } = process.env;
let directory: string;
let children: Child[] = [];

beforeEach(() => {
  process.env.TMPDIR = mkdtempSync(join(scratch, 't'));
  directory = join(process.env.TMPDIR, `lwkt-${process.getuid?.()}`);
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});

/** The next that it writes. */
function said(child: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('it has ended')));
    child.stdout.once('data', (text) => resolve(String(text)));
  });
}

/** Runs a program and waits until it says that it is ready. */
async function start(script: string, ...options: string[]): Promise<Child> {
  const child = spawn(process.execPath, [cli, 'run', ...options, fixture(`top/${script}`)], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as Child;
  children.push(child);
  await said(child);
  return child;
}

function ended(child: Child): Promise<void> {
  return new Promise((resolve) => child.removeAllListeners('exit').once('exit', () => resolve()));
}

const top = (...args: string[]) => lwkt(['top', ...args]);

describe('a process', () => {
  test('as JSON', async () => {
    const { pid } = await start('waits.mjs');
    const { status, stdout, stderr } = await top(String(pid), '--json');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.endsWith('\n') && stdout.trim().split('\n').length).toBe(1);
    const look = JSON.parse(stdout);
    expect(look.process).toMatchObject({ pid, script: fixture('top/waits.mjs'), node: process.version });
    const [main, busy] = look.rforks;
    expect(busy).toEqual({ id: 2, name: 'busy', state: 'busy', threads: [], ports: [] });
    const threads = Object.fromEntries(main.threads.map((td: { name: string }) => [td.name, td]));
    expect(threads.main).toMatchObject({ waitReason: 'sleep 2147483647 ms', stackSize: 1_048_576 });
    expect(threads['odd \u001b[2J name']).toMatchObject({ state: 'blocked', waitReason: 'promise' });
    expect(threads.yields).toMatchObject({ state: 'runnable', priority: 1 });
    expect(threads.yields.cpuPercent).toBeGreaterThan(threads.main.cpuPercent);
    expect(main.ports).toMatchObject([{ name: 'jobs', queued: 3, waiting: 0 }]);
  });

  test('as JSON lines, until nobody reads them', async () => {
    const { pid } = await start('waits.mjs');
    const command = `"${process.execPath}" "${cli}" top --json -i 0.1 ${pid} | head -n 3; echo "\${PIPESTATUS[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { env: environment(), encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    expect([stderr, lines.pop()]).toEqual(['', '0 0']);
    const looks = lines.map((line) => JSON.parse(line));
    expect(looks).toHaveLength(3);
    expect(looks[2].rforks[0].cpuCounted).toBeGreaterThan(looks[1].rforks[0].cpuCounted);
  });

  test('as one table, where the output is no terminal', async () => {
    await start('waits.mjs');
    const { status, stdout, stderr } = await top('--interval', '0.1');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^process \d+ .*waits\.mjs {2}node v\d/);
    expect(stdout).toMatch(/^rfork 1 "main": 3 userthreads, 1 runnable, event loop [\d.]+ % busy/m);
    expect(stdout).toMatch(/^rfork 2 "busy": busy, does not answer$/m);
    expect(stdout).toMatch(
      /^RFORK +ID +NAME +PRI +STATE +CPU% +CPU s +SWITCHES +PREEMPTED +STACK +QUEUE +WAITS FOR$/m,
    );
    expect(stdout).toMatch(/^ +1 +1 +main +12 +blocked .* sleep 2147483647 ms$/m);
    expect(stdout).toMatch(/^ +1 +3 +odd \?\[2J name +12 +blocked .* promise$/m);
    expect(stdout).toMatch(/^ +1 +2 +yields +1 +runnable +[\d.]+ +[\d.]+ +\d+ +\d+ +\d+K\/256K +0$/m);
    expect(stdout).toMatch(/^ +1 +jobs +- +3 +0$/m);
  });

  test.each([
    ['id', ['0', '1', '2', '3']],
    ['name', ['1', '3', '0', '2']],
  ])('sorted by %s', async (key, ids) => {
    await start('waits.mjs');
    const { stdout } = await top('--once', '-i', '0.1', '--sort', key);
    const table = stdout.slice(stdout.indexOf('RFORK'), stdout.indexOf('RFORK  PORT'));
    expect([...table.matchAll(/^ +1 +(\d+)/gm)].map(([, id]) => id)).toEqual(ids);
  });

  test('that ends while it is watched', async () => {
    const child = await start('idle.mjs');
    const watch = spawn(process.execPath, [cli, 'top', '--json', '-i', '0.1', String(child.pid)], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    watch.stderr.on('data', (text) => {
      stderr += text;
    });
    watch.stdout.once('data', () => child.stdin.end());
    const status = await new Promise((resolve) => watch.once('close', resolve));
    expect([status, stderr]).toEqual([1, `lwkt: process ${child.pid} has ended\n`]);
    expect(existsSync(join(directory, `${child.pid}.sock`))).toBe(false);
  });

  test('that is busy', async () => {
    const child = await start('idle.mjs');
    child.stdin.write('busy\n');
    await said(child);
    const { status, stdout, stderr } = await top('--once');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`lwkt: process ${child.pid} does not answer: its main thread is busy, or stopped\n`);
  });
});

describe('which process', () => {
  test('none', async () => {
    const { status, stderr } = await top();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lwkt: there is no process to look at: start the program by "lwkt run SCRIPT"/);
  });

  test('several: they are listed', async () => {
    const [one, two] = await Promise.all([start('idle.mjs'), start('idle.mjs')]);
    const { status, stdout, stderr } = await top('--json');
    expect([status, stdout]).toEqual([1, '']);
    const pids = [one.pid, two.pid].sort((a, b) => a - b);
    const list = pids.map((pid) => `  ${pid}  ${fixture('top/idle.mjs')}\n`).join('');
    expect(stderr).toBe(
      `lwkt: there are 2 processes to look at, choose one by its PID (lwkt top PID):\n${list}`,
    );
    expect((await top('--json', String(two.pid))).status).toBe(0);
  });

  test('one that was killed is not found, and its socket is removed', async () => {
    const child = await start('idle.mjs');
    const end = ended(child);
    child.kill('SIGKILL');
    await end;
    expect(readdirSync(directory)).toEqual([`${child.pid}.sock`]);
    expect((await top()).stderr).toMatch(/^lwkt: there is no process to look at/);
    expect(readdirSync(directory)).toEqual([]);
    expect(await top(String(child.pid))).toMatchObject({
      status: 1,
      stderr: `lwkt: there is no process ${child.pid}\n`,
    });
  });

  test('--no-top: it can’t be looked at', async () => {
    const { pid } = await start('idle.mjs', '--no-top');
    expect(existsSync(directory)).toBe(false);
    const { status, stderr } = await top(String(pid));
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^lwkt: process ${pid} can't be looked at: start the program by`));
  });

  test('a directory that is not ours alone is refused', async () => {
    writeFileSync(directory, '');
    const { status, stderr } = await top();
    expect([status, stderr]).toEqual([1, `lwkt: ${directory} is not a directory\n`]);
  });
});

/** What each drawing begins with: the terminal is to show what follows at once. */
const DRAWN = '\u001b[?2026h';

/** A terminal of so many columns and rows, made by script(1), in which lwkt runs; keys: what is typed when the table has been drawn more than once. */
function terminal(
  columns: number,
  rows: number,
  args: string[],
  keys: string,
): Promise<{ text: string; status: number | null }> {
  const command = `stty cols ${columns} rows ${rows}; exec "${process.execPath}" "${cli}" top ${args.join(' ')}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...environment(), TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  let typed = false;
  child.stdout.on('data', (piece) => {
    text += piece;
    if (typed || text.split(DRAWN).length <= 3) return;
    typed = true;
    child.stdin.write(keys);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ text, status }));
  });
}

describe.skipIf(spawnSync('script', ['--version']).error)('on a terminal', () => {
  test.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
  ])('the table is drawn again, fits, and %s ends it', async (_name, key) => {
    const { pid } = await start('waits.mjs');
    const { text, status } = await terminal(60, 12, [String(pid), '-i', '0.1'], key);
    expect(status).toBe(0);
    const looks = text.split(DRAWN).slice(1);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks[0]).toContain(`process ${pid}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's orders
    const lines = (looks[0] as string).replace(/\u001b\[[?\d;]*[a-zA-Z]/g, '').split(/\r*\n/);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
  });

  test('a process that ends: the status says so', async () => {
    const child = await start('idle.mjs');
    child.stdout.on('data', () => {});
    const shown = terminal(80, 24, ['-i', '0.1'], '');
    while ((await top('--json', '-i', '0.1', '--once')).status !== 0);
    child.stdin.end();
    const { text, status } = await shown;
    expect(status).toBe(1);
    expect(text).toContain(`process ${child.pid} has ended`);
  });
});

describe('a table', () => {
  const thread = {
    name: 'a',
    rfork: 1,
    native: false,
    priority: 12,
    state: 'blocked' as const,
    waitReason: 'port "日本語"',
    switches: 3,
    preemptions: 0,
    stackUsed: 8192,
    stackSize: 262_144,
    queued: 0,
  };
  const seen = (cpuCounted: number, cpuTimes: number[]) => ({
    time: 0,
    process: { pid: 1, title: 'node', script: null, node: 'v1', uptime: 1, rss: 1 },
    rforks: [
      {
        id: 1,
        name: 'main',
        state: 'running' as const,
        userthreads: cpuTimes.length - 1,
        runnable: 0,
        passes: 1,
        switches: 1,
        ipisSent: 0,
        ipisReceived: 0,
        loop: { idle: cpuCounted / 1e6, active: 0 },
        cpuCounted,
        threads: cpuTimes.map((cpuTime, id) => ({ ...thread, id, cpuTime })),
        remotePorts: [
          { name: 'far', inFlight: 2, sent: 9, failed: 1, latency: 1.25, latencyMax: 8 },
          { name: 'unused', inFlight: 0, sent: 0, failed: 0, latency: 0, latencyMax: 0 },
        ],
        ports: Array.from({ length: 9 }, (_, i) => ({ name: `p${i}`, owner: null, queued: 1, waiting: 0 })),
      },
    ],
  });
  const percents = (...looks: ReturnType<typeof seen>[]) =>
    (
      compare(...(looks as Parameters<typeof compare>)).rforks[0] as { threads: { cpuPercent: number }[] }
    ).threads.map(({ cpuPercent }) => cpuPercent);

  test('the share of CPU time is of the time since the look before', () => {
    expect(percents(seen(0, [0, 0]))).toEqual([null, null]);
    expect(percents(seen(1000, [100, 200]))).toEqual([10, 20]);
    expect(percents(seen(3000, [100, 1200, 50]), seen(1000, [100, 200]))).toEqual([0, 50, 2.5]);
    expect(percents(seen(500, [50, 0]), seen(1000, [100, 200]))).toEqual([10, 0]); // it counts anew
  });

  test.each([
    [20, 5],
    [80, 24],
    [200, 8],
  ])('%i columns and %i rows are enough', (columns, rows) => {
    const look = compare(
      seen(
        1000,
        Array.from({ length: 40 }, (_, i) => i),
      ),
      undefined,
    );
    const lines = render(look, 'cpu', { columns, rows });
    expect(lines.length).toBeLessThan(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(render(look, 'cpu').length).toBeGreaterThan(50);
  });
});
