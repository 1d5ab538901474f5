/** fs.test.ts: @libcr/syscalls/fs beside node:fs: the same operations on the same files, with the same results and errors, in each form. */
import { spawn } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect, promisify } from 'node:util';
import { create, run, sleep } from '@libcr/core';
import { afterAll, describe, expect, test } from 'vitest';
import ownFs, * as names from '../../src/fs/index.ts';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { errorOf, runProgram, temporaryFolder } from '../support.ts';

type Fs = typeof nodeFs;
const own = ownFs as unknown as Fs;
const folder = temporaryFolder();
const cwd = process.cwd();
process.chdir(folder);
afterAll(() => process.chdir(cwd));
const at = (name: string): string => join(folder, name);
nodeFs.writeFileSync(at('file'), 'hello\nworld\n');
nodeFs.writeFileSync(at('still'), 'nobody reads it');
nodeFs.mkdirSync(at('tree/a/b'), { recursive: true });
for (const name of ['tree/1', 'tree/a/2', 'tree/a/b/3', 'tree/ä']) nodeFs.writeFileSync(at(name), name);
nodeFs.symlinkSync('file', at('link'));
nodeFs.symlinkSync('loop', at('loop'));

/** What a call comes to, errors as plain data. */
function outcome(fn: () => unknown): unknown {
  try {
    return { result: fn() };
  } catch (error) {
    return errorData(error);
  }
}

function errorData(error: unknown): unknown {
  const { name, message, stack: _stack, ...rest } = error as Error & Record<string, unknown>;
  // Of misuse class and code count; the text is Node's where it comes from the kernel.
  return String(rest.code).startsWith('ERR_') ? { name, code: rest.code } : { name, message, ...rest };
}

const big = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, big) ?? 'null');

/** A description of entries, which are instances of a class. */
const entries = (list: nodeFs.Dirent[]): unknown =>
  list.map((e) => [
    e.name,
    e.parentPath,
    e.isFile(),
    e.isDirectory(),
    e.isSymbolicLink(),
    e.isFIFO(),
    e instanceof nodeFs.Dirent,
  ]);

