/**
 * supervised.test.ts: shims of TypeScript in front of real programs: spawn's option shims. The protocol, message by message, is tested in @libcr/syscalls; what the launcher does in
 * script.test.ts.
 */
import { execFileSync, spawn as nodeSpawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { sleep } from '@libcr/core';
import { constants as c, defineShim, type Shim } from '@libcr/syscalls';
import { fault } from '@libcr/syscalls/shims/fault';
import { latency } from '@libcr/syscalls/shims/latency';
import { file, memfs, symlink } from '@libcr/syscalls/shims/memfs';
import { metrics } from '@libcr/syscalls/shims/metrics';
import { policy } from '@libcr/syscalls/shims/policy';
import { record } from '@libcr/syscalls/shims/record';
import { replay } from '@libcr/syscalls/shims/replay';
import { trace } from '@libcr/syscalls/shims/trace';
import { beforeAll, describe, expect, test } from 'vitest';
import { spawn } from '../../src/spawn/index.ts';
import type { SpawnOptions } from '../../src/spawn/spawn.ts';
import { compile as compileProgram, scratch } from '../programs.ts';

interface Outcome {
  stdout: string;
  stderr: string;
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs a program to its end. */
async function run(command: readonly string[], shims: Shim[], options: SpawnOptions = {}): Promise<Outcome> {
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], shims });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { ...texts, status, signal };
}

const shimOf = (on: Shim['on'], shim: Shim['shim']): Shim => defineShim({ name: 'test', on, shim });

const PYTHON = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync);
const withPython = test.skipIf(PYTHON === undefined);
if (PYTHON === undefined) console.warn('there is no python3: its tests are left out');

/** Compiled programs. */
function compile(name: string, source: string, ...flags: string[]): string {
  const path = join(scratch, name);
  writeFileSync(`${path}.c`, source);
  execFileSync('gcc', ['-O1', '-o', path, `${path}.c`, ...flags]);
  return path;
}

describe('a shim of one’s own', () => {
  const secret = join(scratch, 'secret');
  const open = join(scratch, 'open');
  beforeAll(() => {
    writeFileSync(secret, 'secret\n');
    writeFileSync(open, 'open\n');
  });

  test('denies', async () => {
    const shim = shimOf(['open'], (next) => (msg) => (msg.path === secret ? -c.EACCES : next(msg)));
    expect(await run(['cat', secret], [shim])).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('Permission denied'),
      status: 1,
    });
  });

  test('rewrites a path', async () => {
    const shim = shimOf(
      ['open'],
      (next) => (msg) => next(msg.path === secret ? msg.with({ path: open }) : msg),
    );
    expect(await run(['cat', secret], [shim])).toMatchObject({ stdout: 'open\n', status: 0 });
  });

  test('answers read itself; changes what was read; replaces what is written', async () => {
    let reads = 0;
    const answers = shimOf(['read'], (next) => (msg) => {
      if (msg.fd !== 0) return next(msg);
      return reads++ === 0 ? (msg.args[1] as Buffer).write('from the shim\n') : 0;
    });
    expect((await run(['cat'], [answers])).stdout).toBe('from the shim\n');
    const upper = shimOf(['read'], (next) => (msg) => {
      const n = next(msg);
      const buffer = msg.args[1] as Buffer;
      if (n > 0 && buffer.toString('latin1', 0, n) === 'secret\n') buffer.write('SECRET');
      return n;
    });
    expect((await run(['cat', secret], [upper])).stdout).toBe('SECRET\n');
    const twice = shimOf(['write'], (next) => (msg) => {
      const data = Buffer.from(`${msg.args[1]}`.repeat(2));
      return msg.fd === 1
        ? Math.min(next(msg.with({ data, length: data.length })), msg.args[2] as number)
        : next(msg);
    });
    expect((await run(['cat', open], [twice])).stdout).toBe('open\nopen\n');
  });

  test('sees processes of a pipeline apart, and which program makes a call', async () => {
    const seen = new Map<number, Set<string>>();
    const shim = shimOf(['write', 'execve'], (next) => (msg) => {
      const of = seen.get(msg.pid) ?? new Set();
      seen.set(msg.pid, of.add(`${msg.program.split('/').at(-1)} ${msg.name}`));
      return next(msg);
    });
    const { stdout } = await run(['sh', '-c', 'echo b a | tr " " "\\n" | sort | cat; :'], [shim]);
    expect(stdout).toBe('a\nb\n');
    const all = [...seen.values()].flatMap((of) => [...of]);
    for (const call of ['sort write', 'cat write', 'tr write']) expect(all).toContain(call);
    expect(all.filter((call) => call.endsWith('execve')).length).toBeGreaterThanOrEqual(3);
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });

  withPython('python with subprocesses and threads; all calls through a shim: the same output', async () => {
    const script = `
import subprocess, threading
out = []
def work(n):
    out.append(subprocess.check_output(['sh', '-c', 'echo %d' % n]).decode().strip())
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(out))`;
    const threads = new Set<number>();
    const shim = shimOf('all', (next) => (msg) => {
      threads.add(msg.td.id);
      return next(msg);
    });
    const outcome = await run([PYTHON as string, '-c', script], [shim]);
    expect(outcome).toEqual({
      stdout: `${JSON.stringify([...'01234567'])
        .replaceAll('"', "'")
        .replaceAll(',', ', ')}\n`,
      stderr: '',
      status: 0,
      signal: null,
    });
    expect(threads.size).toBeGreaterThan(8);
  });
});

