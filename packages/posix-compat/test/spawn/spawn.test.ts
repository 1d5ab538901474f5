/** spawn.test.ts: spawn is child_process.spawn with the program under libcr, and its system calls as objects. */
import { spawn as nodeSpawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../src/index.ts';
import { decodeArgument } from '../../src/spawn/syscalls.ts';
import { scratch } from '../programs.ts';

describe('as child_process.spawn', () => {
  test('output, input, arguments, exit status', async () => {
    const child = spawn('sh', ['-c', 'read line; echo "$0 $line"; exit 3', 'name']);
    child.stdin.end('of input\n');
    const output = text(child.stdout);
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(await output).toBe('name of input\n');
    expect(child.spawnfile).toBe('sh');
    expect(child.spawnargs.slice(0, 2)).toEqual(['sh', '-c']);
    expect(child.trace).toBeUndefined();
  });

  test('the child is the program: its pid, its death by a signal, kill()', async () => {
    const child = spawn('sh', ['-c', 'echo $$; kill -STOP $$; exit 1']);
    expect(String((await once(child.stdout, 'data'))[0])).toBe(`${child.pid}\n`);
    child.kill('SIGKILL');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });

  test('cwd, env, shell, argv0, options without arguments, descriptors', async () => {
    const folder = join(scratch, 'a folder');
    mkdirSync(folder);
    const shown = spawn('pwd; echo $WORD', {
      shell: true,
      cwd: folder,
      env: { WORD: 'x', PATH: process.env.PATH },
    });
    expect(await text(shown.stdout)).toBe(`${folder}\nx\n`);
    const named = spawn('/bin/sh', ['-c', 'tr "\\0" " " </proc/$$/cmdline'], { argv0: 'another name' });
    expect(await text(named.stdout)).toMatch(/^another name -c /);
    const fourth = spawn('sh', ['-c', 'echo four >&3'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      trace: true,
    });
    const [output, calls] = await Promise.all([
      text(fourth.stdio[3] as NodeJS.ReadableStream),
      fourth.trace.toArray(),
    ]);
    expect(output).toBe('four\n');
    expect(calls.length).toBeGreaterThan(10);
  });

  test.each([
    ['nosuch-program', 'ENOENT'],
    [join(scratch, 'nosuch'), 'ENOENT'],
    [scratch, 'EACCES'],
    [join(scratch, 'not-executable'), 'EACCES'],
  ])('%s: the same error', async (command, code) => {
    writeFileSync(join(scratch, 'not-executable'), '', { mode: 0o644 });
    const failure = async (spawning: typeof nodeSpawn) => {
      const child = spawning(command, ['a']);
      const [error] = await once(child, 'error');
      return { ...error, message: error.message, pid: child.pid };
    };
    const ours = await failure(spawn as unknown as typeof nodeSpawn);
    expect(ours).toEqual(await failure(nodeSpawn));
    expect(ours.code).toBe(code);
  });

  test('a signal aborts it', async () => {
    const controller = new AbortController();
    const child = spawn('sleep', ['60'], { signal: controller.signal });
    setImmediate(() => controller.abort());
    const [error] = await once(child, 'error');
    expect(error.name).toBe('AbortError');
  });
});

describe('trace', () => {
  test('true: each call is an object, of children too', async () => {
    const file = join(scratch, 'a "file"\n\tä');
    writeFileSync(file, 'text');
    const child = spawn('sh', ['-c', '/bin/cat "$0"; exit 2', file], { trace: true });
    const [calls, output] = await Promise.all([child.trace.toArray(), text(child.stdout)]);
    expect(output).toBe('text');
    expect(calls[0]).toMatchObject({ pid: child.pid, tid: child.pid, name: 'execve', result: 0 });
    const opened = calls.find(({ name, args }) => name === 'openat' && args[1] === file);
    expect(opened).toMatchObject({ args: ['AT_FDCWD', file, 'O_RDONLY'], result: expect.any(Number) });
    expect(opened?.pid).not.toBe(child.pid);
    expect(calls).toContainEqual(
      expect.objectContaining({
        name: 'read',
        args: [opened?.result, 'text', expect.any(Number)],
        result: 4,
      }),
    );
    expect(calls.at(-1)).toEqual({
      ...{ pid: child.pid, tid: child.pid },
      ...{ name: 'exit_group', args: [2], result: null },
    });
  });

  test('while the program runs; what has failed says why', async () => {
    const child = spawn('sh', ['-c', 'cat /nosuch; read line'], {
      trace: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    for await (const call of child.trace) {
      if (call.name !== 'openat' || call.args[1] !== '/nosuch') continue;
      expect(call).toMatchObject({ name: 'openat', result: -1, errno: 'ENOENT' });
      child.stdin?.end('\n');
    }
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });

  test('read after the end; of a program that was killed; of one that is not there', async () => {
    const late = spawn('true', [], { trace: true });
    await once(late, 'exit');
    expect((await late.trace.toArray()).at(-1)?.name).toBe('exit_group');
    const killed = spawn('sh', ['-c', 'kill -KILL $$'], { trace: true });
    expect((await killed.trace.toArray()).length).toBeGreaterThan(10);
    const missing = spawn('nosuch-program', [], { trace: true });
    await once(missing, 'error');
    expect(await missing.trace.toArray()).toEqual([]);
  });

  test('a file: strace’s lines; stats in another', async () => {
    const [trace, stats] = [join(scratch, 'spawn-trace'), join(scratch, 'spawn-stats')];
    const child = spawn('true', [], { trace, stats });
    await once(child, 'close');
    expect(readFileSync(trace, 'utf8')).toMatch(/exit_group\(0\) += \?\n/);
    expect(readFileSync(stats, 'utf8')).toMatch(/^libcr: .*true \(\d+\): \d+ system calls caught\n/);
    const numbered = spawn('true', [], { trace: '7', cwd: scratch });
    await once(numbered, 'close');
    expect(existsSync(join(scratch, '7'))).toBe(true);
  });

  test.each([
    ['NULL', null],
    ['-1', -1],
    ['0', 0],
    ['0x7fffffffffff', 0x7fffffffffff],
    ['9223372036854775807', 9223372036854775807n],
    ['0644', '0644'],
    ['"a\\n\\"\\\\\\303\\244\\0\\1"', 'a\n"\\ä\0\x01'],
    ['"cut"...', '"cut"...'],
    ['O_RDONLY|O_CLOEXEC', 'O_RDONLY|O_CLOEXEC'],
    ['"\\x00\\xff"', '\0\ufffd'],
  ])('argument %s', (shown, value) => expect(decodeArgument(shown)).toEqual(value));
});

test.each([undefined, []])(
  'runs that can be had again: deterministic, time, schedule; shims: %j',
  async (shims) => {
    const script = 'head -c 8 /dev/urandom | od -An -tx1; exec sleep 1000';
    const run = async (options: object) => {
      const child = spawn('sh', ['-c', script], { ...options, shims, trace: true });
      const [output, calls] = await Promise.all([text(child.stdout), child.trace.toArray()]);
      return [output, calls.length > 20];
    };
    const once = await run({ time: 'virtual' }); // or it would sleep
    expect(once).toEqual([expect.stringMatching(/^( [0-9a-f]{2}){8}\n$/), true]);
    expect(await run({ time: 'virtual', deterministic: true })).toEqual(once);
    expect(await run({ schedule: 'seed:3' })).toEqual(await run({ schedule: 'seed:3' }));
  },
);

test('rforks are how many processors the program has', async () => {
  const child = spawn('nproc', [], { rforks: 1 });
  expect(await text(child.stdout)).toBe('1\n');
});

test.each([
  [{ rforks: '2' }, 'ERR_INVALID_ARG_TYPE', 'rforks'],
  [{ rforks: 0 }, 'ERR_OUT_OF_RANGE', 'rforks'],
  [{ rforks: 1.5 }, 'ERR_OUT_OF_RANGE', 'rforks'],
  [{ trace: 1 }, 'ERR_INVALID_ARG_TYPE', 'trace'],
  [{ trace: '' }, 'ERR_INVALID_ARG_TYPE', 'trace'],
  [{ stats: {} }, 'ERR_INVALID_ARG_TYPE', 'stats'],
  [{ patch: 'no' }, 'ERR_INVALID_ARG_TYPE', 'patch'],
  [{ deterministic: 1 }, 'ERR_INVALID_ARG_TYPE', 'deterministic'],
  [{ time: 'none' }, 'ERR_OUT_OF_RANGE', 'time'],
  [{ schedule: 3 }, 'ERR_OUT_OF_RANGE', 'schedule'],
  [{ shimTimeout: 1000 }, 'ERR_INVALID_ARG_VALUE', 'shimTimeout'],
  [{ onSupervisorExit: 'kill' }, 'ERR_INVALID_ARG_VALUE', 'onSupervisorExit'],
  [{ rforks: 2, deterministic: true }, 'ERR_INVALID_ARG_VALUE', 'rforks'],
  [{ rforks: 2, time: 'virtual' }, 'ERR_INVALID_ARG_VALUE', 'time'],
  [{ rforks: 2, schedule: 'seed:1' }, 'ERR_INVALID_ARG_VALUE', 'schedule'],
  [{ time: 'real', schedule: 'seed:1' }, 'ERR_INVALID_ARG_VALUE', 'schedule'],
  [{ preemptIn: 'libmine.so' }, 'ERR_INVALID_ARG_TYPE', 'preemptIn'],
  [{ preemptIn: ['libmine.so'] }, 'ERR_INVALID_ARG_VALUE', 'preemptIn'],
  [{ schedule: 'seed:1', preemptIn: ['/lib/libmine.so'] }, 'ERR_OUT_OF_RANGE', 'preemptIn'],
])('%j: %s', (options, code, name) => {
  const wrong = () => spawn('true', [], options as never);
  expect(wrong).toThrow(expect.objectContaining({ code, message: expect.stringContaining(`"${name}"`) }));
});