const blocking: Record<string, (fs: Fs) => unknown> = {
  'readFile, text': (fs) => fs.readFileSync('file', 'utf8'),
  'readFile, bytes': (fs) => fs.readFileSync(Buffer.from('file')).toString('hex'),
  'readFile, URL': (fs) => fs.readFileSync(new URL(`file://${at('file')}`), { encoding: 'base64' }),
  'readFile, no size': (fs) => fs.readFileSync('/proc/self/comm', 'utf8'),
  'readFile, descriptor': (fs) => {
    const fd = fs.openSync('file', 'r');
    const both = [fs.readFileSync(fd, 'utf8'), fs.readFileSync(fd, 'utf8')];
    fs.closeSync(fd);
    return both;
  },
  'readFile, missing': (fs) => fs.readFileSync('none'),
  'readFile, directory': (fs) => fs.readFileSync('tree'),
  'readFile, no path': (fs) => fs.readFileSync(5.5 as never),
  'readFile, no encoding': (fs) => fs.readFileSync('file', 'nope' as never),
  'readFile, no options': (fs) => fs.readFileSync('file', 5 as never),
  'writeFile, appendFile, truncate': (fs) => {
    fs.writeFileSync('new', 'one', { mode: 0o640, flush: true });
    fs.appendFileSync('new', Buffer.from('two'));
    fs.truncateSync('new', 5);
    const result = [fs.readFileSync('new', 'utf8'), fs.statSync('new').mode];
    fs.unlinkSync('new');
    return result;
  },
  'writeFile, exists': (fs) => fs.writeFileSync('file', '', { flag: 'wx' }),
  'writeFile, no data': (fs) => fs.writeFileSync('new', {} as never),
  'open, flags': (fs) =>
    ['r', 'rs', 'sr', 'r+', 'w', 'wx', 'xw', 'w+', 'a', 'as', 'a+', 'ax+'].map((flag) => {
      nodeFs.rmSync(at('flags'), { force: true });
      const fd = outcome(() => fs.openSync('flags', flag)) as { result?: number };
      if (fd.result === undefined) return fd;
      const info = nodeFs.readFileSync(`/proc/self/fdinfo/${fd.result}`, 'utf8').match(/flags:.*/)?.[0];
      fs.closeSync(fd.result);
      return info;
    }),
  'open, no flags': (fs) => fs.openSync('file', 'zz'),
  'open, no mode': (fs) => fs.openSync('file', 'r', '9'),
  'open, NUL': (fs) => fs.openSync('a\0b', 'r'),
  'read, write': (fs) => {
    const fd = fs.openSync('rw', 'w+');
    const buffer = Buffer.alloc(8);
    const results = [
      fs.writeSync(fd, 'abcdef'),
      fs.writeSync(fd, Buffer.from('XYZ'), 1, 2, 1),
      fs.writeSync(fd, 'é', 8, 'latin1' as never),
      fs.writevSync(fd, [Buffer.from('1'), Buffer.from('23')]),
      fs.readSync(fd, buffer, 0, 8, 0),
      fs.readSync(fd, buffer, { position: 2, length: 3, offset: 5 }),
      fs.readSync(fd, buffer, 0, 4, 2n),
      fs.readSync(fd, buffer),
      fs.readvSync(fd, [buffer.subarray(0, 2), buffer.subarray(4)], 0),
      fs.readSync(fd, Buffer.alloc(0)),
      buffer.toString('latin1'),
      outcome(() => fs.readSync(fd, buffer, 0, 9, null)),
      outcome(() => fs.readSync(fd, buffer, -1, 1, 0)),
      outcome(() => fs.readSync(fd, buffer, 0, 1, 0.5)),
      outcome(() => fs.readSync(fd, 'x' as never)),
      outcome(() => fs.writeSync(fd, buffer, 9, 1)),
      outcome(() => fs.writevSync(fd, [1] as never)),
      fs.fstatSync(fd).size,
    ];
    fs.ftruncateSync(fd, 2);
    fs.fchmodSync(fd, '600');
    fs.fsyncSync(fd);
    fs.fdatasyncSync(fd);
    fs.futimesSync(fd, 1, '2');
    const { size, mode, atimeMs, mtimeMs } = fs.fstatSync(fd);
    fs.closeSync(fd);
    return [results, size, mode, atimeMs, mtimeMs];
  },
  'close, no descriptor': (fs) => [
    outcome(() => fs.closeSync(99_999)),
    outcome(() => fs.closeSync(-1)),
    outcome(() => fs.fsyncSync('1' as never)),
  ],
  stat: (fs) => {
    const stat = fs.statSync('still');
    return [Object.keys(stat), stat, stat.isFile(), stat.mtime.getTime(), stat instanceof nodeFs.Stats];
  },
  'stat, bigint': (fs) => {
    const stat = fs.statSync('still', { bigint: true });
    return [Object.keys(stat), stat, stat.isDirectory(), stat.birthtime.getTime()];
  },
  'lstat, device': (fs) => [
    fs.lstatSync('link').isSymbolicLink(),
    fs.lstatSync('/dev/null').rdev,
    fs.statSync('/dev/null'),
  ],
  'stat, missing': (fs) => [
    fs.statSync('none', { throwIfNoEntry: false }),
    outcome(() => fs.statSync('none')),
    outcome(() => fs.lstatSync('file/x')),
  ],
  statfs: (fs) => [
    Object.keys(fs.statfsSync('/proc')),
    fs.statfsSync('/proc'),
    fs.statfsSync('/proc', { bigint: true }),
    outcome(() => fs.statfsSync('none')),
  ],
  'access, exists': (fs) => [
    fs.accessSync('file', nodeFs.constants.R_OK),
    outcome(() => fs.accessSync('none')),
    outcome(() => fs.accessSync('file', 9)),
    fs.existsSync('file'),
    fs.existsSync('none'),
    fs.existsSync('a\0b'),
  ],
  readdir: (fs) => [
    fs.readdirSync('tree'),
    fs.readdirSync('tree', 'buffer').map(String),
    fs.readdirSync('tree', { encoding: 'hex' as never }),
  ],
  'readdir, types': (fs) => [
    entries(fs.readdirSync('.', { withFileTypes: true })),
    entries(fs.readdirSync('/dev', { withFileTypes: true })),
  ],
  'readdir, recursive': (fs) => [
    fs.readdirSync('tree', { recursive: true }),
    entries(fs.readdirSync('tree', { recursive: true, withFileTypes: true })),
  ],
  'readdir, missing': (fs) => [outcome(() => fs.readdirSync('none')), outcome(() => fs.readdirSync('file'))],
  mkdir: (fs) => {
    const made = [
      fs.mkdirSync('dir'),
      fs.mkdirSync('dir/x/y/z', { recursive: true, mode: 0o700 }),
      fs.mkdirSync('dir/x/y', { recursive: true }),
      fs.mkdirSync(at('dir/q/'), { recursive: true }),
      fs.statSync('dir/x/y/z').mode,
      outcome(() => fs.mkdirSync('dir')),
      outcome(() => fs.mkdirSync('none/x')),
      outcome(() => fs.mkdirSync('file', { recursive: true })),
      outcome(() => fs.mkdirSync('file/x', { recursive: true })),
      outcome(() => fs.mkdirSync('d', { recursive: 1 as never })),
      outcome(() => fs.rmdirSync('dir')),
    ];
    fs.rmSync('dir', { recursive: true });
    return [made, fs.existsSync('dir')];
  },
  mkdtemp: (fs) => {
    const path = fs.mkdtempSync('temp-');
    const result = [path.length, fs.statSync(path).mode, outcome(() => fs.mkdtempSync('none/x'))];
    fs.rmdirSync(path);
    return result;
  },
  rm: (fs) => {
    fs.mkdirSync('rm/a/b', { recursive: true });
    fs.symlinkSync('../../..', 'rm/a/up');
    fs.writeFileSync('rm/a/b/file', '');
    const isDirectory = (outcome(() => fs.rmSync('rm')) as { code: string }).code;
    const results = [
      isDirectory,
      fs.rmSync('none', { force: true }),
      outcome(() => fs.rmSync('rm', { recursive: 1 as never })),
    ];
    fs.rmSync('rm', { recursive: true, maxRetries: 1 });
    return [results, fs.existsSync('rm'), fs.existsSync('tree')];
  },
  copyFile: (fs) => {
    nodeFs.chmodSync('tree/1', 0o751);
    fs.copyFileSync('tree/1', 'copy');
    const result = [
      fs.readFileSync('copy', 'utf8'),
      fs.statSync('copy').mode,
      outcome(() => fs.copyFileSync('tree/1', 'copy', 1)),
    ];
    fs.copyFileSync('copy', 'copy');
    result.push(fs.readFileSync('copy', 'utf8'));
    fs.unlinkSync('copy');
    return [
      ...result,
      outcome(() => fs.copyFileSync('none', 'copy')),
      outcome(() => fs.copyFileSync('file', 'none/x')),
      fs.existsSync('copy'),
    ];
  },
  'links and names': (fs) => {
    fs.symlinkSync('target', 'sym');
    fs.linkSync('file', 'hard');
    const result = [
      fs.readlinkSync('sym'),
      fs.readlinkSync('sym', 'buffer').toString('hex'),
      fs.statSync('hard').nlink,
    ];
    fs.renameSync('hard', 'soft');
    fs.unlinkSync('soft');
    fs.unlinkSync('sym');
    return [
      result,
      outcome(() => fs.renameSync('none', 'x')),
      outcome(() => fs.linkSync('none', 'x')),
      outcome(() => fs.symlinkSync('x', 'file')),
      outcome(() => fs.unlinkSync('tree')),
      outcome(() => fs.readlinkSync('file')),
      outcome(() => fs.renameSync('file', 5 as never)),
    ];
  },
  realpath: (fs) => [
    fs.realpathSync('link'),
    fs.realpathSync('tree/../tree/./a'),
    fs.realpathSync('.', 'buffer').toString(),
    outcome(() => fs.realpathSync('none/x')),
  ],
  'chmod, chown, utimes': (fs) => {
    fs.writeFileSync('attributes', '');
    fs.chmodSync('attributes', 0o604);
    fs.chownSync('attributes', process.getuid?.() as number, process.getgid?.() as number);
    fs.lchownSync('attributes', process.getuid?.() as number, -1);
    fs.utimesSync('attributes', 1234.5, new Date(5_678_500));
    fs.lutimesSync('link', 5, 6);
    const { mode, atimeMs, mtimeMs, uid } = fs.statSync('attributes');
    fs.unlinkSync('attributes');
    return [
      mode,
      atimeMs,
      mtimeMs,
      uid,
      fs.lstatSync('link').mtimeMs,
      outcome(() => fs.chmodSync('none', 0)),
      outcome(() => fs.utimesSync('none', 1, 1)),
      outcome(() => fs.utimesSync('file', {} as never, 1)),
    ];
  },
};