describe('ready-made shims', () => {
  test('policy: paths of the program, from its own working directory; a program that may not be run', async () => {
    const rules = policy([
      { action: 'deny', on: ['open'], path: join(scratch, 'denied'), errno: 'EPERM' },
      { action: 'deny', on: ['execve'], path: '/usr/bin/tr' },
    ]);
    writeFileSync(join(scratch, 'denied'), 'x');
    const { stderr, stdout } = await run(
      [
        'sh',
        '-c',
        `cd ${scratch} && cat denied; cat ../${scratch.split('/').at(-1)}/denied; /usr/bin/tr a b; echo on`,
      ],
      [rules],
    );
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(2);
    expect(stderr).toContain('Permission denied');
    expect(stdout).toBe('on\n');
    expect(rules.counts.denied).toBe(3);
  });

  test('trace: the lines of the native one', async () => {
    const program = compile(
      'traced',
      `#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  char buffer[16]; struct stat st; int pair[2];
  int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  read(fd, buffer, 4); fstat(fd, &st); lseek(fd, 2, SEEK_SET); close(fd);
  open("/nonexistent/file", O_WRONLY | O_CREAT, 0644);
  pipe(pair); write(pair[1], "data\\n", 5); read(pair[0], buffer, sizeof(buffer));
  access("/etc", R_OK); getpid(); umask(022);
  return 0;
}`,
    );
    const lines: string[] = [];
    await run([program], [trace({ output: (line) => lines.push(line) })]);
    const native = join(scratch, 'native-trace');
    const child = spawn(program, [], { trace: native, stdio: 'ignore' });
    await once(child, 'exit');
    /** Without pid and time, and each in one line. From the program's first own call on. */
    const plain = (all: readonly string[]): string[] => {
      const calls: string[] = [];
      let begun = '';
      for (const line of all) {
        const text = line
          .replace(/^\d+ +/, '')
          .replace(/ <[\d.]+>$/, '')
          .replace(/\) +=/, ') =')
          .replace(/^(getpid\(\) = )\d+/, '$1PID');
        const resumed = /^<\.\.\. \w+ resumed>(.*)/.exec(text)?.[1];
        if (text.endsWith(' <unfinished ...>')) begun = text.slice(0, -' <unfinished ...>'.length);
        else calls.push(resumed === undefined ? text : begun + resumed);
      }
      return calls
        .slice(calls.findIndex((line) => line.includes('/etc/hostname')))
        .filter((line) => !/^(\+\+\+|$)/.test(line));
    };
    const theirs = plain(readFileSync(native, 'utf8').split('\n'));
    expect(plain(lines)).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(10);
    expect(lines.every((line) => /^\d+ /.test(line))).toBe(true);
  });

  test('fault: EIO on the third write', async () => {
    const faults = fault([{ on: ['write'], errno: 'EIO', nth: 3 }]);
    const { stdout, stderr } = await run(['sh', '-c', 'echo 1; echo 2; echo 3; echo 4'], [faults]);
    expect(stdout).toBe('1\n2\n4\n');
    expect(stderr).toMatch(/I\/O error|Input\/output error/);
    expect(faults.counts[0]?.injected).toBe(1);
  });

  test('fault: short reads and writes lose nothing', async () => {
    const text = 'abcdefghij'.repeat(1000);
    writeFileSync(join(scratch, 'long'), text);
    const faults = fault([
      { on: ['read', 'write'], short: 7, fd: 1 },
      { on: ['read'], short: 11, when: (msg) => msg.program.endsWith('cat') },
    ]);
    expect((await run(['cat', join(scratch, 'long')], [faults])).stdout).toBe(text);
  });

  test('latency: the call waits, and others go on', async () => {
    let order = '';
    const shim = shimOf(['write'], (next) => (msg) => {
      order += String(msg.args[1]).trim();
      return next(msg);
    });
    await run(
      ['sh', '-c', '(sleep 0.05; echo a) & echo b; wait'],
      [latency([{ on: ['write'], ms: 300, when: (msg) => String(msg.args[1]) === 'b\n' }]), shim],
    );
    expect(order).toBe('ab');
  });

  test('metrics', async () => {
    const counted = metrics({ on: ['write', 'open'] });
    await run(['sh', '-c', 'echo 1; echo 2'], [counted]);
    const written = counted.snapshot().find(({ call }) => call === 'write');
    expect(written?.outcomes).toEqual({ ok: 2 });
  });
});

