/**
 * glob.test.ts: glob of @libcr/syscalls/fs: the same paths in the same order as a list (glob.json), which is Node 26's; and, where node:fs has
 * glob, as that. With LIBCR_GLOB_LISTS=1 on Node 26 the lists are written anew.
 */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create, run } from '@libcr/core';
import { afterAll, expect, test } from 'vitest';
import ownFs, { promises } from '../../src/fs/index.ts';
import { sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { errorOf, temporaryFolder } from '../support.ts';

// biome-ignore lint/suspicious/noExplicitAny: @types/node is older than glob
type Any = any;
type Found = string | nodeFs.Dirent;
const node = nodeFs as Any;
const [major] = process.versions.node.split('.').map(Number) as [number];

const folder = temporaryFolder();
const cwd = process.cwd();
process.chdir(folder);
afterAll(() => process.chdir(cwd));
for (const name of ['a/b/c', 'a/.dot', 'd', '.hidden/in'])
  nodeFs.mkdirSync(join('tree', name), { recursive: true });
for (const name of [
  'one.js',
  'two.ts',
  'ten.JS',
  'f1',
  'f2',
  '[x]',
  'a/three.js',
  'a/b/four.js',
  'a/b/c/five.ts',
  'a/.dot/six.js',
  '.rc',
  '.hidden/seven.js',
  'd/ä.js',
])
  nodeFs.writeFileSync(join('tree', name), '');
for (const [target, name] of [
  ['a', 'link'],
  ['..', 'a/b/up'],
  ['none', 'broken'],
  ['one.js', 'alias.js'],
] as const)
  nodeFs.symlinkSync(target, join('tree', name));

interface Case {
  pattern: string | string[];
  options?: object;
  /** The first Node whose glob has the option, or answers so. */
  since?: number;
}

const tree = join(folder, 'tree');
const within = (...patterns: (string | string[])[]): Case[] =>
  patterns.map((pattern) => ({ pattern, options: { cwd: 'tree' } }));
const cases: Case[] = [
  ...within('*', '**', '*/', '**/', '*/**', './**', './*', '.', '..', '', '/', '*.js', '**/*.js'),
  ...within('**/*.{js,ts}', '{a,d}/*.js', 'f{1..3}', '[!f]*', 'f[[:digit:]]', '[a-o]*.js', '?1', '\\[x\\]'),
  ...within('.*', '**/.*', '.hidden/*', '**/.dot/*', 'a/.*/*', '!(a|d)', '+(o|n|e).js', '@(one|two).*'),
  ...within(
    'link/*',
    'link/**',
    '**/up/*',
    '*/three.js',
    '**/b/**',
    '**/b/*',
    'a/**/c',
    'a/**/*.ts',
    '**/**',
  ),
  ...within('../*', '../tree/*.js', 'a/..', 'a/../*.js', '*/..', '**/..', 'a/b/../../f1'),
  ...within('a/', 'a//b', './a/./b/*', 'one.js/', 'one.js/*', 'none/*', 'none', 'broken', 'a/b/c/', '**/c/'),
  ...within(['*.js', '*.ts'], ['a/*', 'a/*', '**/three.js'], [], 'a\0b', '#*', '!*', 'd/ä.*', '*.JS'),
  // Node 22 and 24 go through a link that "**" has led to, as Node 26 does not any more.
  { pattern: '**/*', options: { cwd: 'tree' }, since: 26 },
  // Node 22 forgets what has been found another way.
  { pattern: '**/../*.js', options: { cwd: 'tree' }, since: 24 },
  { pattern: `${tree}/*.js` },
  { pattern: `${tree}/**/*.ts`, options: { cwd: 'tree/d' } },
  { pattern: 'tree/*' },
  { pattern: 'tree/**/*.js', options: {} },
  { pattern: '*', options: { cwd: pathToFileURL(tree) } },
  { pattern: '*', options: { cwd: 'none' } },
  { pattern: '**', options: { cwd: 'none' } },
  { pattern: '**', options: { cwd: 'tree/one.js' } },
  { pattern: '**', options: { cwd: 'tree', exclude: ['a/b', '*.js'] } },
  { pattern: '**/*.js', options: { cwd: 'tree', exclude: ['**/b/**'] } },
  { pattern: '**', options: { cwd: 'tree', exclude: [`${tree}/a/**`, 'd/'] } },
  { pattern: '**', options: { cwd: 'tree', exclude: (name: string) => name === 'b' } },
  { pattern: 'a/*', options: { cwd: 'tree', exclude: (name: string) => name === 'a' } },
  {
    pattern: 'tree/**/*.js',
    options: { withFileTypes: true, exclude: (entry: nodeFs.Dirent) => entry.name === 'b' },
  },
  { pattern: '**', options: { cwd: 'tree', withFileTypes: true } },
  { pattern: ['*', 'a/..', 'a/b/c'], options: { cwd: tree, withFileTypes: true } },
  { pattern: 'tree/**', options: { withFileTypes: true } },
  { pattern: '**', options: { cwd: 'tree', followSymlinks: true }, since: 24 },
  { pattern: '**/*.js', options: { cwd: 'tree', followSymlinks: true }, since: 24 },
  { pattern: '**', options: { cwd: 'tree', maxDepth: 0 }, since: 26 },
  { pattern: '**', options: { cwd: 'tree', maxDepth: 2 }, since: 26 },
  { pattern: `${tree}/**/*.js`, options: { cwd: 'tree', maxDepth: 2 }, since: 26 },
];

const told = (found: Found | null): unknown => {
  const short = (path: string): string => path.replaceAll(folder, '<>');
  if (found === null || typeof found === 'string') return found === null ? null : short(found);
  const { name, parentPath } = found;
  const kind = found.isDirectory() ? 'directory' : found.isSymbolicLink() ? 'link' : 'file';
  expect(found).toBeInstanceOf(nodeFs.Dirent);
  return `${name} in ${short(parentPath)}: ${kind}`;
};

const callback = (fs: Any, pattern: unknown, options: unknown): Promise<Found[]> =>
  new Promise((resolve, reject) =>
    fs.glob(pattern, options, (error: Error | null, list: Found[]) =>
      error ? reject(error) : resolve(list),
    ),
  );

async function iterated(fs: Any, pattern: unknown, options: unknown): Promise<Found[]> {
  const list: Found[] = [];
  for await (const found of fs.promises.glob(pattern, options)) list.push(found);
  return list;
}

type Lists = { sync: unknown[]; asynchronous: unknown[] };

const file = new URL('glob.json', import.meta.url);
const lists = JSON.parse(nodeFs.readFileSync(file, 'utf8')) as Record<string, Lists>;
const nameOf = ({ pattern, options }: Case): string =>
  JSON.stringify([pattern, options ?? null], (_key, value) =>
    typeof value === 'function' ? String(value) : value,
  ).replaceAll(folder, '<>');

async function answers(fs: Any, { pattern, options }: Case): Promise<Lists & { called: unknown[] }> {
  return {
    sync: fs.globSync(pattern, options).map(told),
    asynchronous: (await iterated(fs, pattern, options)).map(told),
    called: (await callback(fs, pattern, options)).map(told),
  };
}

test.each(cases.map((one) => [nameOf(one), one] as const))('%s', async (name, one) => {
  if (process.env.LIBCR_GLOB_LISTS !== undefined) {
    const { sync, asynchronous } = await answers(node, one);
    lists[name] = { sync, asynchronous };
    nodeFs.writeFileSync(file, `${JSON.stringify(lists, null, 2)}\n`);
  }
  const listed = lists[name] as Lists;
  const expected = { ...listed, called: listed.asynchronous };
  expect(await answers(ownFs, one)).toEqual(expected);
  const onUserthread = await run(() => ownFs.globSync(one.pattern, one.options as never).map(told));
  expect(onUserthread).toEqual(listed.sync);
  if (typeof node.glob === 'function' && (one.since ?? 0) <= major)
    expect(await answers(node, one)).toEqual(expected);
});

test('wrong arguments', async () => {
  const wrong: [unknown, unknown][] = [
    [5, {}],
    [null, {}],
    [['a', 5], {}],
    ['*', null],
    ['*', 'tree'],
    ['*', []],
    ['*', { exclude: 'a' }],
    ['*', { exclude: [5] }],
    ['*', { cwd: 5 }],
    ['*', { cwd: new URL('http://example.org/') }],
  ];
  const codes = ['ERR_INVALID_URL_SCHEME', 'ERR_INVALID_ARG_TYPE'];
  for (const [pattern, options] of wrong) {
    const own = errorOf(() => ownFs.globSync(pattern as string, options as object));
    expect(codes).toContain(own.code);
    if (typeof node.glob === 'function') {
      const { name, code } = errorOf(() => node.globSync(pattern, options));
      expect([own.name, own.code]).toEqual([name, code]);
    }
    const list = promises.glob(pattern as string, options as object);
    await expect(list.next()).rejects.toMatchObject({ code: own.code });
    expect(errorOf(() => ownFs.glob(pattern as string, options as object, () => {})).code).toBe(own.code);
  }
  expect(errorOf(() => ownFs.globSync('*', { followSymlinks: 1 as never })).code).toBe(
    'ERR_INVALID_ARG_TYPE',
  );
  expect(errorOf(() => ownFs.globSync('*', { maxDepth: -1 })).code).toBe('ERR_OUT_OF_RANGE');
  expect(errorOf(() => ownFs.glob('*', undefined as never)).code).toBe('ERR_INVALID_ARG_TYPE');
});

test("an error of exclude is the call's", async () => {
  const exclude = (): boolean => {
    throw new Error('of exclude');
  };
  expect(() => ownFs.globSync('tree/**', { exclude })).toThrow('of exclude');
  await expect(promises.glob('tree/**', { exclude }).next()).rejects.toThrow('of exclude');
  await expect(callback(ownFs, 'tree/**', { exclude })).rejects.toThrow('of exclude');
});

test('through the port, also where an iteration goes on on the event loop; an abort ends it', async () => {
  const memory = memfs({ '/memory': { a: { 'b.js': '', c: { 'd.js': '' } }, 'e.js': '' } });
  const lists = await run(
    () =>
      Promise.all([
        ownFs.globSync('/memory/**/*.js'),
        callback(ownFs, '**/*.js', { cwd: '/memory' }),
        iterated(ownFs, '/memory/**/*.js', {}),
      ]),
    { syscallPort: sys.with(memory) },
  );
  const absolute = ['/memory/e.js', '/memory/a/b.js', '/memory/a/c/d.js'];
  expect(lists).toEqual([absolute, absolute.map((path) => path.slice('/memory/'.length)), absolute]);
  expect(ownFs.globSync('/memory/**')).toEqual([]);

  const aborted = await run(() => {
    const td = create(() => ownFs.globSync('tree/**', { exclude: () => void td.abort() as never }));
    return errorOf(() => td.join());
  });
  expect(aborted).toMatchObject({ code: 'ABORT_ERR' });
});