describe.each(Object.entries(blocking))('%s', (_name, operation) => {
  const theirs = (): unknown => plain(outcome(() => operation(nodeFs)));
  test('on the event loop', () => expect(plain(outcome(() => operation(own)))).toEqual(theirs()));
  test('on a userthread', async () => {
    expect(plain(await run(() => outcome(() => operation(own))))).toEqual(theirs());
  });
});

type Operation = (fs: Fs) => Promise<unknown>;
const collected = async (stream: AsyncIterable<unknown>): Promise<string> => {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
};

const asynchronous: Record<string, Operation> = {
  readFile: (fs) => fs.promises.readFile('file', 'utf8'),
  'readFile, missing': (fs) => fs.promises.readFile('none'),
  'no path': (fs) => fs.promises.stat(5 as never),
  'an aborted signal': (fs) =>
    fs.promises
      .readFile('file', { signal: AbortSignal.abort('why') })
      .catch((error) => [
        inspect(error).split('\n')[0],
        error.constructor.name,
        Object.entries(error),
        error.cause,
      ]),
  'stat, readdir': async (fs) => [
    await fs.promises.stat('file'),
    await fs.promises.readdir('tree', { recursive: true }),
  ],
  FileHandle: async (fs) => {
    const handle = await fs.promises.open('handle', 'w+');
    const events: string[] = [];
    (handle as unknown as EventEmitter).on('close', () => events.push('close'));
    const buffer = Buffer.alloc(4);
    const results = [
      await handle.write('abcdef'),
      await handle.write(Buffer.from('XY'), 0, 2, 1),
      (await handle.writev([Buffer.from('1'), Buffer.from('2')])).bytesWritten,
      (await handle.read(buffer, 0, 4, 0)).bytesRead,
      (await handle.read({ buffer, position: 2 })).bytesRead,
      (await handle.readv([buffer], 3)).bytesRead,
      buffer.toString(),
      (await handle.stat()).size,
      await handle.truncate(3),
      await handle.sync(),
      await handle.datasync(),
      await handle.chmod(0o600),
      await handle.utimes(1, 2),
      await handle.appendFile('Z'),
    ];
    await handle.close();
    await handle.close();
    const closed = await handle.stat().catch((error) => error.code);
    return [results, events, handle.fd, closed, await fs.promises.readFile('handle', 'latin1')];
  },
  'a FileHandle as a file': async (fs) => {
    const handle = await fs.promises.open('file');
    const text = await fs.promises.readFile(handle, 'utf8');
    await handle.close();
    return text;
  },
  'lines of a FileHandle': async (fs) => {
    const handle = await fs.promises.open('file');
    const lines: string[] = [];
    for await (const line of handle.readLines()) lines.push(line);
    return [lines, handle.fd];
  },
  opendir: async (fs) => {
    const seen: string[] = [];
    for await (const entry of await fs.promises.opendir('tree'))
      seen.push(`${entry.name} ${entry.isDirectory()}`);
    const dir = fs.opendirSync('tree');
    const first = dir.readSync()?.name;
    dir.closeSync();
    return [
      seen.sort(),
      seen.some((line) => line.startsWith(String(first))),
      dir.path,
      outcome(() => dir.readSync()),
      (outcome(() => fs.opendirSync('none')) as { code: string }).code,
    ];
  },
  'opendir, recursive': async (fs) => {
    const told = (entry: nodeFs.Dirent): string =>
      [entry.parentPath, entry.name, entry.isDirectory(), entry.isSymbolicLink()].join(' ');
    const read = async (path: string, options: object): Promise<string[]> => {
      const lines: string[] = [];
      for await (const entry of await fs.promises.opendir(path, options)) lines.push(told(entry));
      const dir = fs.opendirSync(path, options);
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) lines.push(told(entry));
      dir.closeSync();
      return lines.sort();
    };
    return [
      await read('tree', { recursive: true }),
      await read('./tree/../tree/', { recursive: true, encoding: 'utf8' }),
      await read('tree', { recursive: 1 }),
      await read('tree', { recursive: null }),
      await read('tree/a/b', { recursive: true, bufferSize: 5 }),
      (outcome(() => fs.opendirSync('none', { recursive: true })) as { code: string }).code,
    ];
  },
  'a stream to read': async (fs) => [
    await collected(fs.createReadStream('file', { encoding: 'utf8', start: 1, end: 7, highWaterMark: 3 })),
    await collected(fs.createReadStream('none')).catch(errorData),
  ],
  'a stream to write': async (fs) => {
    const stream = fs.createWriteStream('written', { flags: 'w', mode: 0o600 });
    stream.write('one');
    stream.write('two');
    await new Promise<void>((resolve) => stream.end('three', resolve));
    return [
      stream.bytesWritten,
      await fs.promises.readFile('written', 'utf8'),
      (await fs.promises.stat('written')).mode,
    ];
  },
  callbacks: async (fs) => {
    const called = (fn: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> =>
      new Promise((resolve) =>
        fn((...args) => resolve(args.map((arg) => (arg instanceof Error ? errorData(arg) : arg)))),
      );
    const [, fd] = (await called((cb) => fs.open('file', cb))) as [null, number];
    const results = [
      await called((cb) => fs.readFile('file', 'utf8', cb)),
      await called((cb) => fs.stat('none', cb)),
      await called((cb) => fs.mkdir('file', cb)),
      await called((cb) => fs.read(fd, Buffer.alloc(3), 0, 3, 0, cb)),
      await called((cb) => fs.read(fd, { buffer: Buffer.alloc(3), position: 1 }, cb)),
      await called((cb) => fs.readv(fd, [Buffer.alloc(2)], 0, cb)),
      await called((cb) => fs.exists('file', cb)),
      await promisify(fs.read)(fd, Buffer.alloc(2), 0, 2, 0),
      await promisify(fs.exists)('none'),
      outcome(() => fs.readFile('file', 5 as never)),
      await called((cb) => fs.close(fd, cb)),
    ];
    return results;
  },
};

