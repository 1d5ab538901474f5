/**
 * script-rows.test.ts: ready-made shims whose rules are done in the program (rows.h of the launcher) and ask nobody: whatever they decide is what the same shims decide when they are asked.
 */

import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineShim, type Shim } from '@libcr/syscalls';
import { type FaultRule, fault } from '@libcr/syscalls/shims/fault';
import { latency } from '@libcr/syscalls/shims/latency';
import { type Metrics, metrics } from '@libcr/syscalls/shims/metrics';
import { type PolicyRule, policy } from '@libcr/syscalls/shims/policy';
import { trace } from '@libcr/syscalls/shims/trace';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../src/spawn/index.ts';
import { compile, scratch } from '../programs.ts';

const program = compile('script/rows');
const folder = join(scratch, 'folder');
mkdirSync(join(folder, 'a/b.d'), { recursive: true });
writeFileSync(join(folder, 'a/b.d/c.txt'), '');
writeFileSync(join(folder, '.hidden'), '');
symlinkSync('a', join(folder, 'link'));

/** The shim without what it could say in advance. */
const asked = ({ name, on, shim }: Shim): Shim => defineShim({ name, on, shim });

interface Counted {
  shim: Shim;
  asked: number;
}

/** The shim, and how often it is asked. */
function counted(of: Shim): Counted {
  const made: Counted = {
    asked: 0,
    shim: {
      ...of,
      shim: (next) => {
        const handler = of.shim(next);
        return (msg) => {
          made.asked++;
          return handler(msg);
        };
      },
    },
  };
  return made;
}

async function output(shims: Shim[], paths: readonly string[] = [], file = program): Promise<string> {
  const child = spawn(file, [folder], { stdio: ['pipe', 'pipe', 'inherit'], shims });
  child.stdin?.end(paths.map((path) => `${path}\n`).join(''));
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(child, 'close');
  return text;
}

/** The program's output under a shim by rows, which has to be what it is under the same shim that is asked. */
async function same(make: () => Shim, paths: readonly string[] = [], atMost = 0): Promise<string> {
  const rows = counted(make());
  const text = await output([rows.shim], paths);
  expect(text).toBe(await output([asked(make())], paths));
  expect(rows.asked).toBeLessThanOrEqual(atMost);
  return text;
}