describe('memfs', () => {
  const shell = existsSync('/usr/bin/dash') ? '/usr/bin/dash' : '/bin/sh';

  test('open, read, stat, list, write, rename, remove; the handle shows what a program has done', async () => {
    const tree = memfs({
      '/virtual/in': { 'a.txt': 'content\n', sub: { b: 'bb' }, link: symlink('/virtual/in/a.txt') },
    });
    const { stdout, stderr } = await run(
      [
        'sh',
        '-c',
        `cat /virtual/in/a.txt /virtual/in/link; ls /virtual/in; ls / | grep virtual; cd /virtual/in/sub && pwd -P && cat ../a.txt b && ls ../..
         readlink ../link; echo new > n; mv n ../moved; rm b; mkdir d; readlink /proc/self/cwd; stat -c %s /virtual/in/a.txt; cat /virtual/in/none`,
      ],
      [tree],
    );
    expect(stdout.split('\n')).toEqual([
      ...['content', 'content', 'a.txt', 'link', 'sub', 'virtual', '/virtual/in/sub', 'content', 'bbin'],
      ...['/virtual/in/a.txt', '/virtual/in/sub', '8', ''],
    ]);
    expect(stderr).toContain('/virtual/in/none');
    expect(tree.toJSON()).toEqual({
      '/virtual/in/a.txt': 'content\n',
      '/virtual/in/link': symlink('/virtual/in/a.txt'),
      '/virtual/in/moved': 'new\n',
      '/virtual/in/sub/d': null,
    });
  });

  withPython('mmap, exec of a file in the tree, import, dlopen, a child’s read', async () => {
    const binary = readFileSync('/usr/bin/true');
    const library = compile('library.so', 'int seven(void) { return 7; }', '-shared', '-fPIC');
    const tree = memfs({
      '/virtual': {
        'data.bin': 'mapped data',
        'module.py': 'VALUE = 42',
        true: file(binary, { mode: 0o755 }),
        script: file(`#!${shell}\necho from a script\n`, { mode: 0o755 }),
        'library.so': file(readFileSync(library), { mode: 0o755 }),
      },
    });
    const script = `
import mmap, sys, subprocess, ctypes
with open('/virtual/data.bin') as f: print(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:6])
sys.path.insert(0, '/virtual'); import module; print(module.VALUE)
print(subprocess.call(['/virtual/true'])); print(subprocess.check_output(['/virtual/script']))
print(ctypes.CDLL('/virtual/library.so').seven())
print(subprocess.check_output(['cat'], stdin=open('/virtual/data.bin')))`;
    const { stdout, stderr } = await run([PYTHON as string, '-B', '-c', script], [tree]);
    expect(stderr).toBe('');
    expect(stdout).toBe("b'mapped'\n42\n0\nb'from a script\\n'\n7\nb'mapped data'\n");
  });

  test.each([64, 32_768])('listings of the tree and above it, with %i bytes', async (size) => {
    const above = join(scratch, `above${size}`);
    mkdirSync(join(above, 'folder'), { recursive: true });
    for (const name of ['a', 'b', 'c']) writeFileSync(join(above, name), '');
    const tree = memfs({
      [join(above, 'b')]: 'covered',
      [join(above, 'folder')]: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, `${i}`])),
      [join(above, 'new')]: 'new',
      [join(above, 'other')]: null,
    });
    const listing = compileProgram('processes/listing');
    for (const [folder, mode, said] of [
      [above, 'look', '8 names, 0 wrong'],
      [join(above, 'folder'), 'look', '502 names, 0 wrong'],
      [join(above, 'folder'), 'remove', '502 names, 1 wrong'],
    ] as const) {
      const { stdout } = await run([listing, folder, String(size), mode], [tree]);
      expect(stdout.split('\n').at(-2)).toBe(said); // the tree's roots are not removed
    }
    expect(tree.readdir(join(above, 'folder'))).toEqual([]);
  });

  test('what is written from outside while the program runs', async () => {
    const tree = memfs({ '/virtual': {} });
    const child = spawn(
      'sh',
      ['-c', 'echo ready; read line; cat /virtual/late; echo done > /virtual/out; read line'],
      {
        shims: [tree],
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    tree.writeFile('/virtual/late', 'late\n');
    child.stdin?.write('\n');
    expect(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])).toBe('late\n');
    while (!tree.exists('/virtual/out')) await after(5);
    while (tree.readFile('/virtual/out', 'utf8') === '') await after(5);
    expect(tree.readFile('/virtual/out', 'utf8')).toBe('done\n');
    child.stdin?.end('\n');
    await once(child, 'close');
  });

  const folders = (): string[] =>
    ['/dev/shm', '/tmp'].flatMap((at) => readdirSync(at)).filter((name) => name.startsWith('libcr-memfs-'));

  test('nothing is left of it', async () => {
    const before = folders();
    const tree = memfs({ '/virtual': { a: 'x' } });
    expect((await run(['cat', '/virtual/a'], [tree])).stdout).toBe('x');
    while (folders().some((name) => !before.includes(name))) await after(5);
  });

  test('what a killed supervisor has left is removed by the next', async () => {
    const script = `
      import { memfs } from ${JSON.stringify(join(import.meta.dirname, '../../../syscalls/dist/shims/memfs.js'))};
      import { Supervisor } from ${JSON.stringify(join(import.meta.dirname, '../../../syscalls/dist/supervisor.js'))};
      globalThis.kept = new Supervisor({ shims: [memfs({ '/virtual/file': 'text' })] });
      console.log('made');
      setInterval(() => {}, 1000);`;
    const killed = nodeSpawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(killed.stdout, 'data');
    const left = folders().filter((name) => name.includes(`-${killed.pid}-`));
    expect(left.length).toBe(1);
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect(folders()).toEqual(expect.arrayContaining(left));
    await run(['true'], [memfs({ '/virtual/file': 'text' })]);
    expect(folders()).not.toEqual(expect.arrayContaining(left));
  });

  test.each(['record', 'replay'])('%s says that it is not for programs', (name) => {
    const recording = join(scratch, 'recording.lcr');
    const recorder = record({ file: recording });
    if (name === 'replay') recorder.close();
    const shim = name === 'record' ? recorder : replay({ file: recording });
    expect(() => spawn('true', [], { shims: [shim] })).toThrow(
      expect.objectContaining({
        code: 'ERR_LIBCR_NOT_FOR_PROGRAMS',
        message: expect.stringContaining(`lwkt ${name}`),
      }),
    );
    recorder.close();
  });
});