test.each(Object.entries(asynchronous))('asynchronous: %s', async (_name, operation) => {
  const theirs = plain(await operation(nodeFs).catch(errorData));
  expect(plain(await operation(own).catch(errorData))).toEqual(theirs);
});

test('a recursive Dir goes on after directories that have been removed', () => {
  nodeFs.mkdirSync('going/1/2', { recursive: true });
  nodeFs.mkdirSync('going/3');
  const dir = own.opendirSync('going', { recursive: true });
  expect([dir.readSync()?.name, dir.readSync()?.name].sort()).toEqual(['1', '3']);
  nodeFs.rmSync('going', { recursive: true });
  const gone = [outcome(() => dir.readSync()), outcome(() => dir.readSync())] as NodeJS.ErrnoException[];
  expect(gone.map(({ code, syscall, path }) => [code, syscall, path]).sort()).toEqual([
    ['ENOENT', 'opendir', 'going/1'],
    ['ENOENT', 'opendir', 'going/3'],
  ]);
  expect(dir.readSync()).toBeNull();
  dir.closeSync();
});

test('a Dir is read by several at once, and closed after them', async () => {
  const slow = defineShim({
    name: 'slow',
    on: ['getdents64', 'open'],
    shim: (next) => (msg) => {
      sleep(1);
      return next(msg);
    },
  });
  const names = ['a', 'b', '1', '2', '3', 'ä'].sort();
  const results = await run(
    async () => {
      const dir = await own.promises.opendir('tree', { recursive: true });
      const reads = Array.from({ length: 8 }, () => dir.read());
      const closing = dir.close();
      const late = dir.read().catch((error) => error.code);
      const read = await Promise.all(reads);
      await closing;
      return [read.map((entry) => entry?.name ?? null), await late];
    },
    { syscallPort: sys.with(slow) },
  );
  expect(results).toEqual([expect.arrayContaining([...names, null]), 'ERR_DIR_CLOSED']);
  expect((results[0] as unknown[]).filter((name) => name !== null).sort()).toEqual(names);

  let dir: nodeFs.Dir | undefined;
  const reading = run(
    () => {
      dir = own.opendirSync(Buffer.from('tree') as never, { recursive: true });
      return dir.readSync()?.name;
    },
    { syscallPort: sys.with(slow) },
  );
  while (dir === undefined) await new Promise((resolve) => setImmediate(resolve));
  const codes = [outcome(() => dir?.readSync()), outcome(() => dir?.closeSync())];
  expect(codes).toMatchObject([
    { code: 'ERR_DIR_CONCURRENT_OPERATION' },
    { code: 'ERR_DIR_CONCURRENT_OPERATION' },
  ]);
  expect(names).toContain(await reading);
  dir.closeSync();
});

