/**
 * script.test.ts: calls that another process decides about (packages/syscalls/native/program/script), from the launcher's side: the supervisor is a small program in C
 * (programs/script/supervisor.c). What a program prints has to be what it prints without; and at the end no slot is in use.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, natively, scratch } from '../programs.ts';
import { supervisor, underSupervisor } from './scripted.ts';

const scripted = compile('script/scripted');

const RFORKS = [1, 2];
const ways = RFORKS.flatMap((rforks) => ['pass', 'call', 'back'].map((rule) => [rule, rforks] as const));
const optionsOf = (rforks: number) => ({ options: [`--rforks=${rforks}`], env: { LC_ALL: 'C' } });

describe.each(ways)('all calls, %s, on %i rforks', (rule, rforks) => {
  test.each(['data', 'processes'])('%s: as without', async (which) => {
    const native = await natively(scripted, [which], { cwd: scratch, env: { LC_ALL: 'C' } });
    expect(native.stdout).not.toMatch(/DIFFERS/);
    const { stdout, stderr, status, report } = await underSupervisor(
      [rule],
      scripted,
      [which],
      optionsOf(rforks),
    );
    expect([stdout, stderr, status]).toEqual([native.stdout, '', 0]);
    expect(report.used).toBe(0);
    expect(report.calls).toBeGreaterThan(which === 'data' ? 80 : 20);
    if (rule === 'call' && which === 'data') expect(report.shorts).toBeGreaterThan(3);
  });

  test('processes: the supervisor is told of each', async () => {
    const { report } = await underSupervisor([rule], scripted, ['processes'], optionsOf(rforks));
    expect(report.forked).toBe(5);
    expect(report.begun[0]).toBe(scripted);
    expect(report.begun.slice(1).map((path) => path.replace(/.*\//, ''))).toEqual(['echo', 'echo', 'sh']);
  });

  test('many calls of several threads', async () => {
    const { stdout, report } = await underSupervisor(
      [rule, 'want=121'],
      scripted,
      ['many', '300'],
      optionsOf(rforks),
    );
    expect([stdout, report.calls, report.used]).toEqual(['wrong 0\n', 2400, 0]);
  });
});

describe.each(RFORKS)('on %i rforks', (rforks) => {
  const run = (rules: string[], program: string, args: string[] = []) =>
    underSupervisor(rules, program, args, optionsOf(rforks));

  test('a path that is refused', async () => {
    const { stdout, stderr, status, report } = await run(['call', 'refuse=/etc/hostname'], 'cat', [
      '/etc/hostname',
      '/etc/passwd',
    ]);
    expect([stdout, stderr, status]).toEqual([
      readFileSync('/etc/passwd', 'utf8'),
      'cat: /etc/hostname: Permission denied\n',
      1,
    ]);
    expect(report.used).toBe(0);
  });

  test.each(['change', 'inplace'])('another path: %s', async (rule) => {
    const { stdout } = await run([`${rule}=/no/such/file,/etc/passwd`], 'cat', ['/no/such/file']);
    expect(stdout).toBe(readFileSync('/etc/passwd', 'utf8'));
  });

  test('a read that is answered', async () => {
    const { stdout } = await run(['call', 'input=some text\n'], 'cat');
    expect(stdout).toBe('some text\n');
  });

  test('what was read, and what is written, is changed', async () => {
    const file = join(scratch, 'small.txt');
    const text = `${'all of this '.repeat(20_000)}\n`; // more than a slot
    writeFileSync(file, text);
    expect((await run(['upper', 'want=0'], 'head', ['-c', '70', file])).stdout).toBe(
      text.toUpperCase().slice(0, 70),
    );
    for (const rule of ['shout', 'shout=behind'])
      expect((await run([rule, 'want=1,20'], 'head', ['-c', '50000', file])).stdout).toBe(
        text.toUpperCase().slice(0, 50_000),
      );
    const whole = await run(['shout', 'want=1'], 'dd', [`if=${file}`, 'bs=1M', 'status=none']);
    expect(whole.stdout).toBe(text.toUpperCase());
    expect(whole.report.shorts).toBeGreaterThan(0);
  });

  test('64 threads at once', async () => {
    const { stdout, report } = await run(['gather=64', 'want=121'], scripted, ['at-once', '64']);
    expect([stdout, report.calls, report.used]).toEqual(['64\n', 64, 0]);
  });

  test.each([0, 1])('a signal while the supervisor decides, %i more threads', async (threads) => {
    const rules = ['hold', 'want=73,121'];
    const interrupted = await run(rules, scripted, ['interrupt', `${threads}`]);
    expect(interrupted.stdout).toBe('-1 Interrupted system call 1\n');
    const restarted = await run(rules, scripted, ['restart', `${threads}`]);
    expect(restarted.stdout).toBe('7 - 1\n');
    expect([restarted.report.cancelled, restarted.report.calls, restarted.report.used]).toEqual([1, 2, 0]);
    expect((await run(rules, scripted, ['never-waits', `${threads}`])).stdout).toBe('7 - 1\n');
  });

  test('another call instead: what it writes is the program’s', async () => {
    expect((await run(['call'], scripted, ['link'])).stdout).toBe('0 0\n');
    expect((await run(['call', 'instead'], scripted, ['link'])).stdout).toBe('0 1\n');
  });

  test('what is said of memory and is wrong is EFAULT', async () => {
    const { stdout, stderr, report } = await run(['call', 'lie'], scripted, ['lies']);
    expect([stdout, stderr, report.used]).toEqual([`${'EFAULT '.repeat(6).trim()}\n`, '', 0]);
  });

  test('a program is killed while it waits', async () => {
    const script = `"${scripted}" at-once 8; echo $?`;
    const { stdout, report } = await run(['slay=8', 'want=121'], 'sh', ['-c', script]);
    expect([stdout, report.swept, report.used]).toEqual(['137\n', 8, 0]);
  });

  test('who asks', async () => {
    const { report } = await run(['call'], scripted, ['names']);
    expect(report.names).toEqual(['scripted', 'first', 'second', 'child', 'first']);
  });

  test('all slots are taken: calls wait', async () => {
    const { stdout, report } = await run(['call', 'want=121', 'full=300'], scripted, ['many', '20']);
    expect([stdout, report.calls, report.used]).toEqual(['wrong 0\n', 160, 0]);
  });

  test.each(['kill', 'detach'])('the supervisor is killed: %s', async (gone) => {
    const rules = ['call', 'die=5', 'want=121', ...(gone === 'detach' ? ['gone=detach'] : [])];
    const { stdout, signal } = await natively(
      supervisor,
      [...rules, '--', launcherPath(), `--rforks=${rforks}`, '--', scripted, 'orphans'],
      { cwd: scratch },
    );
    expect([stdout, signal]).toEqual([gone === 'detach' ? 'right 8 1\n' : '', 'SIGKILL']);
  });

  test('a shell’s pipeline', async () => {
    const script = 'seq 1 2000 | sort -r | sed s/1/x/ | (cat; echo end) | tail -n 3; exit 4';
    const { stdout, stderr, status, report } = await run(['call'], 'sh', ['-c', script]);
    const native = await natively('sh', ['-c', script]);
    expect([stdout, stderr, status]).toEqual([native.stdout, '', 4]);
    expect(report.used).toBe(0);
    expect(report.begun.length).toBeGreaterThan(5);
  });

  test.skipIf(!has('python3'))('python3, with subprocesses and threads', async () => {
    const script = `
import subprocess, threading
def run(n): results[n] = subprocess.run(['sh', '-c', f'echo {n}'], capture_output=True, text=True).stdout
results = [None] * 6
threads = [threading.Thread(target=run, args=(n,)) for n in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(results)`;
    const { stdout, stderr, report } = await run(['call'], 'python3', ['-c', script]);
    expect([stdout, stderr]).toEqual([`['0\\n', '1\\n', '2\\n', '3\\n', '4\\n', '5\\n']\n`, '']);
    expect(report.used).toBe(0);
  });
});

const isolates = (() => {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!isolates)('processes in another namespace of pids', async () => {
  const script = 'echo $$; sh -c "echo in; (echo sub); exit 3"; echo $?';
  const { stdout, report } = await underSupervisor(['call'], 'unshare', [
    ...['--pid', '--fork', '--mount-proc', 'sh', '-c'],
    script,
  ]);
  expect(stdout).toBe('1\nin\nsub\n3\n');
  expect([report.used, report.swept]).toEqual([0, 0]);
});

test('--script wants two descriptors, of such a memory', async () => {
  for (const [value, why] of [
    ['0', 'two descriptors, with a comma'],
    ['70,71', 'the descriptor is not open'],
    ['0,1', 'its memory can’t be mapped'],
  ]) {
    const { stderr, status } = await natively(launcherPath(), [`--script=${value}`, '--', 'true']);
    expect(stderr).toBe(`libcr: --script: ${why?.replace('’', "'")}\n`);
    expect(status).toBe(why?.startsWith('its') ? 125 : 2);
  }
});
