/** program.test.ts: `lwkt run -- PROGRAM`: what the shell and the program see is what they see without lwkt. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { launcherPath } from '@libcr/posix-compat/spawn';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, fixture, lwkt, started } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test('output, arguments, exit status', async () => {
  const { stdout, stderr, status } = await lwkt([
    'run',
    '--',
    'sh',
    '-c',
    'echo "$0 $1"; echo e >&2; exit 3',
    'a',
    '--stats',
  ]);
  expect({ stdout, stderr, status }).toEqual({ stdout: 'a --stats\n', stderr: 'e\n', status: 3 });
});

test('the program’s death by a signal is lwkt’s', async () => {
  expect(await lwkt(['run', '--', 'sh', '-c', 'kill -KILL $$'])).toMatchObject({
    status: null,
    signal: 'SIGKILL',
  });
});

test('signals go to the program; stdin is its own', async () => {
  const script =
    'trap "echo got; exit 5" TERM; echo ready; read line; echo $line; while :; do sleep 0.1; done';
  let text = '';
  const child = started(['run', '--', 'sh', '-c', script], (said) => {
    text = said;
    if (text === 'ready\n') child.stdin.write('input\n');
    if (text === 'ready\ninput\n') child.kill('SIGTERM');
  });
  const end = new Promise((resolve) => child.on('close', resolve));
  expect(await end).toBe(5);
  expect(text).toBe('ready\ninput\ngot\n');
});

test('--stats, --trace=FILE', async () => {
  const file = join(scratch, 'trace');
  const { stderr } = await lwkt(['run', '--stats', `--trace=${file}`, '--', 'true']);
  expect(stderr).toMatch(/^libcr: \S+true \(\d+\): \d+ system calls caught\n/);
  expect(readFileSync(file, 'utf8')).toMatch(
    /^\d+ +execve\(.*\) = 0\n(.*\n)*\d+ +exit_group\(0\) += \?\n\d+ +\+\+\+ exited with 0 \+\+\+\n$/,
  );
});

test('--policy RULES.json', async () => {
  const [rules, folder] = [join(scratch, 'rules.json'), join(scratch, 'folder')];
  writeFileSync(rules, '[{ "action": "deny", "on": ["mkdir"], "errno": "ENOSPC" }]');
  const env = { LC_ALL: 'C' };
  expect(await lwkt(['run', '--policy', rules, 'mkdir', folder], { env })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('No space left on device'),
  });
  writeFileSync(rules, '[{ "action": "deny", "path": "/**" }]');
  expect(await lwkt(['run', '--policy', rules, 'mkdir', folder])).toMatchObject({
    status: 2,
    stderr: `lwkt: run: cannot use the policy ${rules}: policy[0] has "path", which a program's rule can't have; it may have action, on, errno; see lwkt --help\n`,
  });
  expect(await lwkt(['run', '--policy', join(scratch, 'nosuch'), 'true'])).toMatchObject({ status: 2 });
});

test('--rforks is how many processors the program has', async () => {
  expect((await lwkt(['run', '--rforks=1', '--', 'nproc'])).stdout).toBe('1\n');
});

test('--metrics FILE, --native-shim FILE: also more than one', async () => {
  const file = join(scratch, 'metrics');
  await lwkt(['run', '--metrics', file, '--', 'true']);
  expect(readFileSync(file, 'utf8')).toContain('libcr_syscalls_total{call="exit_group",outcome="ok"} 1\n');
  const [one, two] = ['one', 'two'].map((name) => {
    const [source, object] = [join(scratch, `${name}.c`), join(scratch, `${name}.so`)];
    writeFileSync(
      source,
      `#include "libcr_shim.h"
const char shim_on[] = "exit_group";
long shim(struct sysmsg *msg, sysmsg_next next) { shim_print("${name}\\n"); return next(msg); }
`,
    );
    execFileSync('gcc', ['-shared', '-fPIC', `-I${dirname(launcherPath())}`, source, '-o', object]);
    return object;
  }) as [string, string];
  const { stderr } = await lwkt(['run', '--native-shim', one, '--native-shim', two, '--', 'true']);
  expect(stderr).toBe('one\ntwo\n');
  expect(await lwkt(['run', '--native-shim', '/nosuch.so', '--', 'true'])).toMatchObject({
    stderr: "libcr: /nosuch.so: the shim can't be read: No such file or directory\n",
    status: 2,
  });
});

test('what is not there, what can’t be run', async () => {
  expect(await lwkt(['run', '--', 'nosuch-program'])).toMatchObject({
    stderr: 'libcr: nosuch-program: not found\n',
    status: 127,
  });
  expect(await lwkt(['run', '--', '/'])).toMatchObject({
    stderr: 'libcr: /: permission denied\n',
    status: 126,
  });
  const setuid = join(scratch, 'setuid');
  writeFileSync(setuid, readFileSync('/bin/true'));
  chmodSync(setuid, 0o4755);
  expect(await lwkt(['run', setuid])).toMatchObject({
    stderr: `libcr: ${setuid}: runs with its owner's rights (set-user-ID or set-group-ID)\n`,
    status: 126,
  });
  const script = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text, { mode: 0o755 });
    return join(scratch, name);
  };
  const [gone, foreign, unreadable] = [
    script('gone', '#!/nosuch/interpreter\n'),
    script('foreign', ''),
    script('no-permission', ''),
  ];
  writeFileSync(foreign, readFileSync('/bin/true').fill(0xf3, 18, 19)); // for RISC-V
  chmodSync(unreadable, 0o644);
  expect(await lwkt(['run', '--', gone])).toMatchObject({
    stderr: `libcr: ${gone}: the interpreter in its first line is not there\n`,
    status: 127,
  });
  expect(await lwkt(['run', '--', foreign])).toMatchObject({
    stderr: `libcr: ${foreign}: is a program for another machine than x86-64\n`,
    status: 126,
  });
  expect(await lwkt(['run', '--', unreadable])).toMatchObject({
    stderr: `libcr: ${unreadable}: permission denied\n`,
    status: 126,
  });
  expect(await lwkt(['run', '--trace=/nosuch/file', '--', 'true'])).toMatchObject({
    stderr: "libcr: /nosuch/file: it can't be written\n",
    status: 2,
  });
});

describe('a script or a program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o755 });
    return join(folder, name);
  };
  /** Whether a userthread runs its top level. */
  const ASKS = "console.log(require('@libcr/core').curthread().name)";
  const inScratch = file('asks.js', `console.log(process.execArgv.length, process.argv[2])`);

  test('without "--": a program of PATH, by its path, by its #! line', async () => {
    expect(await lwkt(['run', 'sh', '-c', 'echo "$0"; exit 3', 'a'])).toMatchObject({
      stdout: 'a\n',
      status: 3,
    });
    expect(await lwkt(['run', '/bin/echo', '--', 'b'])).toMatchObject({ stdout: '-- b\n' });
    const shell = file('shell', '#!/bin/sh\necho "of a shell: $1"\n');
    expect(await lwkt(['run', shell, 'c'])).toMatchObject({ stdout: 'of a shell: c\n' });
    expect(await lwkt(['run', 'nosuch'])).toMatchObject({
      stderr: 'libcr: nosuch: not found\n',
      status: 127,
    });
  });

  test('what node finds is a script: a name without its end, a text without #! line, one for node', async () => {
    expect(await lwkt(['run', inScratch.slice(0, -3), 'x'])).toMatchObject({ stdout: '0 x\n' });
    expect(await lwkt(['run', file('plain', 'console.log(process.argv[2])'), 'y'])).toMatchObject({
      stdout: 'y\n',
    });
    const forNode = `#!/usr/bin/env node\n${ASKS.replace('@libcr/core', createRequire(import.meta.url).resolve('@libcr/core'))}`;
    expect(await lwkt(['run', file('for-node', forNode)])).toMatchObject({ stdout: 'main\n' });
  });

  test('behind "--" a script is a script, if its name says so', async () => {
    expect(await lwkt(['run', '--', fixture('commonjs/argv.cjs')])).toMatchObject({ status: 0 });
    expect(await lwkt(['run', '--', inScratch.slice(0, -3)])).toMatchObject({ status: 127 });
  });

  test('options of the other kind are usage errors', async () => {
    expect(await lwkt(['run', '--stats', inScratch])).toMatchObject({
      status: 2,
      stderr: 'lwkt: run: option --stats is for programs; see lwkt --help\n',
    });
    expect(await lwkt(['run', '--rforks', '0', '--', 'true'])).toMatchObject({
      status: 2,
      stderr: 'lwkt: run: --rforks must be 1 to 64, not 0; see lwkt --help\n',
    });
    expect(await lwkt(['run', '--no-top', 'true'])).toMatchObject({
      status: 2,
      stderr: 'lwkt: run: option --no-top is for scripts; see lwkt --help\n',
    });
  });
});