describe('what goes wrong', () => {
  test('a shim that throws: EIO, and the diagnostics channel', async () => {
    const errors: string[] = [];
    const note = (event: unknown): void => void errors.push((event as { error: Error }).error.message);
    subscribe('libcr:syscalls:shim-error', note);
    const shim = shimOf(['write'], () => () => {
      throw new Error('broken');
    });
    const { status, stderr } = await run(['cat', '/etc/hostname'], [shim]);
    unsubscribe('libcr:syscalls:shim-error', note);
    expect(status).toBe(1);
    expect(stderr).toBe('');
    expect(errors[0]).toBe('broken');
  });

  test('a shim that never answers: ETIMEDOUT', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', note);
    const shim = shimOf(['write'], (next) => (msg) => {
      if (msg.fd !== 1) return next(msg);
      for (;;) sleep(1000);
    });
    const { stderr } = await run(['cat', '/etc/hostname'], [shim], { shimTimeout: 100 });
    process.off('warning', note);
    expect(stderr).toMatch(/timed out/);
    expect(warnings).toEqual([expect.stringContaining('shim "test" has not answered write')]);
  });

  test('a signal for a program whose shim waits: its handler runs, and the call is made again', async () => {
    let asked = 0;
    const child = spawn('sh', ['-c', 'trap "echo got >&2" USR1; echo x; echo end'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      shims: [
        shimOf(['write'], (next) => (msg) => {
          if (msg.fd === 1 && asked++ === 0) for (;;) sleep(1000);
          return next(msg);
        }),
      ],
    });
    let [out, err] = ['', ''];
    child.stdout?.on('data', (text) => {
      out += text;
    });
    child.stderr?.on('data', (text) => {
      err += text;
    });
    while (asked === 0) await after(1);
    child.kill('SIGUSR1');
    await once(child, 'close');
    expect(out).toContain('end\n');
    expect(err).toBe('got\n');
  });

  const late: Shim['shim'] = (next) => (msg) => {
    sleep(300);
    return next(msg);
  };
  withPython.each([
    ['a shim', shimOf(['getppid'], late)],
    ['a row', latency([{ on: ['getppid'], ms: 300 }])],
  ])('a call that never waits by itself is not ended by a signal while %s does', async (_, shim) => {
    const python = `import os, signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, True)
signal.setitimer(signal.ITIMER_REAL, 0.05)
print(os.getppid() > 0)`;
    const { stdout, stderr } = await run([PYTHON as string, '-c', python], [shim]);
    expect({ stdout, stderr }).toEqual({ stdout: 'True\n', stderr: '' });
  });

  test('killed while its shim is asked', async () => {
    let asked = false;
    const ended: string[] = [];
    const child = spawn('cat', ['/etc/hostname'], {
      stdio: 'ignore',
      shims: [
        shimOf(['write'], () => () => {
          asked = true;
          try {
            for (;;) sleep(1000);
          } catch (error) {
            ended.push((error as Error).name);
            throw error;
          }
        }),
      ],
    });
    while (!asked) await after(1);
    child.kill('SIGKILL');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    while (ended.length === 0) await after(1);
    expect(ended).toEqual(['AbortError']);
  });

  test.each(['kill', 'detach'] as const)('the supervisor is killed: %s', async (onSupervisorExit) => {
    const out = join(scratch, `after-${onSupervisorExit}`);
    const script = `
      import { spawn } from ${JSON.stringify(join(import.meta.dirname, '../../dist/spawn.js'))};
      const p = spawn('sh', ['-c', 'echo begun; while :; do sleep 0.1; test -e ${out}.go && { echo on > ${out}; exit; }; done'], {
        stdio: ['ignore', 'inherit', 'inherit'], onSupervisorExit: '${onSupervisorExit}',
        shims: [{ name: 'x', on: 'all', shim: (next) => (msg) => next(msg) }] });
      console.log(p.pid);`;
    const supervisor = nodeSpawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const piece of supervisor.stdout) {
      text += piece;
      if (/\d+\n/.test(text) && text.includes('begun')) break;
    }
    const pid = Number(/\d+/.exec(text)?.[0]);
    supervisor.kill('SIGKILL');
    writeFileSync(`${out}.go`, '');
    const isAlive = (): boolean => {
      try {
        return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      } catch {
        return false;
      }
    };
    while (isAlive()) await after(10);
    expect(existsSync(out)).toBe(onSupervisorExit === 'detach');
  });

  test('the supervisor is killed: what asks it nothing ends with it, and what that has started', async () => {
    const script = `
      import { spawn } from ${JSON.stringify(join(import.meta.dirname, '../../dist/spawn.js'))};
      spawn('sh', ['-c', ${JSON.stringify("sh -c 'echo $$; while :; do :; done' & echo $$; read x")}], {
        stdio: ['pipe', 'inherit', 'inherit'],
        shims: [{ name: 'x', on: ['sync'], shim: (next) => (msg) => next(msg) }] });`;
    const supervisor = nodeSpawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const piece of supervisor.stdout) {
      text += piece;
      if (/\d+\n\d+\n/.test(text)) break;
    }
    const pids = text.trim().split('\n').map(Number);
    expect(new Set(pids).size).toBe(2);
    supervisor.kill('SIGKILL');
    const isAlive = (pid: number): boolean => {
      try {
        return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      } catch {
        return false;
      }
    };
    while (pids.some(isAlive)) await after(10);
  });

  test('a program that is not there; options that are none', async () => {
    const child = spawn('nosuch-program', [], { shims: [] });
    expect((await once(child, 'error'))[0]).toMatchObject({ code: 'ENOENT' });
    expect(() => spawn('true', [], { shims: 5 as never })).toThrow(TypeError);
    expect(() => spawn('true', [], { shims: [], shimTimeout: 0 })).toThrow(RangeError);
    expect(() => spawn('true', [], { shims: [], onSupervisorExit: 'x' as never })).toThrow(TypeError);
  });
});

