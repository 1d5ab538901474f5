/** byte-names.test.ts: names that are not UTF-8, which only bytes can say: what goes down directories has to find them. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { temporaryFolder } from '../support.ts';
import { besideNode, type Scenario } from './beside-node.ts';

const NAME = Buffer.from([0x66, 0xff, 0xfe, 0x3d, 0xd8]);

const inside = (folder: string, ...names: Buffer[]): Buffer =>
  names.reduce((path, name) => Buffer.concat([path, Buffer.from('/'), name]), Buffer.from(folder));

/** tree/NAME/NAME, a file; tree/plain */
function made(folder: string): string {
  const tree = join(folder, 'tree');
  nodeFs.mkdirSync(tree);
  nodeFs.writeFileSync(join(tree, 'plain'), '1');
  nodeFs.mkdirSync(inside(tree, NAME));
  nodeFs.writeFileSync(inside(tree, NAME, NAME), '2');
  return tree;
}

const removed =
  (remove: (fs: typeof nodeFs, tree: string) => unknown): Scenario =>
  async (fs, folder) => {
    const tree = made(folder);
    await remove(fs, tree);
    return nodeFs.existsSync(tree);
  };

const callbackOf = (call: (callback: (error: unknown, value?: unknown) => void) => void): Promise<unknown> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });

besideNode({
  rmSync: removed((fs, tree) => fs.rmSync(tree, { recursive: true })),
  rm: removed((fs, tree) => callbackOf((callback) => fs.rm(tree, { recursive: true }, callback))),
  'promises.rm': removed((fs, tree) => fs.promises.rm(tree, { recursive: true })),
  'rm of a path of bytes': (fs, folder) => {
    const tree = made(folder);
    fs.rmSync(inside(tree, NAME), { recursive: true });
    return nodeFs.readdirSync(tree);
  },
  'readdir in bytes': (fs, folder) =>
    fs.readdirSync(made(folder), 'buffer').map((name) => name.toString('hex')),
  'readdir in hexadecimal digits': (fs, folder) => fs.readdirSync(made(folder), 'hex' as never),
  'readdir as text': (fs, folder) => fs.promises.readdir(made(folder)),
  'entries in bytes': (fs, folder) =>
    fs
      .readdirSync(made(folder), { withFileTypes: true, encoding: 'buffer' })
      .map((entry) => [entry.name.toString('hex'), entry.isDirectory()]),
  'a link, read in bytes': (fs, folder) => {
    nodeFs.symlinkSync(NAME, join(folder, 'link'));
    return (fs.readlinkSync(join(folder, 'link'), 'buffer') as Buffer).toString('hex');
  },
  'realpath.native in bytes': (fs, folder) => {
    nodeFs.symlinkSync(inside(made(folder), NAME), join(folder, 'link'));
    return fs.realpathSync.native(join(folder, 'link'), 'buffer').toString('latin1');
  },
  'a directory, with those above it': (fs, folder) => {
    fs.mkdirSync(inside(folder, NAME, NAME, Buffer.from('in')), { recursive: true });
    return nodeFs.readdirSync(inside(folder, NAME, NAME));
  },
});

const folder = temporaryFolder();

test('readdir with recursive finds what is below such a name, also in bytes', async () => {
  const tree = made(folder);
  const found = ['plain', NAME, inside('', NAME, NAME).subarray(1)]
    .map((path) => Buffer.from(path))
    .sort(Buffer.compare);
  const options = { recursive: true, encoding: 'buffer' } as const;
  expect(ownFs.readdirSync(tree, options as never).sort(Buffer.compare as never)).toEqual(found);
  expect((await ownFs.promises.readdir(tree, options as never)).sort(Buffer.compare as never)).toEqual(found);
  expect(ownFs.readdirSync(tree, { recursive: true })).toHaveLength(3);
});
