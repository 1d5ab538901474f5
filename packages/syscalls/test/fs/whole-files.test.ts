/** whole-files.test.ts: readFile, writeFile and their like beside node:fs; and where they do more: a descriptor that does not wait. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import nodeFs, { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { constants, sys } from '../../src/index.ts';
import { temporaryFolder } from '../support.ts';
import { besideNode, outcome, programsBesideNode } from './beside-node.ts';

const FLAGS = constants.O_NONBLOCK | constants.O_CLOEXEC;

const written = (folder: string): string => {
  const path = join(folder, 'file');
  nodeFs.writeFileSync(path, 'there\n');
  return path;
};

besideNode({
  'flags that are none': async (fs, folder) => {
    const path = written(folder);
    const options = { flag: null } as never;
    await fs.promises.appendFile(path, 'a', options);
    fs.appendFileSync(path, 'b', options);
    const appended = [
      fs.readFileSync(path, options).toString(),
      (await fs.promises.readFile(path, options)).toString(),
    ];
    await fs.promises.writeFile(path, 'c', options);
    return [appended, nodeFs.readFileSync(path, 'utf8')];
  },
  'options by prototype': (fs, folder) => {
    const path = written(folder);
    fs.writeFileSync(path, 'more', Object.create({ flag: 'a' }));
    return fs.readFileSync(path, Object.create({ encoding: 'utf8' }));
  },
  'a callback as the third of two': async (fs, folder) =>
    String(
      await new Promise((resolve) =>
        (fs.readFile as (...args: unknown[]) => void)(
          written(folder),
          (_error: unknown, data: unknown) => resolve(data),
          undefined,
        ),
      ),
    ),
  'functions given to map': (fs, folder) => [written(folder)].map(fs.statSync as never).length,
  'a signal that is no signal': (fs, folder) =>
    outcome(async () =>
      String(await fs.promises.readFile(written(folder), { signal: { aborted: false } as never })),
    ),
  'a directory of a link that leads nowhere': async (fs, folder) => {
    nodeFs.symlinkSync('nowhere', join(folder, 'broken'));
    nodeFs.writeFileSync(join(folder, 'file'), '');
    const options = { recursive: true };
    const paths = ['broken', 'broken/x', 'file', 'file/x', 'file/x/y'].map((name) => join(folder, name));
    return Promise.all(
      paths.flatMap((path) => [
        outcome(() => fs.mkdirSync(path, options)),
        outcome(() => fs.promises.mkdir(path, options)),
      ]),
    );
  },
  'a link over one that is there': (fs, folder) => {
    const path = join(folder, 'link');
    nodeFs.symlinkSync('one', path);
    return [outcome(() => fs.symlinkSync('one', path)), outcome(() => fs.linkSync(written(folder), path))];
  },
  'stat of what can be no entry': (fs, folder) =>
    [`${written(folder)}/x`, join(folder, 'none')].map((path) =>
      fs.statSync(path, { throwIfNoEntry: false }),
    ),
  'trees with links to directories, in order': async (fs, folder) => {
    for (const name of ['a/b/c', 'd/e', 'f']) nodeFs.mkdirSync(join(folder, name), { recursive: true });
    nodeFs.symlinkSync('../d', join(folder, 'f', 'link'));
    const options = { recursive: true } as const;
    const entries = { ...options, withFileTypes: true } as const;
    const shown = (found: nodeFs.Dirent[]): string[] =>
      found.map(({ name, parentPath }) => join(parentPath, name));
    return [
      fs.readdirSync(folder, options),
      await fs.promises.readdir(folder, options),
      shown(fs.readdirSync(folder, entries)),
      shown(await fs.promises.readdir(folder, entries)),
    ];
  },
});

const temporary = temporaryFolder();

const MOCKED = `
  const fs = require('fs');
  const path = require('os').tmpdir() + '/libcr-flushed-' + process.pid;
  let count = 0;
  for (const name of ['fsync', 'fsyncSync']) {
    const before = fs[name];
    fs[name] = (...args) => { count++; return before(...args); };
  }
`;

programsBesideNode({
  'flush calls what the program has put in the place of fsync': `${MOCKED}
    fs.writeFileSync(path, 'x', { flush: true });
    fs.appendFileSync(path, Buffer.from('y'), { flush: true });
    const sync = count;
    fs.writeFile(path, 'z', { flush: true }, (error) => {
      fs.appendFile(path, 'z', { flush: false }, (later) => {
        console.log(error, later, sync, count, fs.readFileSync(path, 'utf8'));
        fs.unlinkSync(path);
      });
    });
  `,
});

const DIST = join(import.meta.dirname, '..', '..', 'dist');

/** With a stdin or stdout that does not wait: the open file is shared with who has made it so. */
function starts(program: string, ends: [stdin: number | 'pipe', stdout: number | 'pipe']): ChildProcess {
  const config = join(temporary, 'config.json');
  writeFileSync(config, JSON.stringify({ shims: [], fs: true }));
  return spawn(process.execPath, ['--import', join(DIST, 'register.js'), '-e', program], {
    env: { ...process.env, LIBCR_CONFIG: config },
    stdio: [...ends, 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
}

const textOf = async (stream: Readable | null): Promise<string> => {
  let all = '';
  for await (const part of stream ?? []) all += part;
  return all;
};

/** Says that it is about to read. */
const READERS: Record<string, string> = {
  readFileSync: `console.log(fs.readFileSync(0, 'utf8'));`,
  readFile: `fs.readFile(0, 'utf8', (error, text) => console.log(error ?? text));`,
};

test.each(Object.entries(READERS))('a stdin that has nothing yet is waited for (%s)', async (_name, read) => {
  const [end, other] = sys.pipe2(FLAGS);
  const child = starts(`const fs = require('fs'); process.stderr.write('begins'); ${read}`, [end, 'pipe']);
  nodeFs.closeSync(end);
  const [ended, out] = [once(child, 'close'), textOf(child.stdout)];
  await once(child.stderr as Readable, 'data');
  nodeFs.writeSync(other, 'first');
  await setTimeout(100); // whatever it is at by then
  nodeFs.writeSync(other, ', last');
  nodeFs.closeSync(other);
  expect([await ended, await out]).toEqual([[0, null], 'first, last\n']);
});

test('a stdout that has no room is waited for', async () => {
  const [end, other] = sys.pipe2(FLAGS);
  const program = `const fs = require('fs'); fs.writeFileSync(1, 'x'.repeat(1_000_000)); process.stderr.write('done');`;
  const child = starts(program, ['pipe', other]);
  nodeFs.closeSync(other);
  const [ended, errors] = [once(child, 'close'), textOf(child.stderr)];
  const read = new Socket({ fd: end, readable: true, writable: false });
  expect((await textOf(read)).length).toBe(1_000_000);
  expect([await ended, await errors]).toEqual([[0, null], 'done']);
});
