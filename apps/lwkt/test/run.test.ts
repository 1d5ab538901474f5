/**
 * run.test.ts: `lwkt run`: every kind of script, on a userthread where it can be; process as node makes it;
 * exit statuses.
 */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, fixture, lwkt } from './lwkt.ts';

const ARGS = ['-a', '--shim=b', 'c d'];

describe('the top level is on the userthread "main"', () => {
  const scripts = [
    'module/script.ts',
    'module/script.mts',
    'module/script.js',
    'module/script.mjs',
    'commonjs/script.ts',
    'commonjs/script.cts',
    'commonjs/script.js',
    'commonjs/script.cjs',
  ];
  test.each(scripts)('%s', async (script) => {
    const result = await lwkt(['run', fixture(script), ...ARGS]);
    expect(result.stderr).toBe('');
    const report = JSON.parse(result.stdout);
    expect(report).toMatchObject({ thread: 'main', args: ARGS });
    if (script.startsWith('commonjs')) expect(report.main).toBe(true);
    if (/module.*\.m?ts$/.test(script)) expect(report.dependency).toBe('loaded');
    expect(result.status).toBe(0);
  });
});

describe('rforks in TypeScript', () => {
  test('of modules, and those that they start', async () => {
    expect(await lwkt(['run', fixture('module/rfork.ts')])).toMatchObject({
      stderr: '',
      stdout: '42 loaded\nover, inner over\n',
      status: 0,
    });
  });

  test('of CommonJS modules', async () => {
    expect(await lwkt(['run', fixture('commonjs/rfork.cts')])).toMatchObject({
      stderr: '',
      stdout: '42\nover\n',
      status: 0,
    });
  });
});

describe('top-level await', () => {
  test('in TypeScript: on thread0, and nothing runs twice', async () => {
    const { stdout, stderr, status } = await lwkt(['run', fixture('module/await.ts')]);
    expect(stderr).toBe('');
    const [first, second, ...rest] = stdout.trimEnd().split('\n');
    expect(first).toBe('begins');
    expect(JSON.parse(second as string)).toEqual({
      thread: 'thread0',
      late: 'late',
      own: 'own',
      child: 'userthread',
    });
    expect(rest).toEqual([]);
    expect(status).toBe(0);
  });

  test('in JavaScript', async () => {
    const { stdout, status } = await lwkt(['run', fixture('module/await.mjs')]);
    expect(stdout).toBe('begins\n{"thread":"thread0","own":"own"}\n');
    expect(status).toBe(0);
  });

  test('that never ends: exit status 13, as under node', async () => {
    const { stderr, status } = await lwkt(['run', fixture('module/never.mjs')]);
    expect(stderr).toContain('LWKT_DEADLOCK');
    expect(status).toBe(13);
  });

  test('required by a CommonJS script: its own error, and it is not run again', async () => {
    const { stdout, stderr, status } = await lwkt(['run', fixture('commonjs/requires-await.cjs')]);
    expect(stdout).toBe('begins\n');
    expect(stderr).toContain('ERR_REQUIRE_ASYNC_MODULE');
    expect(status).toBe(1);
  });
});

