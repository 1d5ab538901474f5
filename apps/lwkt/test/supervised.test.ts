/** supervised.test.ts: `lwkt run --shim … -- PROGRAM`: shims before programs, and what the shell sees of it. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, fixture, lwkt, started } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A file with a shim. */
function shimFile(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}
const pass = shimFile(
  'pass.mjs',
  `export default { name: 'pass', on: 'all', shim: (next) => (msg) => next(msg) };`,
);
const shout = shimFile(
  'shout.ts',
  `export default {
    name: 'shout' as string, on: ['write'],
    shim: (next: (msg: unknown) => number) => (msg: any) => next(msg.fd === 1 ? msg.with({ data: String(msg.args[1]).toUpperCase() }) : msg),
  };`,
);

/** The arguments for a shell's script under that shim. */
const shell = (shim: string, script: string, ...args: string[]): string[] => [
  'run',
  '--shim',
  shim,
  '--',
  'sh',
  '-c',
  script,
  ...args,
];

describe('shims', () => {
  test('in TypeScript; arguments, output, exit status', async () => {
    const result = await lwkt(shell(shout, 'echo "$0 $1"; echo e >&2; exit 3', 'a', '--stats'));
    expect(result).toMatchObject({ stdout: 'A --STATS\n', stderr: 'E\n', status: 3 });
  });

  test('several, and ready-made ones; a configuration file', async () => {
    const config = join(scratch, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        shims: [{ policy: [{ action: 'deny', on: ['mkdir'], errno: 'EROFS' }] }],
      }),
    );
    const metrics = join(scratch, 'metrics.prom');
    const command = ['sh', '-c', 'echo x; mkdir /tmp/not-made; cat /virtual/file'];
    const memfs = `memfs:${JSON.stringify({ tree: { '/virtual/file': 'virtual\n' } })}`;
    const shims = [shout, `metrics:${metrics}`, memfs].flatMap((each) => ['--shim', each]);
    const { stdout, stderr } = await lwkt(['run', ...shims, '--config', config, '--', ...command]);
    expect({ stdout, stderr }).toEqual({
      stdout: 'X\nVIRTUAL\n',
      stderr: expect.stringContaining('Read-only file system'),
    });
    expect(readFileSync(metrics, 'utf8')).toMatch(/libcr_syscalls_total\{call="write",outcome="ok"\} \d/);
  });

  test('trace as a shim, beside the launcher’s own', async () => {
    const [ours, native] = [join(scratch, 'ours'), join(scratch, 'native')];
    await lwkt(['run', '--shim', `trace:${ours}`, `--trace=${native}`, '--', 'echo', 'hello']);
    for (const file of [ours, native])
      expect(readFileSync(file, 'utf8')).toMatch(/write\(1, "hello\\n", 6\) *= 6/);
  });

  test('stdin is the program’s; a pipeline', async () => {
    let text = '';
    const child = started(shell(pass, 'cat | tr a-z A-Z'), (said) => {
      text = said;
    });
    child.stdin.end('of input\n');
    await once(child, 'close');
    expect(text).toBe('OF INPUT\n');
  });
});