test('signals whose actions Node changes, and how many descriptors there may be: as the shell has it', async () => {
  const command = ['bash', '-c', 'ulimit -Sn 600; "$0" "$@"; :', process.execPath, cli];
  const { stdout } = await lwkt(['run', 'sh', '-c', 'ulimit -n; grep SigIgn /proc/self/status'], { command });
  expect(stdout).toBe('600\nSigIgn:\t0000000000000000\n');
});

test('a limit of files is about the program’s, and a signal for nobody else', async () => {
  const under = (fsize: string) => ({ command: ['prlimit', `--fsize=${fsize}`, process.execPath, cli] });
  const memory = 'memfs:{"tree":{"/virtual/file":"text"}}';
  const fits = await lwkt(
    ['run', '--shim', 'fault:[]', '--', 'sh', '-c', 'echo x; ulimit -f'],
    under('0:unlimited'),
  );
  expect(fits).toMatchObject({ stdout: 'x\n0\n', stderr: '', status: 0 });
  const none = await lwkt(['run', '--shim', 'fault:[]', '--', 'echo', 'x'], under('0:0'));
  expect(none).toMatchObject({ stdout: '', status: 1 });
  expect(none.stderr).toMatch(/^lwkt: a file may not be as long as .* \(ulimit -f\)\n/);
  const files = await lwkt(['run', '--shim', memory, '--', 'cat', '/virtual/file'], under('0:unlimited'));
  expect(files).toMatchObject({ stdout: '', stderr: 'lwkt: EFBIG: file too large, write\n', status: 1 });
});

