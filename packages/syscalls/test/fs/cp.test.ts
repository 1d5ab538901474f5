/**
 * cp.test.ts: cp of @libcr/syscalls/fs beside node:fs': the same arguments over the same tree, with the same errors, calls of the filter and tree
 * afterwards, in each form. node:fs' promise form is what all are compared with: cpSync of newer versions words its errors otherwise.
 */
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { create, run } from '@libcr/core';
import { afterAll, describe, expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { defineShim, sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { temporaryFolder } from '../support.ts';

type Options = Record<string, unknown>;
type Filter = (source: string, destination: string) => unknown;
type Cp = (src: never, dest: never, options?: never) => Promise<unknown> | unknown;

const folder = join(temporaryFolder(), 'tree');
const pipe = `${folder}.pipe`;
execFileSync('mkfifo', [pipe]);
const cwd = process.cwd();
afterAll(() => {
  process.chdir(cwd);
  release(folder);
});

/** Who is not root can't remove what is in a directory that is read-only. */
function release(path: string): void {
  nodeFs.chmodSync(path, 0o700);
  for (const entry of nodeFs.readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) release(join(path, entry.name));
}

/** The tree that each case begins with. */
function setUp(): void {
  process.chdir(dirname(folder));
  if (nodeFs.existsSync(folder)) release(folder);
  nodeFs.rmSync(folder, { recursive: true, force: true });
  nodeFs.mkdirSync(folder);
  process.chdir(folder);
  const write = (path: string, mode = 0o644): void => {
    nodeFs.mkdirSync(dirname(path), { recursive: true });
    nodeFs.writeFileSync(path, `this is ${path}`);
    nodeFs.chmodSync(path, mode);
    nodeFs.utimesSync(path, 1000.5, 2000.25);
  };
  write('file');
  write('read-only', 0o444);
  write('set-user-ID', 0o4755);
  write('other', 0o600);
  write('source/1', 0o640);
  write('source/ä/2', 0o604);
  write('source/ä/deep/read-only', 0o400);
  nodeFs.mkdirSync('source/empty', { mode: 0o750 });
  for (const [target, path] of [
    ['1', 'source/link'],
    ['../file', 'source/up'],
    ['/dev/null', 'source/absolute'],
    ['ä', 'source/link-to-directory'],
    ['file', 'link'],
    ['other', 'link-to-other'],
    ['source', 'link-to-directory'],
    ['source/ä', 'link-below'],
    ['nowhere', 'leads-nowhere'],
    ['loop', 'loop'],
  ] as const)
    nodeFs.symlinkSync(target, path);
  nodeFs.chmodSync('source/ä/deep', 0o500);
  nodeFs.chmodSync('source', 0o1777);
  write('linked/1');
  nodeFs.symlinkSync('1', 'linked/link');
  nodeFs.symlinkSync('../source/empty', 'linked/directory');
  write('directory/there');
  nodeFs.chmodSync('directory', 0o700);
  write('directory-with-1/1');
  nodeFs.mkdirSync('directory-with-directory/1', { recursive: true });
  nodeFs.mkdirSync('files');
  nodeFs.linkSync('source/1', 'directory/hard');
  nodeFs.mkdirSync('hard');
  nodeFs.linkSync('source/1', 'hard/1');
  nodeFs.linkSync(pipe, 'pipe');
}

/** All that is in the folder. Times are told where they are the old ones. */
function tree(path = ''): unknown[] {
  return nodeFs
    .readdirSync(join(folder, path))
    .sort()
    .flatMap((name) => {
      const below = join(path, name);
      const whole = join(folder, below);
      const stat = nodeFs.lstatSync(whole);
      const time = stat.mtimeMs < 1e9 ? [stat.mtimeMs] : [];
      const entry = [below, stat.mode.toString(8), stat.nlink, ...time];
      if (stat.isDirectory()) return [[below, stat.mode.toString(8)], ...tree(below)];
      if (stat.isSymbolicLink()) return [[...entry, nodeFs.readlinkSync(whole)]];
      return [stat.isFile() ? [...entry, nodeFs.readFileSync(whole, 'utf8')] : entry];
    });
}

interface Case {
  src: unknown;
  dest: unknown;
  options?: unknown;
}

/** What copying comes to: the error, what the filter was asked, and the tree. */
async function outcome(cp: Cp, { src, dest, options }: Case): Promise<unknown> {
  setUp();
  const asked: unknown[] = [];
  const filter = (options as { filter?: unknown } | undefined)?.filter;
  const given =
    typeof filter === 'function'
      ? {
          ...(options as Options),
          filter: (...args: Parameters<Filter>) => {
            asked.push(args.map(String));
            return (filter as Filter)(...args);
          },
        }
      : options;
  let error: unknown;
  try {
    expect(await cp(src as never, dest as never, given as never)).toBeUndefined();
  } catch (thrown) {
    const { name, message, stack: _stack, ...rest } = thrown as Error & Options;
    const misuse = /^ERR_(INVALID|OUT|INCOMPATIBLE)/.test(String(rest.code));
    error = misuse ? { name, code: rest.code } : { name, message, ...rest };
  }
  process.chdir(folder);
  return { error, asked: asked.sort(), tree: tree() };
}

const called: Cp = (src, dest, options) =>
  new Promise<unknown>((fulfil, reject) =>
    ownFs.cp(src, dest, options as never, (error) => (error === null ? fulfil(undefined) : reject(error))),
  );

const theirs = new Map<Case, Promise<unknown>>();

/** What node:fs makes of a case, which several forms are compared with. */
function expected(given: Case): Promise<unknown> {
  const known = theirs.get(given) ?? outcome(nodeFs.promises.cp as Cp, given);
  theirs.set(given, known);
  return known;
}

const recursive = { recursive: true };
const url = (name: string): URL => new URL(`file://${folder}/${name}`);

const cases: Record<string, Case> = {
  'a file': { src: 'file', dest: 'new' },
  'a file, URLs': { src: url('file'), dest: url('new') },
  'a file over another': { src: 'file', dest: 'other' },
  'a file over a read-only one': { src: 'set-user-ID', dest: 'read-only' },
  'a file over one with two names': { src: 'file', dest: 'source/1' },
  'a file over a link to it': { src: 'file', dest: 'link' },
  'a file over a link that leads nowhere': { src: 'file', dest: 'leads-nowhere' },
  'a file over a pipe': { src: 'file', dest: 'pipe' },
  'a file, not forced': { src: 'file', dest: 'other', options: { force: false } },
  'a file, an error if it is there': {
    src: 'file',
    dest: 'other',
    options: { force: false, errorOnExist: true },
  },
  'a file, forced all the same': { src: 'file', dest: 'other', options: { errorOnExist: true } },
  'a file with COPYFILE_EXCL': { src: 'file', dest: 'other', options: { mode: 1 } },
  'a file with its times': { src: 'read-only', dest: 'new', options: { preserveTimestamps: true } },
  'a file, directories above are missing': { src: 'file', dest: 'a/b/c' },
  'a file over a directory': { src: 'file', dest: 'directory' },
  'a file over itself': { src: 'file', dest: 'file' },
  'a file below a file': { src: 'file', dest: 'other/x' },
  'a file below itself': { src: 'file', dest: 'file/x' },
  'a file that is not there': { src: 'none', dest: 'new' },
  'a file, slash behind its name': { src: 'file/', dest: 'new' },
  'a file, slash behind the new name': { src: 'file', dest: 'new/' },
  'a file, no name': { src: '', dest: 'new' },
  'a file, no new name': { src: 'file', dest: '' },
  'a set-user-ID file': { src: 'set-user-ID', dest: 'new' },
  'a device': { src: '/dev/null', dest: 'new' },
  'a pipe': { src: 'pipe', dest: 'new' },
  'a pipe over a file': { src: 'pipe', dest: 'other' },
  'a link': { src: 'link', dest: 'new' },
  'a link, verbatim': { src: 'link', dest: 'new', options: { verbatimSymlinks: true } },
  'a link, followed': { src: 'link', dest: 'new', options: { dereference: true } },
  'a link over its file': { src: 'link', dest: 'file' },
  'a link over its file, followed': { src: 'link', dest: 'file', options: { dereference: true } },
  'a link over another': { src: 'link', dest: 'link-to-other', options: { force: false } },
  'a link over another, verbatim': {
    src: 'link',
    dest: 'link-to-other',
    options: { verbatimSymlinks: true },
  },
  'a link over a directory': { src: 'link', dest: 'directory' },
  'a link that leads nowhere': { src: 'leads-nowhere', dest: 'new' },
  'a link that leads nowhere, followed': {
    src: 'leads-nowhere',
    dest: 'new',
    options: { dereference: true },
  },
  'a link that leads to itself, followed': { src: 'loop', dest: 'new', options: { dereference: true } },
  'a link to a directory': { src: 'link-to-directory', dest: 'new' },
  'a link to a directory, followed': {
    src: 'link-to-directory',
    dest: 'new',
    options: { dereference: true },
  },
  'a link to a directory, followed all the way': {
    src: 'link-to-directory',
    dest: 'new',
    options: { dereference: true, recursive: true },
  },
  'a link to a directory over one below': { src: 'link-to-directory', dest: 'link-below' },
  'a link to a directory over one above': { src: 'link-below', dest: 'link-to-directory' },
  'a directory': { src: 'source', dest: 'new', options: recursive },
  'a directory, URLs': { src: url('source/'), dest: url('a/new/'), options: recursive },
  'a directory, roundabout names': { src: './files/../source/', dest: './a//../new/', options: recursive },
  'a directory, verbatim': {
    src: 'source',
    dest: 'new',
    options: { recursive: true, verbatimSymlinks: true },
  },
  'a directory with times': {
    src: 'source',
    dest: 'new',
    options: { recursive: true, preserveTimestamps: true },
  },
  'a directory, links followed': {
    src: 'linked',
    dest: 'new',
    options: { recursive: true, dereference: true },
  },
  'a directory into another': { src: 'source', dest: 'directory', options: recursive },
  'a directory into another, not forced': {
    src: 'source',
    dest: 'directory-with-1',
    options: { recursive: true, force: false },
  },
  'a directory into another, an error if something is there': {
    src: 'directory-with-1',
    dest: 'source',
    options: { recursive: true, force: false, errorOnExist: true },
  },
  'a directory over a file': { src: 'source', dest: 'file', options: recursive },
  'a directory over a link to one': { src: 'directory', dest: 'link-to-directory', options: recursive },
  'a directory over a link to one, followed': {
    src: 'directory',
    dest: 'link-to-directory',
    options: { recursive: true, dereference: true },
  },
  'a directory, a file over a directory': {
    src: 'directory-with-1',
    dest: 'directory-with-directory',
    options: recursive,
  },
  'a directory, a directory over a file': {
    src: 'directory-with-directory',
    dest: 'directory-with-1',
    options: recursive,
  },
  'a directory, a file over itself': { src: 'hard', dest: 'source', options: recursive },
  'a directory, not recursive': { src: 'source', dest: 'new' },
  'a directory over itself': { src: 'source', dest: 'source', options: recursive },
  'a directory into itself': { src: 'source', dest: 'source/a/b', options: recursive },
  'a directory into one in it': { src: 'source', dest: 'source/empty', options: recursive },
  'a directory into itself behind a link': { src: 'source', dest: 'link-to-directory/x', options: recursive },
  'a directory into that above it': { src: 'source/ä', dest: 'source', options: recursive },
  'a directory beside one with a longer name': { src: 'directory', dest: 'directory-x', options: recursive },
  'no options': { src: 'file', dest: 'new', options: 5 },
  'null for options': { src: 'file', dest: 'new', options: null },
  'recursive is no boolean': { src: 'file', dest: 'new', options: { recursive: 1 } },
  'force is undefined': { src: 'file', dest: 'new', options: { force: undefined } },
  'filter is no function': { src: 'file', dest: 'new', options: { filter: null } },
  'filter is undefined': { src: 'file', dest: 'new', options: { filter: undefined } },
  'mode is too large': { src: 'file', dest: 'new', options: { mode: 9 } },
  'mode is no integer': { src: 'file', dest: 'new', options: { mode: 1.5 } },
  'mode is null': { src: 'file', dest: 'new', options: { mode: null } },
  'followed and verbatim': {
    src: 'file',
    dest: 'new',
    options: { dereference: true, verbatimSymlinks: true },
  },
  'no source': { src: 5, dest: 'new' },
  'no destination': { src: 'file', dest: 5 },
  'a NUL in the name': { src: 'a\0', dest: 'new' },
  'bytes for a source': { src: Buffer.from('file'), dest: 'new' },
  'bytes for a destination': { src: 'file', dest: Buffer.from('new') },
  'bytes of what is not there': { src: Buffer.from('none'), dest: Buffer.from('new') },
  'bytes that the filter refuses': {
    src: Buffer.from('file'),
    dest: Buffer.from('new'),
    options: { filter: () => false },
  },
  'a filter': {
    src: './source/',
    dest: 'new//',
    options: { recursive: true, filter: (source: string) => !source.endsWith('ä') },
  },
  'a filter, any true value': {
    src: 'source',
    dest: 'new',
    options: { recursive: true, filter: (source: string) => (source.endsWith('ä') ? 0 : 'yes') },
  },
  'a filter that refuses all': {
    src: 'none',
    dest: 'a/b/c',
    options: { recursive: true, filter: () => false },
  },
  'a filter that throws': {
    src: 'directory-with-1',
    dest: 'new',
    options: {
      recursive: true,
      filter: (source: string) => {
        if (source.endsWith('1/1')) throw new Error('of the filter');
        return true;
      },
    },
  },
};

const inTime = (filter: Filter): Filter => {
  return async (source, destination) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return filter(source, destination);
  };
};

const slow: Record<string, Case> = {
  'a filter that takes its time': {
    src: 'source',
    dest: 'new',
    options: { recursive: true, filter: inTime((source) => !source.endsWith('ä')) },
  },
  'a filter that rejects': {
    src: 'directory-with-1',
    dest: 'new',
    options: {
      recursive: true,
      filter: inTime((source) => {
        if (source.endsWith('1/1')) throw new Error('of the filter');
        return true;
      }),
    },
  },
};

const blocking: Record<string, Cp> = {
  'cpSync on the event loop': ownFs.cpSync as Cp,
  'cpSync on a userthread': (src, dest, options) => run(() => ownFs.cpSync(src, dest, options)),
};

const asynchronous: Record<string, Cp> = {
  'promises.cp': ownFs.promises.cp as Cp,
  'cp with a callback': called,
};

describe.each(Object.entries({ ...blocking, ...asynchronous }))('%s', (_form, cp) => {
  test.each(Object.entries(cases))('%s', async (_name, given) => {
    const wanted = await expected(given);
    expect(await outcome(cp, given)).toEqual(wanted);
  });
});

/** With a callback that is the callback. */
const functionForOptions: Case = { src: 'file', dest: 'new', options: () => true };

test.each(Object.entries({ ...blocking, 'promises.cp': ownFs.promises.cp as Cp }))(
  '%s: a function for options',
  async (_form, cp) => {
    const wanted = await expected(functionForOptions);
    expect(await outcome(cp, functionForOptions)).toEqual(wanted);
  },
);

describe.each(Object.entries(asynchronous))('%s', (_form, cp) => {
  test.each(Object.entries(slow))('%s', async (_name, given) => {
    const wanted = await expected(given);
    expect(await outcome(cp, given)).toEqual(wanted);
  });
});

test.each(Object.entries(blocking))('%s can not wait for a filter', async (_form, cp) => {
  const given = {
    src: 'source',
    dest: 'new',
    options: { recursive: true, filter: (source: string) => Promise.resolve(source) },
  };
  const wanted = await outcome(nodeFs.cpSync as Cp, given);
  expect(wanted).toMatchObject({ error: { code: 'ERR_INVALID_RETURN_VALUE' } });
  expect(await outcome(cp, given)).toEqual(wanted);
});

test('a socket', async () => {
  setUp();
  const path = join(dirname(folder), 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const given = { src: path, dest: 'new' };
    const wanted = await outcome(nodeFs.promises.cp as Cp, given);
    expect(wanted).toMatchObject({ error: { code: 'ERR_FS_CP_SOCKET' } });
    expect(await outcome(ownFs.cpSync as Cp, given)).toEqual(wanted);
  } finally {
    server.close();
  }
});

test('a callback is needed, and wrong options throw before it is called', () => {
  expect(() => ownFs.cp('file', 'new', {} as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => ownFs.cp('file', 'new', { recursive: 1 } as never, () => {})).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
});

describe('what node:fs does not do', () => {
  test('a link that leads nowhere is replaced, and replaces', async () => {
    for (const [src, dest] of [
      ['link', 'leads-nowhere'],
      ['leads-nowhere', 'link-to-other'],
    ] as const)
      for (const cp of [ownFs.cpSync, ownFs.promises.cp]) {
        setUp();
        await cp(src, dest);
        expect(nodeFs.readlinkSync(dest)).toBe(join(folder, nodeFs.readlinkSync(src)));
      }
  });

  test('a directory is not copied into itself, also behind a link to one in it that is to have new ones', () => {
    setUp();
    const before = tree();
    for (const [dest, dereference] of [
      ['link-below/x/y', false],
      ['link-below', true],
    ] as const)
      expect(() => ownFs.cpSync('source', dest, { recursive: true, dereference })).toThrow(
        expect.objectContaining({ code: 'ERR_FS_CP_EINVAL' }),
      );
    expect(tree()).toEqual(before);
  });
});

test('every call goes through the port', async () => {
  setUp();
  const seen = new Set<string>();
  const watch = defineShim({
    name: 'watch',
    on: 'all',
    shim: (next) => (msg) => {
      seen.add(msg.name);
      return next(msg);
    },
  });
  await run(() => {
    const memory = memfs({ '/memory': { from: { file: 'in memory', deep: { more: 'more' } } } });
    create(() => ownFs.cpSync('/memory/from', '/memory/to/there', { recursive: true }), {
      syscallPort: sys.with(watch, memory),
    }).join();
    expect(memory.readdir('/memory/to/there')).toEqual(['deep', 'file']);
    expect(memory.readdir('/memory/to/there/deep')).toEqual(['more']);
    create(() => ownFs.cpSync('source/1', '/memory/real'), { syscallPort: sys.with(memory) }).join();
    expect(memory.readdir('/memory')).toEqual(['from', 'real', 'to']);
  });
  expect([...seen]).toEqual(expect.arrayContaining(['statx', 'open', 'getdents64', 'mkdir', 'chmod']));
  expect(nodeFs.existsSync('/memory')).toBe(false);
});
