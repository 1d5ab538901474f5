/** explore.test.ts: `lwkt explore` finds the seed with which a program goes wrong, and says how to have that run again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, lwkt } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A program with two threads that do `work`; it ends with `end`, an expression that has `number`. */
function compile(name: string, work: string, end: string): string {
  const program = join(scratch, name);
  writeFileSync(
    `${program}.c`,
    `#include <pthread.h>
#include <signal.h>
#include <stdio.h>
static volatile long number;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *first)
{
	(void)a, (void)b;
	${work}
	return NULL;
}
int main(void)
{
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, i ? &b : &a);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("number %ld\\n", number);
	return ${end};
}
`,
  );
  execFileSync('gcc', ['-O1', '-pthread', '-w', '-o', program, `${program}.c`]);
  return program;
}

const ADD = 'for (int i = 0; i < 50; i++) number = number + 1;';
const LOCK =
  'pthread_mutex_t *second = first == &a ? &b : &a; for (int i = 0; i < 3; i++) { pthread_mutex_lock(first); pthread_mutex_lock(second); number++; pthread_mutex_unlock(second); pthread_mutex_unlock(first); }';

describe('what is found', () => {
  test('an exit status; the same with one job and with several, and again by the command that it prints', async () => {
    const program = compile('status', ADD, 'number != 100 ? 7 : 0');
    const { stdout, status } = await lwkt(['explore', '--runs=200', '-j', '1', program]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^seed \d+: exit status 7\nnumber \d+\nagain: lwkt run --schedule=seed:\d+ -- /);
    expect(stdout).toMatch(/^in gdb: gdb .* --args .*libcr --schedule=seed:\d+ -- /m);
    const several = await lwkt(['explore', '--runs=200', '--jobs=3', program]);
    expect(several.stdout.split('\n').slice(0, 4)).toEqual(stdout.split('\n').slice(0, 4));
    const [, command = ''] = /^again: lwkt (.*)$/m.exec(stdout) ?? [];
    const [output] = /^number \d+$/m.exec(stdout) ?? [];
    expect(await lwkt(command.split(' '))).toMatchObject({ status: 7, stdout: `${output}\n` });
  });
  test('the shortest schedule that does the same: where threads take turns; the same with one job and with several, and again by its command', async () => {
    const program = compile('shrunk', ADD, 'number != 100 ? 7 : 0');
    const shrunkOf = (stdout: string) =>
      stdout.slice(stdout.indexOf('shrunk to ')).replace(/\n\d+ runs.*/, '');
    const { stdout } = await lwkt(['explore', '--jobs=1', program]);
    const shrunk = shrunkOf(stdout);
    const [, least, all] =
      /^shrunk to (\d+) of (\d+) decisions by \d+ runs: exit status 7$/m.exec(shrunk) ?? [];
    expect(Number(least)).toBeGreaterThan(0);
    expect(Number(least)).toBeLessThanOrEqual(3);
    expect(Number(all)).toBeGreaterThan(Number(least));
    expect(shrunk.match(/^ {2}thread \d/gm)).toHaveLength(Number(least));
    expect(shrunk).toMatch(
      /^ {2}thread [23] is interrupted at 0x[0-9a-f]+( \(work.*\))?, after \d+ instructions: thread [123]$/m,
    );
    expect(shrunk).toMatch(/^in gdb: gdb .* --args .*libcr --schedule=seed:\d+,list:\S+ -- /m);
    const without = (text: string) => text.replace(/ by \d+ runs/, '');
    expect(without(shrunkOf((await lwkt(['explore', '--jobs=3', program])).stdout))).toBe(without(shrunk));
    const [, command = ''] = /^again: lwkt (.*)$/m.exec(shrunk) ?? [];
    expect(command).toContain(',list:');
    const first = await lwkt(command.split(' '));
    expect(first.status).toBe(7);
    expect(await lwkt(command.split(' '))).toEqual(first);
    // none of them can be left out
    const [, list = ''] = /,list:(\S+)/.exec(command) ?? [];
    const decisions = list.split(',');
    for (const one of decisions) {
      const fewer = decisions.filter((other) => other !== one).join(',');
      expect((await lwkt(command.replace(list, fewer).split(' '))).status, one).toBe(0);
    }
  });
  test('what is in a library that is named: where it is, and again by the command', async () => {
    const program = join(scratch, 'in-library');
    const source = fileURLToPath(
      new URL('../../../packages/posix-compat/test/programs/schedule/in-library.c', import.meta.url),
    );
    const library = join(scratch, 'libadding.so.1');
    execFileSync('gcc', ['-O1', '-g', '-shared', '-fPIC', '-DLIBRARY', '-o', library, source]);
    execFileSync('gcc', ['-O1', '-pthread', '-o', program, source]);
    const { stdout, status } = await lwkt([
      'explore',
      '--runs=200',
      '--preempt-in',
      'libadding.so',
      program,
      library,
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^ {2}thread [23] is interrupted at \/.*\/libadding\.so\.1\+0x[0-9a-f]+( \(add_all.*\))?, after \d+ instructions: thread [123]$/m,
    );
    const [command = ''] = stdout.match(/(?<=^again: lwkt ).*,list:.*$/m) ?? [];
    expect(command).toContain(' --preempt-in=libadding.so ');
    expect((await lwkt(command.split(' '))).status).toBe(1);
  });
  test('a schedule is not shrunk by more runs than are wanted', async () => {
    const program = compile('few', ADD, 'number != 100 ? 7 : 0');
    const { stdout } = await lwkt(['explore', '--jobs=2', '--strategy=random', '--shrink-runs=2', program]);
    expect(stdout).toMatch(/^shrunk to \d+ of \d+ decisions by [12] runs/m);
    const none = await lwkt(['explore', '--shrink-runs=0', program]);
    expect(none.stdout).not.toContain('shrunk');
  });
  test('what goes wrong in any order needs no decision', async () => {
    const { stdout } = await lwkt(['explore', '--jobs=1', compile('always', '', '9')]);
    expect(stdout).toMatch(
      /^shrunk to 0 of \d+ decisions by \d runs?: exit status 9\n {2}by itself it goes wrong, too$/m,
    );
  });
  test('a deadlock', async () => {
    const { stdout, status } = await lwkt(['explore', '--runs=200', compile('deadlock', LOCK, '0')]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^seed \d+: deadlock\nlibcr: deadlock in process \d+: /);
    expect(stdout.match(/ waits in futex\(/g)).toHaveLength(3);
  });
  test('a signal', async () => {
    const { stdout } = await lwkt(['explore', '--runs=3', compile('signal', 'raise(SIGSEGV);', '0')]);
    expect(stdout).toMatch(/^seed 1: ended by SIGSEGV\n/);
  });
  test('what hangs', async () => {
    const { stdout } = await lwkt(['explore', '--runs=1', '--timeout=2', compile('hang', 'for (;;) ;', '0')]);
    expect(stdout).toMatch(/^seed 1: hangs: killed after 2 s\n/);
  });
  test('what --check does not like; it has the output and the seed', async () => {
    const program = compile('check', ADD, '0');
    const seeds = join(scratch, 'seeds');
    const check = `echo $LIBCR_SEED >> ${seeds}; grep -qx "number 100"`;
    const { stdout, status } = await lwkt(['explore', '--runs=200', '--jobs=1', '--check', check, program]);
    const [, seed] = /^seed (\d+): --check fails \(exit status 1\)\n/.exec(stdout) ?? [];
    expect(status).toBe(1);
    expect(readFileSync(seeds, 'utf8').trim().split('\n').at(-1)).toBe(seed);
  });
});

describe('--verify', () => {
  test('each seed is the same run again', async () => {
    const program = compile('verified', LOCK, '0');
    const { stdout, status } = await lwkt(['explore', '--verify', '--runs=20', program]);
    expect(stdout).toMatch(/^40 runs, \d+ a second: each seed is the same run again\n$/);
    expect(status).toBe(0);
  });
  test('what differs is found', async () => {
    const script = join(scratch, 'differs');
    writeFileSync(script, '#!/bin/sh\necho once >> "$0.count"\nwc -l < "$0.count"\n', { mode: 0o755 });
    const { stdout, status } = await lwkt(['explore', '--verify', '--runs=3', '--jobs=1', script]);
    expect(stdout).toMatch(/^seed 1: two runs differ\n- 1\n\+ 2\n2 runs, /);
    expect(status).toBe(1);
  });
});

test('nothing is found', async () => {
  const program = compile('nothing', '', '0');
  const { stdout, status } = await lwkt(['explore', '--runs=6', '--seed=10', '--strategy=pct:2', program]);
  expect({ stdout: stdout.replace(/, \d+ a second/, ''), status }).toEqual({
    stdout: '6 runs: nothing found\n',
    status: 0,
  });
});

test.each([
  [['explore'], 'explore: PROGRAM is missing'],
  [['explore', '--runs=0', 'true'], 'explore: --runs must be 1 to 9007199254740991, not 0'],
  [['explore', '--jobs=x', 'true'], 'explore: --jobs must be 1 to 1024, not x'],
  [
    ['explore', '--timeout=0', 'true'],
    'explore: --timeout must be more than 0, and 86400 seconds at most, not 0',
  ],
  [['explore', '--shrink-runs=-1', 'true'], 'explore: --shrink-runs must be 0 to 9007199254740991, not -1'],
  [['explore', './nosuch'], 'explore: ./nosuch: not found'],
  [
    ['explore', '--strategy=dance', 'true'],
    'explore: --schedule: no such strategy; there are random, pct:D (D from 1 to 16), round-robin and mixed',
  ],
])('lwkt %j', async (args, message) => {
  expect(await lwkt(args)).toMatchObject({ status: 2, stderr: `lwkt: ${message}; see lwkt --help\n` });
});

describe('descriptors that the shell has given', () => {
  const bash = (command: string) =>
    spawnSync('bash', ['-c', `lwkt() { "${process.execPath}" "${cli}" "$@"; }; ${command}`], {
      cwd: scratch,
      encoding: 'utf8',
    });
  writeFileSync(join(scratch, 'lines'), 'first\nsecond\nthird\n');

  test('a file is at the same place for each run, whoever reads it beside it', () => {
    const program = `sh -c 'read a <&5; read b <&5; test "$a $b $(cat <&5)" = "first second third" && echo x >&4'`;
    const { stdout, stderr, status } = bash(
      `lwkt explore --runs=20 --jobs=3 ${program} 5<lines 4>>out; wc -l <out`,
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toMatch(/^20 runs, \d+ a second: nothing found\n20\n$/);
    const moved = `sh -c 'read a <&3; test $a = second'`;
    const later = bash(`exec 3<lines; read line <&3; lwkt explore --runs=20 --jobs=3 ${moved}; cat <&3`);
    expect(later.stdout).toMatch(/^20 runs, \d+ a second: nothing found\nsecond\nthird\n$/); // and it is where it was
  });

  test('the commands for the same run again have it', () => {
    const { stdout } = bash(`lwkt explore --runs=1 --shrink-runs=0 sh -c 'read a <&3; exit 7' 3<lines`);
    expect(stdout).toMatch(new RegExp(`^again: .* 3<${join(scratch, 'lines')}$`, 'm'));
    const [, again = ''] = /^again: (.*)$/m.exec(stdout) ?? [];
    expect(bash(`${again}; echo $?`).stdout).toBe('7\n');
    const moved = bash(`exec 3<lines; read a <&3; lwkt explore --runs=1 --shrink-runs=0 false`);
    expect(moved.stdout).toMatch(/^again: .* 3<\S+ # descriptor 3 is at 6$/m);
  });

  test('a pipe is none of any run’s, which is said', () => {
    const program = `sh -c 'test ! -e /dev/fd/3'`;
    const { stdout, stderr } = bash(`lwkt explore --runs=2 ${program} 3< <(echo x)`);
    expect(stderr).toBe(
      'lwkt: no run has descriptor 3, which would have to be the same for each: it is a pipe\n',
    );
    expect(stdout).toMatch(/^2 runs, \d+ a second: nothing found\n$/);
    expect(bash('lwkt explore --runs=1 test ! -e <(echo x)').stderr).toMatch(
      /^lwkt: no run has descriptor 63, .*: it is a pipe\n$/,
    );
    expect(bash(`lwkt explore --runs=1 ${program} 40< <(echo x)`).stderr).toBe('');
  });
});
