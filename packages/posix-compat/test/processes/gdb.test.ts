/**
 * gdb.test.ts: libcr-gdb.py lists lwps with what they wait for and their stacks, and leaves the process as it was; and a gdb that is itself under libcr debugs
 * a program as it does natively.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, scratch, underLibcr } from '../programs.ts';

/** Why it can't be tried here, or undefined. */
function why(): string | undefined {
  if (!has('gdb')) return 'gdb is not here';
  const scope = '/proc/sys/kernel/yama/ptrace_scope';
  const closed = existsSync(scope) && readFileSync(scope, 'utf8').trim() !== '0';
  return closed && process.getuid?.() !== 0 ? 'ptrace_scope is not 0' : undefined;
}

const not = why();

test.skipIf(not !== undefined)(`info lwps, lwp${not === undefined ? '' : ` (${not})`}`, async () => {
  const child = spawn(launcherPath(), ['--', compile('threads/sleepers', ['-g'])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child.stdout, 'data');
    const script = join(dirname(launcherPath()), 'libcr-gdb.py');
    const commands = [
      `source ${script}`,
      'lwp 3',
      'info lwps',
      'lwp all',
      `lwp ${child.pid} info registers rip`,
    ];
    const args = [
      '-q',
      '-nx',
      '-batch',
      '-p',
      String(child.pid),
      ...commands.flatMap((command) => ['-ex', command]),
    ];
    const { stdout, stderr } = await promisify(execFile)('gdb', args, { timeout: 250_000 });
    expect(stdout).toMatch(/^ *\d+ {2}sleeper +nanosleep +\S*nanosleep/m);
    expect(stdout).toMatch(/^ *\d+ {2}worker +futex +\S/m);
    expect(stdout).toMatch(new RegExp(`^ *${child.pid}  sleepers\\S* +signal +\\S*pause`, 'm'));
    expect(stdout).toMatch(/^#\d+ .* waits_for_lock \(\)/m);
    expect(stdout).toMatch(/^#\d+ .* sleeper \(/m);
    expect(stdout).toMatch(/^#\d+ .* main \(\)/m);
    expect(stdout).toMatch(/^rip +0x\w+ +0x\w+ <\S*pause\S*>$/m);
    expect(stderr).toContain('there is no lwp 3');
    child.kill('SIGTERM'); // it goes on as it was: it takes its signal
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  } finally {
    child.kill('SIGKILL');
  }
});

// in virtual time, and while it is recorded, rdtsc is caught: not in what gdb runs
const modes = ['--rforks=1', '--rforks=2', '--time=virtual', '--record'];

test.skipIf(not !== undefined).each(modes)(
  `gdb under libcr, %s: breakpoints, threads, steps${not === undefined ? '' : ` (${not})`}`,
  async (mode) => {
    const commands = [
      'break adds',
      'run',
      'bt',
      'info threads',
      'next',
      'next',
      'print sum',
      'step',
      'continue',
    ];
    const args = ['-q', '-nx', '-batch', ...commands.flatMap((command) => ['-ex', command])];
    const { stdout, stderr, status } = await underLibcr(
      'gdb',
      [...args, compile('debugged', ['-g', '-O0'])],
      {
        options: [mode === '--record' ? `--record=${join(scratch, 'gdb.recording')}` : mode],
      },
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/hit Breakpoint 1, adds \(first=20, second=1\) at /);
    expect(stdout).toMatch(/^#1 .* worker \(arg=/m);
    expect(stdout).toMatch(/^\* 2 +Thread .* adds \(first=20, second=1\)/m);
    expect(stdout).toMatch(/^ {2}1 +Thread /m);
    expect(stdout).toMatch(/^\$1 = 21$/m);
    expect(stdout).toContain('the sum is 42'); // both write there, and gdb in the middle of a line
    expect(stdout).toMatch(/exited with code 03\]$/m);
    expect(stderr).toMatch(/^libcr: process \d+ is traced: it runs without libcr$/m);
  },
);
