/** policy.test.ts: calls that a policy denies are answered with its errno, of the program and of what it starts, and do not reach the kernel. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type ProgramRule, spawn } from '../../src/index.ts';
import { compile, has, natively, scratch, underLibcr } from '../programs.ts';

async function run(policy: readonly ProgramRule[], command: string, args: string[] = []) {
  const child = spawn(command, args, { policy, env: { ...process.env, LC_ALL: 'C' } });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

test('a name is denied, with its family, in children and in what they exec', async () => {
  const folder = join(scratch, 'denied');
  const policy = [{ action: 'deny', on: ['mkdirat'], errno: 'EROFS' }] as const;
  const script = 'mkdir "$0"; (mkdir "$0"); exec mkdir "$0"';
  const { stderr, status } = await run(policy, 'sh', ['-c', script, folder]);
  expect(stderr.match(/Read-only file system/g)).toHaveLength(3);
  expect(status).toBe(1);
  expect(existsSync(folder)).toBe(false);
});

test('the first rule decides; EACCES if no errno is said; all but what is allowed', async () => {
  const policy = [
    { action: 'allow', on: ['write', 'execve', 'openat', 'read', 'pread64', 'fstat', 'newfstatat', 'close'] },
    { action: 'allow', on: ['mmap', 'munmap', 'mprotect', 'brk', 'arch_prctl', 'access', 'set_tid_address'] },
    { action: 'allow', on: ['set_robust_list', 'prlimit64', 'getrandom', 'rseq'] },
    { action: 'deny', on: ['write'], errno: 'EIO' },
    { action: 'deny' },
  ] as const;
  expect(await run(policy, '/bin/echo', ['x'])).toEqual({ stdout: 'x\n', stderr: '', status: 0 });
  const { stderr, status } = await run(policy, '/bin/mkdir', [join(scratch, 'no')]);
  expect(stderr).toContain('Permission denied');
  expect(status).toBe(1);
});

const hasStrace = has('strace');
test.skipIf(!hasStrace)(`the kernel does not see it${hasStrace ? '' : ' (strace is not here)'}`, async () => {
  const file = join(scratch, 'kernel');
  const launcher = (await import('../../src/launcher.ts')).launcherPath();
  const folder = join(scratch, 'unseen');
  const command = ['-f', '-e', 'trace=mkdir,mkdirat,openat', '-o', file, launcher];
  const shell = ['-c', '"$@" || true', 'sh', 'strace', ...command];
  execFileSync('sh', [...shell, '--policy=deny:mkdir', '--', '/bin/mkdir', folder], { stdio: 'ignore' });
  const seen = readFileSync(file, 'utf8');
  expect(seen).toContain('openat(');
  expect(seen).not.toContain('unseen');
});

test('the end of a program is never denied', async () => {
  const policy = [{ action: 'deny', on: ['exit_group', 'exit', 'rt_sigreturn'] }] as const;
  expect(await run(policy, 'sh', ['-c', 'trap "echo t" USR1; kill -USR1 $$; exit 7'])).toMatchObject({
    stdout: 't\n',
    status: 7,
  });
});

test("what is denied is not to be had from a ring of the program's own", async () => {
  const program = compile('rings');
  const [plain, unasked, ...denied] = await Promise.all([
    natively(program),
    run([{ action: 'deny', on: ['ptrace'] }], program),
    run([{ action: 'deny', on: ['mkdir'] }], program),
    run([{ action: 'deny', on: ['fsync'], errno: 'EIO' }], program),
    run(
      [
        { action: 'allow', on: ['io_uring_setup', 'io_setup'] },
        { action: 'deny', on: ['fsync'] },
      ],
      program,
    ),
  ]);
  const [io_uring, aio] = (plain.stdout.match(/: .*/g) ?? []) as [string, string];
  const EPERM = ': Operation not permitted';
  const lines = (first: string, second: string): string => `io_uring_setup${first}\nio_setup${second}\n`;
  expect(unasked.stdout).toBe(lines(io_uring, aio));
  expect(denied.map(({ stdout }) => stdout)).toEqual([
    lines(EPERM, aio),
    lines(EPERM, EPERM),
    lines(io_uring, aio),
  ]);
});

test('what would run without libcr does not run', async () => {
  const setuid = join(scratch, 'setuid-true');
  writeFileSync(setuid, readFileSync('/bin/true'));
  chmodSync(setuid, 0o4755);
  const { stderr, status } = await run([{ action: 'deny', on: ['mkdir'] }], 'sh', [
    '-c',
    `"${setuid}"; echo $? >&2; exit 9`,
  ]);
  expect(stderr).toContain(
    `libcr: ${setuid} runs with its owner's rights (set-user-ID or set-group-ID): the policy could not hold for it\n`,
  );
  expect(stderr).toMatch(/\n126\n$/);
  expect(status).toBe(9);
});

test('the trace shows it as any other that has failed', async () => {
  const policy = [{ action: 'deny', on: ['mkdir'], errno: 'ENOSPC' }] as const;
  const child = spawn('mkdir', [join(scratch, 'traced')], { policy, trace: true, stdio: 'ignore' });
  const calls = await child.trace.toArray();
  expect(calls.find(({ name }) => name === 'mkdir')).toMatchObject({ result: -1, errno: 'ENOSPC' });
});

test.each([
  ['deny:nosuch', 'nosuch: no such system call, in --policy'],
  ['deny:mkdir:EWHAT', 'EWHAT: no such error, in --policy'],
  ['forbid:mkdir', 'forbid: neither allow nor deny, in --policy'],
  ['deny:mkdir:EPERM:x', ':x: not such a rule, in --policy'],
])('the launcher: %s', async (rules, message) => {
  expect(await underLibcr('true', [], { options: [`--policy=${rules}`] })).toMatchObject({
    status: 2,
    stderr: `libcr: ${message}\n`,
  });
});

test.each([
  [{}, '"policy" option must be an array of rules'],
  [[1], '"policy[0]" option must be of type object'],
  [[{ action: 'log' }], `"policy[0].action" option must be 'allow' or 'deny'`],
  [[{ action: 'deny', on: 'open' }], '"policy[0].on" option must be'],
  [[{ action: 'deny', on: ['a,b'] }], '"policy[0].on" option must be'],
  [[{ action: 'deny', errno: 'no' }], '"policy[0].errno" option must be'],
  [[{ action: 'deny', path: '/etc/**' }], 'policy[0] has "path", which a program\'s rule can\'t have'],
])('spawn: %j', (policy, message) => {
  expect(() => spawn('true', [], { policy: policy as never })).toThrow(message);
});