/** Numbers that are random, and the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state >>> 8;
  }
}

const random = numbers(7);
const pick = <T>(list: readonly T[]): T => list[(random.next().value as number) % list.length] as T;

describe('fault', () => {
  const rules: Record<string, FaultRule[]> = {
    nth: [{ on: ['getppid'], nth: 3, errno: 'EIO' }],
    'after, every, times': [{ on: ['getppid'], after: 2, every: 3, times: 5, errno: 'EPERM' }],
    probability: [{ on: ['getppid'], probability: 0.3, errno: 'EAGAIN' }],
    'several rules': [
      { on: ['getppid'], every: 2, errno: 'EIO' },
      { on: ['getppid'], probability: 0.5, errno: 'ENOSYS' },
      { on: ['pread64'], fd: 4, short: 10 },
      { on: ['pread64'], fd: 4, short: 1, nth: 2 },
    ],
    'a descriptor': [
      { on: ['write'], fd: 1, every: 1000, errno: 'EIO' },
      { on: ['pread64'], fd: 4, errno: 'EBADF' },
    ],
    'close lets go': [{ on: ['close'], fd: 4, errno: 'EINTR', nth: 1 }],
  };

  test.each(Object.entries(rules))('%s', async (_, list) => {
    const make = () => fault(list, { seed: 5 });
    const text = await same(make);
    expect(text).toContain('child getppid');
  });

  test('counts, and goes on where it was with another supervisor', async () => {
    const list: FaultRule[] = [{ on: ['getppid'], probability: 0.5, every: 2, errno: 'EIO' }];
    const [rows, scripted] = [fault(list, { seed: 9 }), fault(list, { seed: 9 })];
    for (let i = 0; i < 2; i++) {
      expect(await output([rows])).toBe(await output([asked(scripted)]));
      expect(rows.counts).toEqual(scripted.counts);
      expect(rows.counts[0]?.matched).toBe(72 * (i + 1));
    }
    rows.reset();
    scripted.reset();
    expect(await output([rows])).toBe(await output([asked(scripted)]));
  });

  test('what cuts buffers in pieces is asked', async () => {
    const rows = counted(fault([{ on: ['preadv'], short: 5 }]));
    expect(await output([rows.shim])).toContain('preadv 5 ');
    expect(rows.asked).toBe(1);
  });
});

describe('policy', () => {
  const names = [
    'a',
    'b.d',
    'c.txt',
    '.hidden',
    'link',
    '..',
    '.',
    '',
    'x-y',
    'é',
    'proc',
    'self',
    'dev',
    'fd',
    '0',
  ];
  const paths = [
    '/',
    '//',
    '.',
    '..',
    `${folder}/a`,
    `${folder}/a/b.d/c.txt`,
    `${folder}//a/./b.d/../b.d/c.txt`,
    '/proc/self/cwd/a',
    '/proc/self/cwd',
    '/dev/fd/0',
    '/dev/null',
    ...Array.from(
      { length: 400 },
      () =>
        pick(['', `${folder}/`, '/']) +
        Array.from({ length: 1 + ((random.next().value as number) % 4) }, () => pick(names)).join('/'),
    ),
  ].filter((path) => path !== '');
  const on = ['access', 'rename'] as const;
  const globs = [
    `${folder}/a`,
    `${folder}/a/*`,
    `${folder}/a/**`,
    `${folder}/**/c.txt`,
    `${folder}/*/b*`,
    `${folder}/**/*.txt`,
    `${folder}/*.*`,
    '/**',
    '/**/a/**/*',
    '/*/**',
    `${folder}/a*/**`,
    `${folder}/**/b*/*`,
    '/*/*',
    `${folder}/{a,x*y,.hidden}/{b,c}.{d,e}/**`,
    `${folder}/{a,link}`,
    `${folder}/?`,
    `${folder}/?/*.?`,
    `${folder}/*?`,
    `${folder}/**/?.txt`,
    `${folder}/?/**/c.t?t`,
    `${folder}/{a,?.c}?/{b.?,*?x}`,
    '/?*/**',
  ];

  test.each(globs)('deny %s', async (glob) => {
    await same(() => policy([{ action: 'deny', on, path: glob, errno: 'EROFS' }]), paths, Infinity);
  });

  test.each(globs)('allow %s alone', async (glob) => {
    await same(
      () =>
        policy([
          { action: 'allow', on, path: glob },
          { action: 'deny', on, errno: 'EROFS' },
        ]),
      paths,
      Infinity,
    );
  });

  test('braces ask nobody', async () => {
    const rows = counted(policy([{ action: 'deny', on, path: `${folder}/{a,b}/{b,c}.{d,e*f}/*` }]));
    await output([rows.shim], [`${folder}/a/b.d/c.txt`, `${folder}/a`]);
    expect(rows.asked).toBe(0);
  });

  test('? asks nobody, but for names that are not ASCII: there it is one of JavaScript’s characters', async () => {
    const rules: PolicyRule[] = [
      { action: 'deny', on, path: [`${folder}/?`, `${folder}/?/b.?/*`, `${folder}/{x?,y}z`] },
    ];
    const plain = ['a', 'ab', `${folder}/a/b.d/c.txt`, `${folder}/a`, 'x_z', 'xz', 'yz'];
    await same(() => policy(rules), plain);
    const others = ['é', 'éé', '\u{1f600}', 'a\u{1f600}', '日', '日本', 'e\u0301', 'xéz'];
    for (const glob of ['?', '??', '?*', 'a??', 'x?z'])
      await same(() => policy([{ action: 'deny', on, path: `${folder}/${glob}` }]), others, Infinity);
  });

  test('what is plain asks nobody', async () => {
    const plain = [`${folder}/a`, `${folder}/a/b.d/../..`, 'a/b.d', './link/b.d/c.txt', '../folder/a', 'é'];
    const rules: PolicyRule[] = [
      { action: 'deny', on, path: [`${folder}/a/**`, `${folder}/**/*.txt`, `${folder}/*/b*`] },
    ];
    const text = await same(() => policy(rules), plain);
    expect(text).toContain('a/b.d -13 -13 -13');
  });

  test('a user id is the program’s', async () => {
    const own = process.geteuid?.() as number;
    for (const uid of [own, own + 1, [own + 1, own]]) {
      const text = await same(() => policy([{ action: 'deny', on: ['getppid'], uid, errno: 'EPERM' }]));
      expect(text.includes('first getppid ok')).toBe(uid === own + 1);
    }
  });

  test('counts; and whoever wants to be told of denials is', async () => {
    const rules: PolicyRule[] = [{ action: 'deny', on: ['getppid'] }];
    const quiet = policy(rules);
    await output([quiet]);
    expect(quiet.counts.denied).toBe(72);
    const told: unknown[] = [];
    const listener = (message: unknown) => void told.push(message);
    subscribe('libcr:syscalls:policy', listener);
    try {
      const loud = policy(rules);
      await output([loud]);
      expect(loud.counts.denied).toBe(72);
    } finally {
      unsubscribe('libcr:syscalls:policy', listener);
    }
    expect(told.length).toBe(72);
  });
});