async function* later(...chunks: unknown[]): AsyncGenerator<unknown> {
  for (const chunk of chunks) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield chunk;
  }
}

/** What writeFile of node:fs/promises takes, made anew for each call. */
const chunks: Record<string, () => unknown> = {
  'an array of texts': () => ['é', '', 'b'],
  'an array of bytes': () => [
    Buffer.from('a'),
    new DataView(new ArrayBuffer(2)),
    new Uint16Array([0x6161]),
    new ArrayBuffer(1),
  ],
  'an empty array': () => [],
  'an array of promises': () => [Promise.resolve('a'), 'b'],
  'a set': () => new Set(['a', Buffer.from('b')]),
  'a map': () => new Map([['a', 'b']]),
  'an asynchronous generator': () => later('é', Buffer.from('b')),
  'a stream': () => Readable.from(['a', 'b']),
  'a file': () => nodeFs.createReadStream(at('file'), { highWaterMark: 5 }),
  'a stream of the web': () => new Blob(['from a', ' blob']).stream(),
  'an asynchronous iterator that is null': () => ({
    [Symbol.asyncIterator]: null,
    *[Symbol.iterator]() {
      yield 'z';
    },
  }),
  'numbers in an array': () => ['a', 1],
  'numbers of a generator': () => later('a', 1),
  'a generator that throws': async function* () {
    yield 'a';
    throw new Error('of the generator');
  },
  'a generator of what rejects': function* () {
    yield 'a';
    yield Promise.reject(new Error('of the promise'));
  },
  'an object': () => ({}),
  null: () => null,
  'a promise': () => Promise.resolve('a'),
  'an iterator that is none': () => ({ [Symbol.iterator]: 5 }),
};

