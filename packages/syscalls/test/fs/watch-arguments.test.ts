/** watch-arguments.test.ts: the arguments of watch, promises.watch and watchFile of @libcr/syscalls/fs beside node:fs': what is refused, and with what; what `ignore` leaves out. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { besideNode, outcome, programsBesideNode } from './beside-node.ts';

const VALUES: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a number': 1,
  NaN: Number.NaN,
  'a bigint': 1n,
  'no text': '',
  text: 'x',
  true: true,
  'a symbol': Symbol('s'),
  'an array': [],
  'a function': () => {},
  ...Object.fromEntries(
    [
      { recursive: 1 },
      { recursive: 'true' },
      { persistent: 1 },
      { recursive: true, persistent: 0 },
      { encoding: 'buffer' },
      { encoding: '' },
      { signal: {} },
      { ignore: 1 },
      { ignore: [''] },
      { ignore: null },
      { throwIfNoEntry: false },
    ].map((options) => [JSON.stringify(options), options]),
  ),
};

/** The kind of answer, or the error; a watcher is closed again. */
const closed = (make: () => nodeFs.FSWatcher): unknown =>
  outcome(() => {
    make().close();
    return 'a watcher';
  });

// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Any = any;

const polled = (fs: Any, ...args: unknown[]): unknown =>
  outcome(() => {
    fs.watchFile(...args);
    fs.unwatchFile(args[0]);
    return 'a watcher';
  });

besideNode(
  Object.fromEntries(
    Object.entries(VALUES).map(([name, value]) => [
      `watch and watchFile: ${name}`,
      async (fs: Any, folder: string) => {
        const isOptions = typeof value === 'object' && value !== null;
        return [
          await closed(() => fs.watch(folder, value)),
          await closed(() => fs.watch(folder, value, () => {})),
          await closed(() => fs.watch(join(folder, 'missing'), value)),
          isOptions ? 0 : await closed(() => fs.watch(value)),
          await polled(fs, folder, value, () => {}),
          await polled(fs, folder, value),
          await polled(fs, folder, { interval: value }, () => {}),
          await polled(fs, value, () => {}),
        ];
      },
    ]),
  ),
);

besideNode(
  Object.fromEntries(
    Object.entries(VALUES)
      .filter(([name]) => !name.includes('encoding'))
      .map(([name, value]) => [
        `promises.watch: ${name}`,
        async (fs: Any, folder: string) => {
          const first = async (iterator: AsyncIterator<unknown>): Promise<unknown> => {
            const next = iterator.next();
            nodeFs.writeFileSync(join(folder, 'file'), '');
            return typeof (await next).value;
          };
          return [
            await outcome(() => first(fs.promises.watch(folder, value))),
            await outcome(() => fs.promises.watch(value).next()),
          ];
        },
      ]),
  ),
);

const IGNORING = {
  'what ignore leaves out': `
    const fs = require('node:fs');
    const path = require('node:path');
    const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'libcr-'));
    fs.mkdirSync(path.join(folder, 'deps'));
    const seen = new Set();
    const ignore = ['*.log', /tmp$/, (name) => name.startsWith('.'), '**/deps/**', '**/deps'];
    const watcher = fs.watch(folder, { recursive: true, ignore }, (type, name) => {
      seen.add(name);
      if (name !== 'end') return;
      watcher.close();
      fs.rmSync(folder, { recursive: true });
      console.log([...seen].sort().join(' '));
    });
    for (const name of ['a.log', 'b.tmp', '.c', 'd', 'deps/e', 'end']) fs.writeFileSync(path.join(folder, name), '');
  `,
};

if (Number.parseInt(process.versions.node, 10) >= 24) programsBesideNode(IGNORING);

programsBesideNode({
  'what happens after watchFile is seen': `
    const fs = require('node:fs');
    const path = require('node:path');
    const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'libcr-'));
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, 'one');
    const watcher = fs.watchFile(file, { interval: 5 }, (now, before) => {
      console.log(now.size, before.size);
      watcher.stop();
      watcher.stop();
    });
    watcher.on('stop', () => console.log('stopped'));
    // Node's first look is on another thread.
    setTimeout(() => fs.writeFileSync(file, 'three'), 50);
    process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  `,
  'watchFile, ref and unref, of two listeners': `
    const fs = require('node:fs');
    const watcher = fs.watchFile(__filename, () => {});
    fs.watchFile(__filename, () => {});
    watcher.ref();
    watcher.unref();
    let ended = false;
    process.on('beforeExit', () => { ended = true; });
    setTimeout(() => {
      console.log(ended);
      watcher.unref();
    }, 30);
    process.on('exit', () => console.log('end'));
  `,
});