describe('many', () => {
  test('32 threads at once, each call scripted', async () => {
    const program = compile(
      'threads32',
      `#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static long sums[32];
static void *work(void *arg) {
  for (int i = 0; i < 200; i++) sums[(long)arg] += syscall(SYS_getppid);
  return 0;
}
int main(void) {
  pthread_t threads[32]; long all = 0;
  for (long i = 0; i < 32; i++) pthread_create(&threads[i], 0, work, (void *)i);
  for (int i = 0; i < 32; i++) { pthread_join(threads[i], 0); all += sums[i]; }
  printf("%ld\\n", all);
}`,
      '-pthread',
    );
    let calls = 0;
    const shim = shimOf(['getppid'], (next) => (msg) => {
      if (calls++ % 3 === 0) sleep(0);
      return next(msg) > 0 ? 2 : 1;
    });
    for (const rforks of [1, 2])
      expect((await run([program], [shim], { rforks })).stdout).toBe(`${32 * 200 * 2}\n`);
    expect(calls).toBe(2 * 32 * 200);
  });

  test('a hundred thousand calls through three shims: no descriptor, slot or userthread is left', async () => {
    const program = compile(
      'calls100000',
      `#include <sys/syscall.h>
#include <unistd.h>
int main(void) { for (int i = 0; i < 100000; i++) if (syscall(SYS_getppid) != 7) return 1; return 0; }`,
    );
    let calls = 0;
    const pass = (): Shim =>
      shimOf(['getppid'], (next) => (msg) => {
        calls++;
        return next(msg);
      });
    const descriptors = readdirSync('/proc/self/fd').length;
    const outcome = await run([program], [pass(), pass(), shimOf(['getppid'], () => () => 7)]);
    expect(outcome.status).toBe(0);
    expect(calls).toBe(200_000);
    while (readdirSync('/proc/self/fd').length > descriptors) await after(5);
  });
});

test('p.calls: what a program and its children do, as objects', async () => {
  const child = spawn('sh', ['-c', 'echo text; cat /etc/hostname; :'], { stdio: 'ignore', shims: [] });
  const written: unknown[] = [];
  for await (const { name, program, args, reply, pid, tid } of child.calls) {
    if (name === 'write')
      written.push([program.split('/').at(-1), args[0], String(args[1]), reply, pid > 0 && tid > 0]);
  }
  const host = readFileSync('/etc/hostname', 'utf8');
  expect(written).toEqual([
    [expect.any(String), 1, 'text\n', 5, true],
    ['cat', 1, host, statSync('/etc/hostname').size, true],
  ]);
});
