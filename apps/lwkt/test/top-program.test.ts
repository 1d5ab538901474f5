/** top-program.test.ts: `lwkt top` with programs that `lwkt run -- PROGRAM` has started: their lwps, read from outside. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launcherPath } from '@libcr/posix-compat/spawn';
import { afterAll, afterEach, expect, test } from 'vitest';
import { lwkt } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-top-program-'));
const env = { ...process.env, TMPDIR: scratch };
const children: ChildProcess[] = [];
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const top = (...args: string[]) => lwkt(['top', ...args], { env: { TMPDIR: scratch } });

/** Compiles one of posix-compat's programs. */
function compile(name: string): string {
  const folder = new URL('../../../packages/posix-compat/test/programs/', import.meta.url);
  const program = join(scratch, basename(name));
  execFileSync('gcc', ['-w', '-O1', '-pthread', fileURLToPath(new URL(`${name}.c`, folder)), '-o', program]);
  return program;
}

/** Runs a program until it says something. */
async function start(program: string, args: string[], options: string[] = []): Promise<number> {
  const child = spawn(launcherPath(), [...options, '--', program, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid as number;
}

interface Thread {
  id: number;
  name: string;
  state: string;
  waitReason: string | null;
  cpuPercent: number;
  cpuTime: number;
}

async function look(
  pid: number,
): Promise<{ rforks: { id: number; userthreads: number; threads: Thread[] }[] }> {
  const { stdout, stderr, status } = await top('--json', '--once', '-i', '0.1', String(pid));
  expect([stderr, status]).toEqual(['', 0]);
  return JSON.parse(stdout);
}

const threadsOf = async (pid: number) => (await look(pid)).rforks.flatMap(({ threads }) => threads);

test('lwps with name, state and what they wait for', async () => {
  const pid = await start(compile('threads/sleepers'), []);
  let threads: Thread[] = [];
  const waiting = ['signal (pause)', 'futex', 'nanosleep (clock_nanosleep)'];
  do threads = await threadsOf(pid);
  while (threads.length < 3 || threads.some(({ state }) => state !== 'blocked')); // they have just begun
  threads.sort((a, b) => a.id - b.id);
  expect(threads.map(({ name }) => name)).toEqual(['sleepers', 'worker', 'sleeper']);
  expect(threads.map(({ waitReason }) => waitReason)).toEqual(waiting);
  expect(threads[0]?.id).toBe(pid);
  const { stdout } = await top('--once', '-i', '0.1', String(pid));
  expect(stdout).toMatch(new RegExp(`^process ${pid} {2}\\S+/sleepers {2}up \\d+ s {2}\\d+ MiB\n`));
  expect(stdout).toMatch(/^rfork 1: 3 lwps, 0 runnable, [\d.]+ % busy, \d+ switches$/m);
  expect(stdout).toMatch(
    /^RFORK +ID +NAME +PRI +STATE +CPU% +CPU s +SWITCHES +PREEMPTED +STACK +QUEUE +WAITS FOR$/m,
  );
  expect(stdout).toMatch(/^ +1 +\d+ +worker +6 +blocked +0\.0 +0\.00 +\d+ +0 +-\/\d+K +0 +futex$/m);
});

test('one with a single lwp: the kernel waits for it', async () => {
  const pid = await start('/bin/sh', ['-c', 'echo; read x']);
  let threads: Thread[];
  do threads = await threadsOf(pid);
  while (threads[0]?.state !== 'blocked');
  expect(threads).toMatchObject([{ id: pid, name: 'sh', waitReason: 'read' }]);
});

test('who computes has the CPU time, on two rforks', async () => {
  const script = `
import sys, threading
def compute():
    while True: pass
for _ in range(2): threading.Thread(target=compute, daemon=True).start()
print('up', flush=True)
sys.stdin.read()`;
  const python = execFileSync('sh', ['-c', 'python3 -c "import sys; print(sys.executable)"'], {
    encoding: 'utf8',
  });
  const pid = await start(python.trim(), ['-c', script], ['--rforks=2']);
  let threads: Thread[];
  do threads = await threadsOf(pid);
  while (threads.length < 3 || threads.filter(({ cpuTime }) => cpuTime > 5e7).length < 2);
  const [main, ...computing] = threads.sort((a, b) => a.id - b.id);
  expect(main).toMatchObject({ id: pid, state: 'blocked' });
  expect(computing).toHaveLength(2);
});

test('of the only one; several are listed; one that ends', async () => {
  const one = await start('/bin/sh', ['-c', 'echo; read x']);
  expect((await top('--once', '-i', '0.1')).stdout).toMatch(
    new RegExp(`^process ${one} {2}/bin/sh -c echo; read x `),
  );
  const two = await start('/bin/sh', ['-c', 'echo; read y']);
  expect((await top()).stderr).toContain(
    [one, two]
      .sort((a, b) => a - b)
      .map((pid) => `  ${pid}  /bin/sh -c echo; read ${pid === one ? 'x' : 'y'}\n`)
      .join(''),
  );
  children.at(-1)?.kill('SIGKILL');
  await once(children.at(-1) as ChildProcess, 'exit');
  expect(await top(String(two))).toMatchObject({ status: 1, stderr: `lwkt: there is no process ${two}\n` });
});

test('a thousand lwps that come and go are looked at without an error', async () => {
  const pid = await start(compile('threads/comes'), [], ['--rforks=2']);
  for (let i = 0; i < 3; i++) expect((await look(pid)).rforks.length).toBe(2);
});