test('latency delays the call, by the same numbers', async () => {
  const make = () =>
    latency(
      [
        { on: ['getppid'], ms: { uniform: [0.2, 0.4] }, at: 'after' },
        { on: ['access'], ms: 1 },
      ],
      { seed: 3 },
    );
  const before = process.hrtime.bigint();
  const text = await same(make, ['a', 'b']);
  expect(process.hrtime.bigint() - before).toBeGreaterThan(2n * 72n * 200_000n); // never less than the least
  expect(text).toContain('first getppid ok ok');
});

test('metrics: the same counts, outcomes and bytes', async () => {
  const figures = (shim: Metrics) =>
    shim.snapshot().map(({ call, count, outcomes, inFlight, bytes, direction, buckets }) => ({
      call,
      count,
      outcomes,
      inFlight,
      bytes,
      direction,
      measured: buckets.at(-1),
    }));
  const on = [
    'access',
    'rename',
    'pread64',
    'pwrite64',
    'preadv',
    'getppid',
    'close',
    'exit_group',
    'chdir',
  ] as const;
  const rows = metrics({ on });
  const scripted = metrics({ on });
  const told = counted(rows);
  await output([told.shim], ['a', 'none']);
  await output([asked(scripted)], ['a', 'none']);
  expect(told.asked).toBe(0);
  expect(figures(rows)).toEqual(figures(scripted));
  expect(figures(rows).find(({ call }) => call === 'getppid')?.count).toBe(72);
  rows.reset();
  expect(figures(rows)).toEqual([]);
});

