/**
 * doctor.test.ts: `lwkt doctor`, on the machine that runs the tests, where libcr works; and with a native
 * half that is none.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { cli, compiled, environment, fixture, lwkt } from './lwkt.ts';

interface Report {
  ok: boolean;
  findings: { state: string; name: string; value: string; advice?: string }[];
}

test('--json: one object, with everything that libcr needs', async () => {
  const { stdout, stderr, status } = await lwkt(['doctor', '--json']);
  expect(stderr).toBe('');
  const { ok, findings } = JSON.parse(stdout) as Report;
  expect(ok).toBe(true);
  const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]));
  for (const name of [
    'system',
    'glibc',
    'node',
    '@libcr/core',
    '@libcr/syscalls',
    'switch',
    'message',
    'system call',
    'launcher',
  ])
    expect(states[name], name).toBe('ok');
  for (const name of [
    'thread words',
    'preemption',
    'io_uring',
    'userthreads',
    'open files',
    'programs',
    'FSGSBASE',
  ])
    expect(['ok', 'note'], name).toContain(states[name]);
  const node = findings.find(({ name }) => name === 'node');
  expect(node?.value).toContain(`${process.versions.node}, ABI ${process.versions.modules}`);
  expect(status).toBe(0);
});

test('io_uring: what @libcr/syscalls has chosen, and why', async () => {
  const { stdout } = await lwkt(['doctor', '--json'], { env: { LIBCR_SYSCALLS_PATH: 'readiness' } });
  const { findings } = JSON.parse(stdout) as Report;
  const { state, value } = findings.find(({ name }) => name === 'io_uring') ?? {};
  expect([state, value]).toEqual([
    'note',
    expect.stringContaining('not used: LIBCR_SYSCALLS_PATH=readiness'),
  ]);
});

test('a kernel that does not dispatch system calls: programs do not run, and it is said; the rest works', async () => {
  const command = [compiled('without-dispatch'), process.execPath, cli];
  const { stdout, status } = await lwkt(['doctor', '--json'], { command });
  const { ok, findings } = JSON.parse(stdout) as Report;
  expect([status, ok]).toEqual([0, true]);
  expect(findings.find(({ name }) => name === 'programs')).toMatchObject({
    state: 'note',
    value: expect.stringContaining('the kernel does not dispatch system calls to user mode'),
    advice: expect.stringContaining('PR_SET_SYSCALL_USER_DISPATCH'),
  });
  expect(await lwkt(['run', '--', 'true'], { command })).toMatchObject({
    status: 125,
    stdout: '',
    stderr: expect.stringMatching(/^libcr: the kernel does not dispatch system calls.*\n$/),
  });
});

test('as text: a line for each finding, and a verdict', async () => {
  const { stdout, status } = await lwkt(['doctor']);
  expect(stdout).toMatch(/^ok {6}system +linux /);
  expect(stdout).not.toContain('MISSING');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('libcr works here.');
  expect(status).toBe(0);
});

describe('without the native half', () => {
  // Preloaded: with another ABI none is found.
  const hide = 'data:text/javascript,Object.defineProperty(process.versions,"modules",{value:"1"})';

  function run(...args: string[]): { stdout: string; stderr: string; status: number | null } {
    const command = ['--import', hide, cli, ...args];
    return spawnSync(process.execPath, command, { env: environment(), encoding: 'utf8' });
  }

  test('doctor says what is missing and what to do about it: status 1', () => {
    const { stdout, status } = run('doctor');
    expect(stdout).toMatch(/^MISSING @libcr\/core +@libcr\/core has no native half.*\n +→ .*npm run build/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('libcr does not work here: see what is MISSING.');
    expect(status).toBe(1);
  });

  test('run says the same, and points to doctor', () => {
    const { stdout, stderr, status } = run('run', fixture('commonjs/argv.cjs'));
    expect(stderr).toMatch(/^lwkt: @libcr\/core has no native half(.*\n)*lwkt: "lwkt doctor" says more\n$/);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});