/** Without posix-compat's native half a Node before 22.15 has the program as its child. */
const asChild = { LIBCR_SEMAPHORE_NATIVE: '/nosuch' };

test('as a child: its death by a signal, its exit status', async () => {
  const died = await lwkt(['run', '--', 'sh', '-c', 'kill -KILL $$'], { env: asChild });
  expect(died).toMatchObject({ status: null, signal: 'SIGKILL' });
  expect(await lwkt(['run', 'sh', '-c', 'exit 9'], { env: asChild })).toMatchObject({ status: 9 });
});

test.each([{}, asChild])(
  'job control: a shell sees that the program has been stopped, and continues it (%j)',
  async (env) => {
    const script =
      'set -m; "$0" "$@" & for i in $(seq 100); do sleep 0.1; jobs | grep -q Stopped && break; done; jobs; fg >&2; echo $?';
    const command = ['bash', '-c', script, process.execPath, cli];
    const { stdout } = await lwkt(['run', 'sh', '-c', 'kill -STOP $$; echo on; exit 4'], { command, env });
    expect(stdout).toMatch(/Stopped .*\non\n4\n$/);
  },
);

const hasScript = existsSync('/usr/bin/script');
test.skipIf(!hasScript)(
  `the terminal is the program's${hasScript ? '' : ' (script(1) is not here)'}`,
  async () => {
    const command = [
      '/usr/bin/script',
      '-qec',
      `${process.execPath} ${cli} run sh -c 'tty; stty size; exit 6'`,
      '/dev/null',
    ];
    expect(await lwkt([], { command })).toMatchObject({
      stdout: expect.stringMatching(/^\/dev\/pts\/\d+\r\n\d+ \d+\r\n$/),
      status: 6,
    });
  },
);