describe('what is wrong with a shim is said', () => {
  test.each([
    [
      `{ name: 'mine', on: ['opne'], shim: (next) => next }`,
      /^lwkt: shim "mine" asks for "opne", which is not a system call of @libcr\/syscalls\n$/,
    ],
    [`{ name: 'mine', on: 5, shim: (next) => next }`, /^lwkt: The "shim\.on" property must be .*\n$/],
  ])('it is none: %s', async (text, message) => {
    const { status, stderr } = await lwkt(shell(shimFile('none.mjs', `export default ${text};`), 'echo x'));
    expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test.each([
    [`() => { throw new Error('boom'); }`, 'Error: boom'],
    [`async (msg) => next(msg)`, 'TypeError: shim "mine" replied [object Promise] to write'],
  ])('it throws, or answers what is no number: %s', async (handler, message) => {
    const text = `export default { name: 'mine', on: ['write'], shim: (next) => ${handler} };`;
    const { stderr } = await lwkt(shell(shimFile('throws.mjs', text), 'echo x; echo y'));
    expect(stderr.match(/lwkt: /g)?.length).toBe(1);
    expect(stderr).toContain('lwkt: shim "mine", asked for write of process ');
    expect(stderr).toContain(`, which fails with EIO: ${message}`);
  });
});

test('a trace to a pipe, and shims of a package that is linked here', () => {
  const modules = join(scratch, 'node_modules', '@libcr');
  mkdirSync(modules, { recursive: true });
  for (const name of ['core', 'syscalls'])
    symlinkSync(join(import.meta.dirname, '../../../packages', name), join(modules, name));
  const run = `"$0" "$1" run --shim trace -- echo hello 2>&1 >/dev/null | cat`;
  const { stdout } = spawnSync('sh', ['-c', run, process.execPath, cli], { cwd: scratch, encoding: 'utf8' });
  expect(stdout).toMatch(/^\d+ +execve\(".*echo", \["echo", "hello"\], .*\) = 0 <\d\.\d{6}>\n/);
  expect(stdout).toMatch(/\+\+\+ exited with 0 \+\+\+\n$/);
});

describe('its end', () => {
  test('by a signal', async () => {
    expect(await lwkt(shell(pass, 'kill -KILL $$'))).toMatchObject({
      signal: 'SIGKILL',
    });
  });

  test('signals go to the program', async () => {
    let text = '';
    const script = 'trap "echo got; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
    const child = started(shell(pass, script), (said) => {
      text = said;
      if (text === 'ready\n') child.kill('SIGTERM');
    });
    expect(await once(child, 'close')).toEqual([5, null]);
    expect(text).toBe('ready\ngot\n');
  });

  test('lwkt stays until all has ended that the program has started', async () => {
    const { stdout } = await lwkt(shell(shout, '(sleep 0.3; echo late) & echo first'));
    expect(stdout).toBe('FIRST\nLATE\n');
  });

  test.each(['kill', 'detach'])('lwkt is killed: --on-supervisor-exit %s', async (how) => {
    const out = join(scratch, `out-${how}`);
    const script = `echo $$; while :; do sleep 0.05; test -e ${out}.go && { echo on > ${out}; exit; }; done`;
    const child = started(['run', '--shim', pass, '--on-supervisor-exit', how, '--', 'sh', '-c', script]);
    const pid = Number((await once(child.stdout, 'data'))[0]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(`${out}.go`, '');
    while (existsSync(`/proc/${pid}`)) await after(10);
    expect(existsSync(out)).toBe(how === 'detach');
  });
});

test.each([
  [['--on-supervisor-exit', 'stay', '--shim', pass], /--on-supervisor-exit must be kill or detach, not stay/],
  [['--on-supervisor-exit', 'kill'], /--on-supervisor-exit needs --shim or --config/],
  [['--shim-timeout', '0', '--shim', pass], /--shim-timeout must be milliseconds/],
  [['--stack-size', '1m', '--shim', pass], /--stack-size is for scripts/],
])('%j is a wrong command line', async (options, message) => {
  const { stderr, status } = await lwkt(['run', ...options, '--', 'true']);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});

test('what can’t be loaded, and what is not for programs: one line, status 1, and the program does not run', async () => {
  for (const spec of ['no-such.ts', fixture('shims/none.mjs'), `record:${join(scratch, 'recording')}`]) {
    const { stdout, stderr, status } = await lwkt(['run', '--shim', spec, '--', 'echo', 'x']);
    expect(stderr).toMatch(/^lwkt: .*\n$/);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
  }
});

test('an overlay by its name: what the program changes is not there', async () => {
  const lower = join(scratch, 'overlaid');
  mkdirSync(lower);
  writeFileSync(join(lower, 'file'), 'as it was\n');
  const command = `echo changed > ${lower}/file; rm -f ${lower}/other; echo x > ${lower}/new; cat ${lower}/file; ls ${lower}`;
  const { stdout } = await lwkt(['run', '--shim', `overlay:${lower}`, '--', 'sh', '-c', command]);
  expect(stdout).toBe('changed\nfile\nnew\n');
  expect(readFileSync(join(lower, 'file'), 'utf8')).toBe('as it was\n');
  expect(existsSync(join(lower, 'new'))).toBe(false);
});