describe('how a script ends', () => {
  test.each([
    ['process.exit()', 'commonjs/exit.cjs', 7],
    ['process.exitCode', 'commonjs/exit-code.cjs', 5],
  ])('%s', async (_, script, expected) => {
    const { status, stderr } = await lwkt(['run', fixture(script)]);
    expect(stderr).toBe('');
    expect(status).toBe(expected);
  });

  test('an uncaught error, in TypeScript: its place in the source, status 1', async () => {
    const script = fixture('module/throws.ts');
    const { stdout, stderr, status } = await lwkt(['run', script]);
    expect(stderr).toContain('Error: thrown on purpose');
    expect(stderr).toContain(`at thrower (${script}:7:9)`);
    expect(stderr).toContain('in userthread #1 "main"');
    expect(stderr).toContain(`Node.js ${process.version}`);
    expect(stdout).toBe('exit 1\n');
    expect(status).toBe(1);
  });

  test('an uncaught error, in CommonJS', async () => {
    const { stderr, status } = await lwkt(['run', fixture('commonjs/throws.cjs')]);
    expect(stderr).toContain('TypeError: thrown on purpose');
    expect(status).toBe(1);
  });

  // Of these node shows the value, and of nothing else where it came from.
  test.each([
    ['null', 'commonjs/throws-null.cjs', 'null\n(Use `node --trace-uncaught ...`'],
    ['undefined', 'module/throws-undefined.mjs', 'undefined\n(Use `node --trace-uncaught ...`'],
    ['a string, late', 'module/throws-late.mjs', 'a string\n(Use `node --trace-uncaught ...`'],
    ['an object', 'module/throws-object.mts', "{ thrown: 'on purpose' }\n\nNode.js"],
  ])('an uncaught exception that is no Error: %s', async (_, script, shown) => {
    const { stderr, status } = await lwkt(['run', fixture(script)]);
    expect(stderr).toContain(`\n${shown}`);
    expect(stderr).not.toContain('Unhandled');
    expect(status).toBe(1);
    if (script.endsWith('.mts')) return; // node itself runs no TypeScript, on Node 20
    const tail = (text: string): string => text.slice(text.indexOf(shown));
    const node = await lwkt([fixture(script)], { command: [process.execPath] });
    expect(tail(stderr)).toBe(tail(node.stderr));
    expect(status).toBe(node.status);
  });

  test('an import that is not there', async () => {
    const { stderr, status } = await lwkt(['run', fixture('module/missing-import.ts')]);
    expect(stderr).toContain('ERR_MODULE_NOT_FOUND');
    expect(stderr).toContain('does-not-exist.ts');
    expect(status).toBe(1);
  });

  test('a signal', async () => {
    const { signal } = await lwkt(['run', fixture('commonjs/kill.cjs')]);
    expect(signal).toBe('SIGTERM');
  });
});

test('process.argv is what node would make it, also for a relative path', async () => {
  const cwd = fixture('commonjs');
  const { stdout } = await lwkt(['run', './argv.cjs', ...ARGS], { cwd });
  expect(JSON.parse(stdout)).toEqual([process.execPath, resolve(cwd, 'argv.cjs'), ...ARGS]);
});

test('-- ends the options', async () => {
  const { stdout } = await lwkt(['run', '--', fixture('commonjs/argv.cjs'), '--', '-x']);
  expect(JSON.parse(stdout).slice(2)).toEqual(['--', '-x']);
});

test('recursion as deep as under node', async () => {
  expect(await lwkt(['run', fixture('module/deep.ts')])).toMatchObject({ stdout: '7000\n', status: 0 });
});

test('--stack-size is the stack of the top level and of its userthreads; a size that is none is a usage error', async () => {
  const script = fixture('commonjs/depth.cjs');
  const depths = async (...options: string[]) =>
    JSON.parse((await lwkt(['run', ...options, script])).stdout) as { main: number; other: number };
  const usual = await depths();
  const larger = await depths('--stack-size=2m');
  expect(larger.main / usual.main).toBeGreaterThan(1.5);
  expect(larger.other / usual.other).toBeGreaterThan(6);
  const { status, stderr } = await lwkt(['run', '--stack-size=2x', script]);
  expect(stderr).toMatch(
    /^lwkt: run: The value of "LIBCR_STACK_SIZE" is out of range\..* Received '2x'; see lwkt --help\n$/,
  );
  expect(status).toBe(2);
});

test('a script that is not there: one line, status 1', async () => {
  const path = fixture('no-such.ts');
  expect(await lwkt(['run', path])).toMatchObject({
    stdout: '',
    stderr: `lwkt: cannot find the script ${path}\n`,
    status: 1,
  });
});

test.each(['/dev/stdin', '/proc/self/fd/0'])('%s, if a pipe: one line, status 2', async (script) => {
  const command = ['bash', '-c', 'echo 1 | "$0" "$@"', process.execPath, cli];
  expect(await lwkt(['run', script], { command })).toMatchObject({
    stdout: '',
    stderr: `lwkt: run: SCRIPT must be a file, and ${script} is a pipe; see lwkt --help\n`,
    status: 2,
  });
});

test('/dev/stdin, if a file', async () => {
  const command = ['bash', '-c', `"$0" "$@" < '${fixture('commonjs/argv.cjs')}'`, process.execPath, cli];
  const { stdout, status } = await lwkt(['run', '/dev/stdin', 'x'], { command });
  expect(JSON.parse(stdout).slice(2)).toEqual(['x']);
  expect(status).toBe(0);
});