test('metrics: a call that its process’ end ends, and one that an execve is', async () => {
  for (const way of [(shim: Shim) => shim, asked]) {
    const shim = metrics({ on: ['pause', 'execve'] });
    const child = spawn('/bin/sh', ['-c', `exec /bin/sh -c "exec ${program}"`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      shims: [way(shim)],
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    while (shim.snapshot().every(({ inFlight }) => inFlight === 0)) await new Promise(setImmediate);
    expect(shim.snapshot().find(({ call }) => call === 'execve')).toMatchObject({
      count: 2,
      outcomes: { ok: 2 },
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    while (shim.snapshot().some(({ inFlight }) => inFlight > 0)) await new Promise(setImmediate);
    expect(shim.snapshot().find(({ call }) => call === 'pause')).toMatchObject({ outcomes: { thrown: 1 } });
  }
});

describe('the order of shims is kept', () => {
  const secret = join(folder, 'a');
  const alias = join(folder, 'alias');
  const rewrites = (): Shim =>
    defineShim({
      name: 'rewrites',
      on: ['access'],
      shim: (next) => (msg) => next(msg.path === alias ? msg.with({ path: secret }) : msg),
    });
  const denies = (): Shim => policy([{ action: 'deny', on: ['access'], path: secret }]);

  test('above one that changes the call, and below it', async () => {
    for (const way of [(shim: Shim) => shim, asked]) {
      expect(await output([way(denies()), rewrites()], [alias])).toContain(`${alias} 0 0`);
      expect(await output([rewrites(), way(denies())], [alias])).toContain(`${alias} -13 -13`);
    }
  });

  test('below one that makes calls of its own', async () => {
    const twice = defineShim({
      name: 'twice',
      on: ['getppid'],
      shim: (next) => (msg) => {
        next(msg);
        return next(msg);
      },
    });
    const texts = [];
    for (const way of [(shim: Shim) => shim, asked]) {
      const inner = fault([{ on: ['getppid'], every: 3, errno: 'EIO' }], { seed: 1 });
      texts.push(await output([twice, way(inner)]));
      expect(inner.counts[0]?.matched).toBe(144);
    }
    expect(texts[0]).toBe(texts[1]);
  });

  test('between two that are asked, and where one is put on top later', async () => {
    const seen: string[] = [];
    const see = (name: string): Shim =>
      defineShim({
        name,
        on: ['getppid'],
        shim: (next) => (msg) => {
          seen.push(name);
          return next(msg);
        },
      });
    const middle = fault([{ on: ['getppid'], every: 2, errno: 'EIO' }]);
    await output([see('outer'), middle, see('inner')]);
    expect(middle.counts[0]).toMatchObject({ matched: 72, injected: 36 });
    expect(seen.filter((name) => name === 'outer').length).toBe(72);
    expect(seen.filter((name) => name === 'inner').length).toBe(36);
  });
});

describe('trace', () => {
  /** Lines without what differs from run to run. */
  const lines = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .replace(/^\d+ +/, '')
          .replace(/ <\d+\.\d{6}>$/, '')
          .replace(/= \d{2,}$/, '= N'),
      );
  const on = ['access', 'rename', 'pread64', 'pwrite64', 'getppid', 'close', 'open', 'chdir'] as const;

  test('the same lines, without asking', async () => {
    const files = [join(scratch, 'rows.trace'), join(scratch, 'asked.trace')] as const;
    const rows = counted(trace({ output: files[0], on }));
    await output([rows.shim], ['a', 'none']);
    await output([asked(trace({ output: files[1], on }))], ['a', 'none']);
    await new Promise(setImmediate);
    expect(rows.asked).toBe(0);
    expect(lines(files[0])).toEqual(lines(files[1]));
    expect(lines(files[0])).toContain('access("none", F_OK) = -1 ENOENT (No such file or directory)');
  });

  test.each([
    ['a program and its child', ['sh', '-c', 'ls -d / >/dev/null; kill -USR1 $$']],
    ['threads', [program, folder]],
  ])('for a function, and for a pipe, it is what it is for a file: %s', async (_, [name, ...args]) => {
    const file = join(scratch, 'of-file.trace');
    const ended = async (shim: Shim): Promise<void> => {
      const child = spawn(name as string, args, { shims: [shim], stdio: 'ignore' });
      await once(child, 'exit');
    };
    /** By thread, each call in one line where it returned; without what waits for another, and numbers of processes, addresses, random bytes. */
    const bare = (all: readonly string[]): string[][] => {
      const threads = new Map<string, string[]>();
      const begun = new Map<string, string>();
      for (const line of all) {
        const [, tid, text] = /^(\d+) +(.*)$/s.exec(line) as unknown as [string, string, string];
        if (/vfork|wait4|SIGCHLD/.test(text)) continue;
        const [, start] = /^(.*) <unfinished \.\.\.>$/s.exec(text) ?? [];
        if (start !== undefined) {
          begun.set(tid, start);
          continue;
        }
        const plain = text
          .replace(/^<\.\.\. \w+ resumed>/, () => begun.get(tid) as string)
          .replace(/ <\d+\.\d{6}>$/, '')
          .replace(/0x[0-9a-f]{5,}/g, 'ADDRESS')
          .replace(/"(\\x[0-9a-f]{2})+"/g, 'RANDOM')
          .replace(/(= |si_pid=|kill\()\d{2,}/g, '$1N');
        threads.set(tid, [...(threads.get(tid) ?? []), plain]);
      }
      return [...threads.values()];
    };
    const lines: string[] = [];
    await ended(trace({ output: (line) => lines.push(line) }));
    const atEnd = lines.length;
    await ended(trace({ output: file }));
    expect(lines.length).toBe(atEnd); // all of it was there when the program had ended
    const written = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(bare(lines)).toEqual(bare(written));
    expect(lines[0]).toMatch(/^\d+ +execve\(".*", \[".*\], 0x\w+ \/\* \d+ vars \*\/\) = 0 <\d\.\d{6}>$/);
    expect(lines.at(-1)).toMatch(/\+\+\+ (exited with 0|killed by SIGUSR1) \+\+\+$/);
    const script = `import { spawn } from '@libcr/posix-compat/spawn';
      import { trace } from '@libcr/syscalls/shims/trace';
      spawn(process.argv[1], process.argv.slice(2), { shims: [trace()], stdio: ['ignore', 'ignore', 'inherit'] });`;
    const command = `"$0" --input-type=module -e "$@" 2>&1 | cat`;
    const { stdout } = spawnSync('sh', ['-c', command, process.execPath, script, name as string, ...args], {
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(bare(stdout.trimEnd().split('\n'))).toEqual(bare(written));
  });

  test('a function that throws: a warning, and the program goes on untraced', async () => {
    const warnings: string[] = [];
    const hear = ({ message }: Error): unknown => warnings.push(message);
    process.on('warning', hear);
    let lines = 0;
    const broken = trace({
      output: () => {
        lines++;
        throw new Error('no more paper');
      },
    });
    await output([broken]);
    await new Promise(setImmediate);
    process.off('warning', hear);
    expect([lines, warnings]).toEqual([
      1,
      ['cannot write the trace to options.output: no more paper; the program goes on untraced'],
    ]);
  });

  test('all of it has its beginning, its end, and flags by their names', async () => {
    const file = join(scratch, 'all.trace');
    await output([trace({ output: file })]);
    const all = lines(file);
    expect(all[0]).toMatch(/^execve\(".*\/rows", \[".*\], 0x\w+ \/\* \d+ vars \*\/\) = 0$/);
    expect(all.at(-1)).toBe('+++ exited with 0 +++');
    expect(all.filter((line) => line === '+++ exited with 7 +++').length).toBe(1);
    expect(all.find((line) => line.startsWith('mmap('))).toMatch(/PROT_READ/);
  });

  test('beside the launcher’s own the shim is asked', async () => {
    const file = join(scratch, 'both.trace');
    const child = spawn(program, [folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
      shims: [trace({ output: file, on: ['getppid'] })],
      trace: join(scratch, 'launcher.trace'),
    });
    await once(child, 'close');
    await new Promise(setImmediate);
    expect(lines(file).length).toBe(72);
    expect(readFileSync(join(scratch, 'launcher.trace'), 'utf8')).toContain('getppid()');
  });

  test('one that is not the outermost shows what is left', async () => {
    const file = join(scratch, 'inner.trace');
    await output([
      fault([{ on: ['getppid'], every: 2, errno: 'EIO' }]),
      trace({ output: file, on: ['getppid'] }),
    ]);
    await new Promise(setImmediate);
    expect(lines(file).length).toBe(36);
  });
});
