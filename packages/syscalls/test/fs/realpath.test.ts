/** realpath.test.ts: realpath and realpath.native beside node:fs: links, broken ones, round ones, and those to pipes. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { besideNode, outcome, programsBesideNode, type Scenario } from './beside-node.ts';

function made(folder: string): void {
  nodeFs.mkdirSync(join(folder, 'dir', 'sub'), { recursive: true });
  nodeFs.writeFileSync(join(folder, 'file'), '');
  const links = {
    broken: 'nowhere',
    loop: 'loop',
    link: 'file',
    far: 'dir/sub',
    up: 'far/..',
    chain: 'up/sub/../../link',
  };
  for (const [name, target] of Object.entries(links)) nodeFs.symlinkSync(target, join(folder, name));
}

const PATHS = [
  'file',
  'link',
  'broken',
  'loop',
  'far',
  'up',
  'far/..',
  'chain',
  'broken/x',
  'file/',
  'file/x',
  'none',
  '.',
  'far/./',
];

/** All forms of it, also with a path of bytes and another encoding. */
const asked =
  (name: string): Scenario =>
  async (fs, folder) => {
    made(folder);
    // Not joined: what stands there is what is asked.
    const path = `${folder}/${name}`;
    const { realpath, realpathSync } = fs;
    const called = (call: (callback: (...told: unknown[]) => void) => void): Promise<unknown> =>
      new Promise((resolve, reject) => {
        call((error, found) => (error ? reject(error as Error) : resolve(found)));
      });
    return [
      await outcome(() => realpathSync(path)),
      await outcome(() => realpathSync(Buffer.from(path), 'hex' as never).toString().length),
      await outcome(() => realpathSync.native(path)),
      await outcome(() => called((callback) => realpath(path, callback))),
      await outcome(() => called((callback) => realpath.native(path, callback))),
      await outcome(() => fs.promises.realpath(path)),
    ];
  };

besideNode(Object.fromEntries(PATHS.map((name) => [name, asked(name)])));

besideNode({
  'what is no path counts as its text': (fs) => outcome(() => fs.realpathSync(1 as never)),
  'an empty path': (fs) => [outcome(() => fs.realpathSync.native('')), fs.realpathSync('') === process.cwd()],
});

// A pipe's name has a number, which is another one each time.
programsBesideNode({
  '/dev/stdin of a pipe': `
    const { spawnSync } = require('child_process');
    const program = 'const fs = require("fs"); const told = (fn) => { try { return fn(); } catch (e) { return e.code + e.syscall; } };' +
      'console.log(told(() => fs.realpathSync("/dev/stdin")), told(() => fs.realpathSync.native("/dev/stdin")));' +
      'fs.realpath("/dev/stdin", (e, found) => console.log(e, found));';
    const { stdout } = spawnSync(process.execPath, [...process.execArgv, '-e', program], { input: 'x' });
    console.log(String(stdout).replace(/\\d+/g, 'N'));
  `,
});
