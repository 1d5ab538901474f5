/** dir.test.ts: Dir and opendir of @libcr/syscalls/fs beside node:fs': wrong arguments, several operations at once, after it is closed, collected; mkdtemp's warning. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { besideNode, outcome, programsBesideNode } from './beside-node.ts';

// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Any = any;

const VALUES = [
  undefined,
  null,
  0,
  1,
  '',
  'utf8',
  'nope',
  true,
  { bufferSize: 0 },
  { bufferSize: '1' },
  { bufferSize: 1.5 },
  { bufferSize: 3 },
  { encoding: 'hex' },
];

const opened = (make: () => unknown): unknown =>
  outcome(async () => {
    const dir = (await make()) as nodeFs.Dir;
    await dir.close();
    return dir.path;
  });

besideNode({
  ...Object.fromEntries(
    VALUES.map((value) => [
      `opendir: ${JSON.stringify(value)}`,
      async (fs: Any, folder: string) => [
        await opened(() => fs.opendirSync(folder, value)),
        // Node's own opendir with a wrong bufferSize ends the process, but for opendirSync.
        JSON.stringify(value)?.includes('bufferSize')
          ? 0
          : await opened(() => fs.promises.opendir(folder, value)),
        await outcome(() => fs.opendir(folder, value)),
        typeof value === 'string' ? 0 : await opened(() => fs.promises.opendir(value)),
      ],
    ]),
  ),
  'what is wrong with callbacks': async (fs: Any, folder) => {
    const dir = fs.opendirSync(folder);
    return [await outcome(() => dir.read('text')), await outcome(() => dir.close('text')), await dir.close()];
  },
  'after it is closed': async (fs: Any, folder) => {
    const dir = fs.opendirSync(folder);
    dir.closeSync();
    return [
      await outcome(() => dir.readSync()),
      await outcome(() => dir.read()),
      await outcome(() => dir.read(() => {})),
      await outcome(() => dir.closeSync()),
      await outcome(() => dir.close()),
      await outcome(() => new Promise((_resolve, reject) => dir.close(reject))),
    ];
  },
  'at once what others do in time': async (fs: Any, folder) => {
    nodeFs.writeFileSync(join(folder, 'file'), '');
    const dir = fs.opendirSync(folder);
    const reading = dir.read();
    const answers = [await outcome(() => dir.readSync()), await outcome(() => dir.closeSync())];
    answers.push((await reading)?.name ?? null);
    dir.closeSync();
    return answers;
  },
  'read and close in a row': async (fs: Any, folder) => {
    nodeFs.writeFileSync(join(folder, 'file'), '');
    const dir = fs.opendirSync(folder);
    const [first, second, closed] = await Promise.all([dir.read(), dir.read(), dir.close()]);
    return [first.name, second, closed];
  },
  "an instance of Node's class": async (fs: Any, folder) => {
    const dir = fs.opendirSync(folder);
    dir.closeSync();
    return [dir instanceof nodeFs.Dir, dir.path, await outcome(() => dir.constructor.prototype.path)];
  },
});

programsBesideNode(
  {
    'collected: closed, and said': `
      const fs = require('node:fs');
      const path = require('node:path');
      const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'libcr-'));
      const warnings = [];
      process.on('warning', ({ message }) => warnings.push(message));
      const isOpen = () =>
        fs.readdirSync('/proc/self/fd').some((fd) => {
          try { return fs.readlinkSync('/proc/self/fd/' + fd) === fs.realpathSync(folder); } catch { return false; }
        });
      (() => { fs.opendirSync(folder); })();
      (async () => {
        while (isOpen() || warnings.length === 0) { await new Promise(setImmediate); gc(); }
        fs.rmdirSync(folder);
        console.log(warnings.join());
      })();
    `,
    "mkdtemp's warning, once": `
      const fs = require('node:fs');
      const path = require('node:path');
      process.on('warning', ({ name, message }) => console.log(name, message));
      const prefix = path.join(require('node:os').tmpdir(), 'libcr-X');
      for (let i = 0; i < 2; i++) fs.rmdirSync(fs.mkdtempSync(prefix));
      fs.rmdirSync(fs.mkdtempSync(prefix + '-'));
      fs.mkdtemp(prefix, (error, made) => fs.rmdirSync(made));
    `,
  },
  ['--expose-gc'],
);
