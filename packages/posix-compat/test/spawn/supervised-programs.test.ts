/**
 * supervised-programs.test.ts: programs that people use, under ready-made shims, as docs/shims/programs.md has it: spawn('redis-server', args, { shims: [memfs({ … }), fault([ … ])] }). And what a shim can't be
 * in front of says so.
 */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { defineShim, type Shim } from '@libcr/syscalls';
import { fault } from '@libcr/syscalls/shims/fault';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { policy } from '@libcr/syscalls/shims/policy';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../src/spawn/index.ts';
import { compile, has, scratch } from '../programs.ts';

interface Outcome {
  stdout: string;
  stderr: string;
  status: number | null;
}

async function run(command: readonly string[], shims: readonly Shim[], env: object = {}): Promise<Outcome> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    shims,
    cwd: scratch,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const over = once(child, 'close');
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((s) => text(s as NodeJS.ReadableStream)),
  );
  const [status] = (await over) as [number | null];
  return { stdout: stdout as string, stderr: stderr as string, status };
}

/** With these programs, or skipped, which it says. */
const needing = (...needs: string[]) =>
  test.skipIf(needs.some((name) => !(name.includes('/') ? existsSync(name) : has(name))));

describe('memfs and fault', () => {
  needing('redis-server', 'redis-cli')(
    'redis-server: its configuration and database in memory, a save that fails',
    async () => {
      const socket = join(scratch, 'redis.socket');
      const files = memfs({
        '/virtual': { 'redis.conf': `port 0\nunixsocket ${socket}\nsave ""\ndir /virtual/data\n`, data: {} },
      });
      const full = fault([{ on: ['rename'], path: '/virtual/data/dump.rdb', errno: 'ENOSPC', nth: 1 }]);
      const server = spawn('redis-server', ['/virtual/redis.conf'], {
        shims: [full, files],
        stdio: 'ignore',
      });
      const cli = async (...args: string[]): Promise<string> =>
        (await run(['redis-cli', '-s', socket, ...args], [])).stdout;
      while ((await cli('ping')) !== 'PONG\n') await after(20);
      expect(await cli('set', 'key', 'value')).toBe('OK\n');
      expect(await cli('save')).toMatch(/^ERR/);
      expect(full.counts).toMatchObject([{ injected: 1 }]);
      expect(files.exists('/virtual/data/dump.rdb')).toBe(false);
      expect(await cli('save')).toBe('OK\n');
      expect(files.readFile('/virtual/data/dump.rdb', 'latin1')).toMatch(/^REDIS\d{4}/);
      await Promise.all([once(server, 'close'), cli('shutdown', 'nosave')]);
    },
  );

  needing('/usr/bin/python3')('python3: a module in memory, a disk that is full', async () => {
    const files = memfs({ '/virtual/lib': { 'answer.py': 'VALUE = 42\n' }, '/virtual/out': {} });
    const script = `
import sys; sys.path.insert(0, '/virtual/lib')
import answer, errno
try:
    with open('/virtual/out/file', 'w') as f: f.write('x' * 10)
except OSError as e: print(answer.VALUE, errno.errorcode[e.errno])`;
    const full = fault([
      { on: ['write'], errno: 'ENOSPC', when: (msg) => String(msg.args[1]).startsWith('xxx') },
    ]);
    const { stdout, stderr } = await run(['/usr/bin/python3', '-B', '-c', script], [full, files]);
    expect([stdout, stderr]).toEqual(['42 ENOSPC\n', '']);
  });

  needing('bash')(
    'a pipeline of bash: short reads and writes lose nothing, interrupted ones neither',
    async () => {
      const files = memfs({ '/virtual/numbers': Array.from({ length: 500 }, (_, i) => `${i}\n`).join('') });
      const faults = fault(
        [
          {
            on: ['read'],
            short: 0.3,
            when: (msg) => /\/(cat|sort|tail)$/.test(msg.program),
            probability: 0.5,
          },
          {
            on: ['write'],
            short: 7,
            when: (msg) => /\/(cat|sort|tail)$/.test(msg.program),
            probability: 0.5,
          },
        ],
        { seed: 1 },
      );
      const { stdout } = await run(
        ['bash', '-c', 'cat < /virtual/numbers | sort -rn | tail -n 3 | cat'],
        [faults, files],
      );
      expect(stdout).toBe('2\n1\n0\n');
      expect(faults.counts[1]?.injected).toBeGreaterThan(0);
    },
  );

  test('node: a script and a module in memory', async () => {
    const files = memfs({
      '/virtual/app': {
        'main.mjs': `import { n } from './n.mjs'; import fs from 'node:fs'; fs.writeFileSync('/virtual/app/out', String(n)); console.log(n);`,
        'n.mjs': 'export const n = 6 * 7;',
      },
    });
    expect(await run([process.execPath, '/virtual/app/main.mjs'], [files])).toEqual({
      stdout: '42\n',
      stderr: '',
      status: 0,
    });
    expect(files.readFile('/virtual/app/out', 'utf8')).toBe('42');
  });

  needing('make', 'gcc')('make and gcc: a project in memory, and what comes of it is run', async () => {
    const files = memfs({
      '/virtual/project': {
        Makefile: 'program: main.o twice.o\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -c -o $@ $<\n',
        'main.c': '#include <stdio.h>\nint twice(int);\nint main(void) { printf("%d\\n", twice(21)); }\n',
        'twice.c': 'int twice(int n) { return 2 * n; }\n',
      },
    });
    const { stdout, stderr } = await run(
      ['sh', '-c', 'cd /virtual/project && make -s -j2 && ./program'],
      [files],
    );
    expect([stdout, stderr]).toEqual(['42\n', '']);
    expect(files.readdir('/virtual/project')).toEqual([
      'Makefile',
      'main.c',
      'main.o',
      'program',
      'twice.c',
      'twice.o',
    ]);
  });

  needing('git')('git: a repository in memory', async () => {
    const files = memfs({ '/virtual/repository': { file: 'text\n' } });
    const script = `cd /virtual/repository && git init -q && git add file && git -c user.name=n -c user.email=e commit -qm first && git log --format=%s && git status --short`;
    expect(await run(['sh', '-c', script], [files], { HOME: '/virtual/repository/.home' })).toEqual({
      stdout: 'first\n',
      stderr: '',
      status: 0,
    });
    expect(files.exists('/virtual/repository/.git/HEAD')).toBe(true);
  });

  needing('sqlite3')('sqlite3: a database in memory, and a write that fails is rolled back', async () => {
    const files = memfs({ '/virtual': {} });
    const sql = (text: string, shims: Shim[] = []) =>
      run(['sqlite3', '/virtual/db', text], [...shims, files]);
    expect(await sql('create table t (n); insert into t values (1), (2);')).toMatchObject({
      stderr: '',
      status: 0,
    });
    const broken = fault([{ on: ['fsync', 'fdatasync', 'pwrite64'], errno: 'EIO' }]);
    expect((await sql('insert into t values (3);', [broken])).stderr).toMatch(/disk I\/O error/);
    expect((await sql('select sum(n) from t; pragma integrity_check;')).stdout).toBe('3\nok\n');
  });

  test('p.calls: of a program, with types', async () => {
    const child = spawn('cat', ['/virtual/a'], {
      shims: [memfs({ '/virtual/a': 'in memory\n' })],
      stdio: 'ignore',
    });
    const seen: [string, string, number][] = [];
    for await (const { name, program, reply } of child.calls) seen.push([name, program, reply]);
    expect(seen.filter(([name]) => name === 'write').map(([, , reply]) => reply)).toEqual([10]);
  });
});