test.each(Object.entries(chunks))('writeFile, appendFile of promises: %s', async (_name, data) => {
  const results = async (fs: Fs): Promise<unknown> => {
    const { writeFile, appendFile, open } = fs.promises;
    const seen: unknown[] = [];
    const step = async (fn: () => Promise<void>): Promise<void> => {
      const error = await fn().then(() => undefined, errorData);
      seen.push([error, nodeFs.readFileSync('chunks', 'hex')]);
    };
    nodeFs.writeFileSync('chunks', 'it was this');
    await step(() => appendFile('chunks', data() as string));
    await step(() => writeFile('chunks', data() as string, { mode: 0o600, flush: true }));
    await step(() => writeFile('chunks', data() as string, 'latin1'));
    const handle = await open('chunks', 'r+');
    await step(() => handle.writeFile(data() as string));
    await step(() => handle.appendFile(data() as string, { encoding: 'utf16le' }));
    await step(() => writeFile(handle, data() as string));
    await step(() => appendFile(handle, data() as string));
    await handle.close();
    seen.push(outcome(() => fs.writeFileSync('chunks', data() as string)));
    return seen;
  };
  expect(await results(own)).toEqual(await results(nodeFs));
});

test('writeFile of promises ends an iteration that it does not go through', async () => {
  const results = async (fs: Fs): Promise<unknown> => {
    const seen: unknown[] = [];
    const step = async (
      chunk: unknown,
      options?: { flag?: string; signal?: AbortSignal },
      before?: () => void,
    ): Promise<void> => {
      const data = (async function* () {
        try {
          yield 'a';
          before?.();
          yield chunk;
          yield 'c';
        } finally {
          seen.push('ended');
        }
      })();
      await fs.promises.writeFile('ended', data as AsyncIterable<string>, options).catch((error) => {
        seen.push([error.name, error.code]);
      });
      seen.push(nodeFs.readFileSync('ended', 'utf8'));
    };
    nodeFs.writeFileSync('ended', 'before');
    await step('b', { signal: AbortSignal.abort() });
    await step('b', { flag: 'wx' });
    await step(5);
    const aborting = new AbortController();
    await step('b', { signal: aborting.signal }, () => aborting.abort());
    await step('b');
    return seen;
  };
  expect(await results(own)).toEqual(await results(nodeFs));
});

