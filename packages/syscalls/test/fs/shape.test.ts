/** shape.test.ts: how @libcr/syscalls/fs looks beside node:fs: what the default export has, functions' names and lengths, errors as they are printed. */
import { spawnSync } from 'node:child_process';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import ownFs, * as named from '../../src/fs/index.ts';
import { besideNode, programsBesideNode } from './beside-node.ts';

type Names = Record<string, unknown>;

/** docs/fs.md says so. */
const MISSING = ['lchmod', 'lchmodSync', 'openAsBlob', 'openAsBlobSync', 'Utf8Stream'];

const without = (names: string[]): string[] => names.filter((name) => !MISSING.includes(name)).sort();

test('the default export has all that node:fs has', () => {
  const own = Object.getOwnPropertyNames(ownFs);
  expect(without(Object.getOwnPropertyNames(nodeFs)).filter((name) => !own.includes(name))).toEqual([]);
  expect(without(Object.keys(nodeFs.promises)).filter((name) => !(name in ownFs.promises))).toEqual([]);
  const { Dirent, Stats, constants } = ownFs;
  expect({ Dirent, Stats, constants }).toEqual({
    Dirent: nodeFs.Dirent,
    Stats: nodeFs.Stats,
    constants: nodeFs.constants,
  });
  expect(ownFs.ReadStream.prototype).toBe(nodeFs.ReadStream.prototype);
});

test('what is imported by name is what the default export has', () => {
  for (const [name, value] of Object.entries(ownFs))
    if (name in named) expect((named as Names)[name], name).toBe(value);
});

const shapes = (functions: object, model: object): unknown[] =>
  Object.entries(functions)
    .filter(([name, fn]) => typeof fn === 'function' && /^[a-z]/.test(name) && name in model)
    .map(([name, fn]) => [name, fn.name, fn.length])
    .sort();

test('functions have the names and lengths of this Node', () => {
  expect(shapes(ownFs, nodeFs)).toEqual(shapes(nodeFs, ownFs));
  expect(shapes(ownFs.promises, nodeFs.promises)).toEqual(shapes(nodeFs.promises, ownFs.promises));
  expect(ownFs.realpath.native.length).toBe(nodeFs.realpath.native.length);
  expect(ownFs.realpathSync.native.length).toBe(nodeFs.realpathSync.native.length);
});

const firstLine = (fn: () => unknown): string => {
  try {
    return `returned ${fn()}`;
  } catch (error) {
    const { stack, name } = error as Error;
    return [String(stack).split('\n')[0], String(error), name, Object.keys(error as object)].join(' | ');
  }
};

besideNode({
  'an error of a wrong type prints its code': (fs) => firstLine(() => fs.openSync(1 as never, 'r')),
  'an error of a wrong value prints its code': (fs) => firstLine(() => fs.openSync('x', 'zz')),
  'an error of a range prints its code': (fs) => firstLine(() => fs.readSync(0, Buffer.alloc(1), 0, 2, 0)),
  'an error of rm prints its code': (fs, folder) => firstLine(() => fs.rmSync(folder)),
  'an error of the kernel prints none': (fs) => firstLine(() => fs.openSync('/there/is/none', 'r')),
  'promisify has names for several results': async (fs, folder) => {
    nodeFs.writeFileSync(`${folder}/file`, 'abc');
    const fd = nodeFs.openSync(`${folder}/file`, 'r+');
    const results = [
      await promisify(fs.read)(fd, Buffer.alloc(2), 0, 2, 0),
      await promisify(fs.write)(fd, 'x'),
      await promisify(fs.readv)(fd, [Buffer.alloc(1)]),
      await promisify(fs.writev)(fd, [Buffer.from('y')]),
      await promisify(fs.exists)(folder),
    ];
    nodeFs.closeSync(fd);
    return results;
  },
});

/** In a program of its own: vitest has stacks of its own. */
const WAITERS = `
  import { promises } from ${JSON.stringify(join(import.meta.dirname, '..', '..', 'dist', 'fs.js'))};
  const inner = async (call) => { await call(); };
  const outer = async (call) => { await inner(call); };
  const waiters = ({ stack }) => ['inner', 'outer'].filter((name) => new RegExp('at (async )?' + name + ' ').test(stack));
  const calls = [promises.cp, promises.open, promises.readFile, promises.rm, promises.stat];
  for (const call of calls)
    await outer(() => call('/none', call === promises.cp ? '/other' : undefined)).catch((error) => console.log(waiters(error).join()));
`;

test('who awaits what failed is in its stack', () => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', WAITERS], { timeout: 60_000 });
  expect(String(stdout)).toBe('inner,outer\n'.repeat(5));
});

programsBesideNode({
  'arguments are told in the same words': `
    const fs = require('fs');
    for (const call of [() => fs.readFile('x', 1), () => fs.fchmod(1, '123x'), () => fs.close(''), () => fs.readFile('x', () => {}, undefined) ?? 'called'])
      try { console.log(call()); } catch (error) { console.log(error.message, error.code); }
  `,
});

programsBesideNode(
  {
    'deprecations are told, once': `
      const fs = require('fs');
      const { tmpdir } = require('os');
      const dir = fs.mkdtempSync(tmpdir() + '/libcr-warned-');
      process.on('warning', ({ name, code, message }) => console.log(name, code, message.replaceAll(dir, 'DIR')));
      const tried = (fn) => { try { return fn(); } catch (error) { return error.code; } };
      const fd = fs.openSync(dir + '/file', 'w+');
      for (let i = 0; i < 2; i++) {
        console.log(tried(() => fs.truncateSync(fd, 1)), tried(() => fs.existsSync({})));
        fs.mkdirSync(dir + '/a/b', { recursive: true });
        console.log(tried(() => fs.rmdirSync(dir + '/a', { recursive: true })), fs.existsSync(dir + '/a'));
        console.log(tried(() => fs.rmdirSync(dir + '/none', { recursive: true })));
        console.log(tried(() => fs.rmdirSync(dir + '/file', { recursive: true })));
      }
      console.log(fs.F_OK, fs.R_OK);
      fs.rmSync(dir, { recursive: true });
    `,
  },
  ['--no-warnings'],
);