describe('what no shim can be in front of, and what is no program', () => {
  const pass = defineShim({ name: 'pass', on: 'all', shim: (next) => (msg) => next(msg) });
  const script = (name: string, content: string | Buffer): string => {
    const path = join(scratch, name);
    writeFileSync(path, content, { mode: 0o755 });
    return path;
  };

  needing('su')('a program with set-user-ID: by itself, and as a child', async () => {
    const alone = await run(['su', '--version'], [pass]);
    expect(alone).toMatchObject({ status: 126, stdout: '' });
    expect(alone.stderr).toMatch(
      /^libcr: su: runs with its owner's rights \(set-user-ID or set-group-ID\)\n$/,
    );
    const child = await run(['sh', '-c', 'su --version; echo $?'], [pass]);
    expect(child.stdout).toBe('126\n');
    expect(child.stderr).toContain('no shim would be in front of it');
  });

  test('scripts: with an interpreter, with one that is not there, with none; what is no program', async () => {
    const good = script('good', '#!/usr/bin/env sh\necho "script $1"\n');
    expect(await run([good, 'a'], [pass])).toEqual({ stdout: 'script a\n', stderr: '', status: 0 });
    const cases: [string, string | Buffer, number, RegExp][] = [
      ['none', '#!/no/such/interpreter\n', 127, /the interpreter in its first line is not there/],
      ['plain', 'echo x\n', 126, /neither an ELF program nor a script/],
      ['garbage', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 9, 9]), 126, /neither an ELF program nor a script/],
    ];
    for (const [name, content, status, message] of cases) {
      const outcome = await run([script(name, content)], [pass]);
      expect(outcome).toMatchObject({ status, stdout: '' });
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr).toMatch(/^libcr: .*\n$/);
    }
  });

  needing('gcc')('a static program has its shims', async () => {
    const seven = defineShim({ name: 'seven', on: ['getppid'], shim: () => () => 7 });
    const program = compile('supervised/counted', ['-static']);
    expect(await run([program, '2', '8'], [seven])).toEqual({
      stdout: '16 made, 0 wrong\n',
      stderr: '',
      status: 0,
    });
    expect((await run([program, '1', '4'], [pass])).stdout).toBe('4 made, 1 wrong\n'); // the parent's number is another
  });

  test('a program that may not be run', async () => {
    const { stderr, status } = await run(
      ['sh', '-c', '/bin/cat /etc/hostname'],
      [policy([{ action: 'deny', on: ['execve'], path: '/bin/cat' }])],
    );
    expect([stderr.includes('Permission denied'), status]).toEqual([true, 126]);
  });

  test.each([
    [{ shims: [null] }, 'ERR_INVALID_ARG_TYPE', /shim/],
    [{ shims: [{}] }, 'ERR_INVALID_ARG_TYPE', /shim\.name/],
    [{ shims: pass }, 'ERR_INVALID_ARG_TYPE', /shims.*an array/],
    [{ shims: [{ ...pass, on: ['opne'] }] }, 'ERR_INVALID_ARG_VALUE', /"opne", which is not a system call/],
    [{ shims: [{ ...pass, shim: () => undefined }] }, 'ERR_INVALID_ARG_TYPE', /function/],
    [{ shims: [], shimTimeout: Number.NaN }, 'ERR_OUT_OF_RANGE', /shimTimeout/],
    [{ shims: [], shimTimeout: '5' }, 'ERR_INVALID_ARG_TYPE', /shimTimeout/],
    [{ shims: [], onSupervisorExit: 'stay' }, 'ERR_INVALID_ARG_TYPE', /onSupervisorExit/],
  ])('wrong options: %j', (options, code, message) => {
    expect(() => spawn('true', [], options as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