test('an abort does not wait for the next chunk', async () => {
  const controller = new AbortController();
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  let ended = false;
  const data = (async function* () {
    try {
      yield 'a';
      setImmediate(() => controller.abort());
      await gone;
      yield 'b';
    } finally {
      ended = true;
    }
  })();
  const { signal } = controller;
  await expect(own.promises.writeFile('aborted', data, { signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
  go();
  await new Promise((resolve) => setImmediate(resolve));
  expect([ended, nodeFs.readFileSync('aborted', 'utf8')]).toEqual([true, 'a']);
});

test('every call goes through the port, and blocks its userthread only', async () => {
  const seen: string[] = [];
  const watch = defineShim({
    name: 'watch',
    on: 'all',
    shim: (next) => (msg) => {
      seen.push(msg.name);
      return next(msg);
    },
  });
  await run(() => {
    const tree = memfs({ '/memory': { file: 'in memory' } });
    const text = create(() => own.readFileSync('/memory/file', 'utf8'), {
      syscallPort: sys.with(watch, tree),
    }).join();
    expect(text).toBe('in memory');
    expect(seen).toEqual(['open', 'statx', 'read', 'close']);
    create(() => own.mkdirSync('/memory/a/b', { recursive: true }), {
      syscallPort: sys.with(tree),
    }).join();
    expect(tree.readdir('/memory')).toEqual(['a', 'file']);
    const [r, w] = sys.pipe2(c.O_CLOEXEC);
    const reader = create(() => own.readSync(r, Buffer.alloc(1)));
    expect(own.writeSync(w, 'x')).toBe(1);
    expect(reader.join()).toBe(1);
    sys.close(r);
    sys.close(w);
  });
});

/** What docs/fs.md says is missing. */
const page = nodeFs.readFileSync(new URL('../../../../docs/fs.md', import.meta.url), 'utf8');
const missing = (heading: string): string[] => {
  const text = page.split(`### ${heading}\n`)[1]?.split('\n##')[0] ?? '';
  return [...text.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
    [...(cell as string).matchAll(/`(\w+)`/g)].map(([, name]) => name as string),
  );
};

test.each([
  ['Missing of node:fs', nodeFs, names],
  ['Missing of node:fs/promises', nodeFs.promises, names.promises],
])('%s: as the page says', (heading, theirs, ours) => {
  const lacks = Object.keys(theirs).filter(
    (name) => !(name in ours) && !name.startsWith('_') && !/^[FRWX]_OK$/.test(name),
  );
  const told = missing(heading);
  expect(told.length).toBeGreaterThan(0);
  expect(lacks.filter((name) => !told.includes(name))).toEqual([]);
  expect(told.filter((name) => name in ours)).toEqual([]);
});

describe("blocking functions on the event loop's own stack wait as node:fs' do", () => {
  /** The program's output, whose input comes in two parts, late. `full`: nobody reads what it writes until then. */
  async function output(what: string, full: boolean): Promise<unknown> {
    const program = join(import.meta.dirname, '..', 'programs', 'holding.mjs');
    const child = spawn(process.execPath, [program, what, nodeFs.mkdtempSync(at('holding-'))]);
    let stderr = '';
    let stdout = '';
    const read = (): void => {
      child.stdout.on('data', (text) => {
        stdout += text;
      });
    };
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    if (!full) read(); // what nobody reads when a program ends, Node drops
    setTimeout(() => {
      if (full) read();
      child.stdin.on('error', () => {}); // it may have ended
      child.stdin.write('one ');
      setTimeout(() => child.stdin.end('two'), 100);
    }, 500);
    const [status] = await once(child, 'close');
    return [status, stdout, stderr];
  }

  test.each([
    ['readFileSync(0)', 'one two\n'],
    ['readFileSync(0) of node:fs, under installFs()', 'one two\n'],
    ['readSync, again and again', 'one two\n'],
    ['a FIFO', 'through a pipe\n'],
  ])('%s', async (what, stdout) => expect(await output(what, false)).toEqual([0, stdout, '']));

  test('writeSync to a pipe that is full', async () => {
    expect(await output('writeSync to a pipe that is full', true)).toEqual([
      0,
      'x'.repeat(300_000),
      '300000\n',
    ]);
  });

  test('sys.read does not', () => {
    const [r, w] = sys.pipe2();
    expect(errorOf(() => sys.read(r, Buffer.alloc(1))).code).toBe('ERR_LWKT_WOULD_BLOCK');
    for (const fd of [r, w]) sys.close(fd);
  });
});

test('installFs(): node:fs itself, by name and by default, and back', async () => {
  const { stdout, stderr, status } = await runProgram('install-fs.mjs');
  expect({ stderr, status }, stdout).toEqual({ stderr: '', status: 0 });
  expect(JSON.parse(stdout)).toEqual({
    sync: 'in memory',
    named: 'in memory',
    promise: 'in memory',
    callback: 'in memory',
    stream: 'in memory',
    back: ['ENOENT', 'ENOENT'],
    same: true,
    traced: true,
  });
});

test('close needs no callback, as the only one', async () => {
  const { stdout, stderr, status } = await runProgram('close.mjs');
  expect([stderr, status]).toEqual(['', 0]);
  expect(stdout.split('\n')).toEqual([
    'undefined undefined undefined',
    ...new Array(3).fill('ERR_INVALID_ARG_TYPE'),
    'ERR_OUT_OF_RANGE',
    'EBADF close',
    'told',
    'closed',
    '',
  ]);
  expect(errorOf(() => (ownFs.fsync as unknown as (fd: number) => void)(0))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

test.each([
  ['stdout', 1],
  ['stderr', 2],
])('installFs(): %s does not go through the port, also where it is a file', async (name, place) => {
  const path = at(name);
  const fd = nodeFs.openSync(path, 'w');
  const stdio = (['ignore', 'ignore', 'ignore'] as (number | 'ignore')[]).with(place, fd);
  const program = join(import.meta.dirname, '..', 'programs', 'install-fs-output.mjs');
  const [status] = await once(spawn(process.execPath, [program, name], { stdio }), 'exit');
  nodeFs.closeSync(fd);
  expect([status, nodeFs.readFileSync(path, 'utf8')]).toEqual([0, 'before\nby node:fs: ENOSPC\n']);
});

const permission = ['--permission', '--experimental-permission'].find((option) =>
  process.allowedNodeEnvironmentFlags.has(option),
);

test.runIf(permission)(
  "under Node's permission model it loads where nothing but the packages may be read",
  async () => {
    const root = join(import.meta.dirname, '..', '..', '..', '..');
    const flags = [permission as string, '--allow-addons', `--allow-fs-read=${root}/*`, '--no-warnings'];
    const program = `
    const fs = require('@libcr/syscalls/fs');
    console.log([fs.statSync('.', { bigint: true }), fs.statfsSync('.')].map((stat) => stat.constructor.name).join());`;
    const child = spawn(process.execPath, [...flags, '-e', program], {
      cwd: join(import.meta.dirname, '..', '..'),
    });
    const said: Record<string, string> = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (text) => {
        said[name] += text;
      });
    const [status] = await once(child, 'close');
    expect({ status, ...said }).toEqual({ status: 0, stdout: 'BigIntStats,StatFs\n', stderr: '' });
  },
);
