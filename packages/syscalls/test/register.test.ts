/** register.test.ts: node --import @libcr/syscalls/register, with configuration files, good and bad. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from './support.ts';

const PACKAGE = join(import.meta.dirname, '..');
const scratch = temporaryFolder();
let count = 0;
let folder: string;
beforeEach(() => {
  folder = join(scratch, String(count++));
  mkdirSync(folder);
});

const at = (name: string): string => join(folder, name);
const write = (name: string, content: unknown): void =>
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content));

const MODULE = (name: string): string => JSON.stringify(join(PACKAGE, 'dist', name));
const PROGRAM = `
  import { run } from ${JSON.stringify(join(PACKAGE, '..', 'core', 'dist', 'index.js'))};
  import { sys } from ${MODULE('index.js')};
  await run(() => {
    try {
      sys.close(sys.open('/etc/hostname'));
      console.log('opened');
    } catch (error) {
      console.log(error.message);
    }
  });
`;

/** Runs a program that opens a file. */
function runWith(env: NodeJS.ProcessEnv = {}, program = PROGRAM, cwd = folder) {
  write('program.mjs', program);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', join(PACKAGE, 'dist', 'register.js'), at('program.mjs')],
    { cwd, encoding: 'utf8', env: { ...process.env, LIBCR_CONFIG: '', ...env } },
  );
  return { status, stdout, stderr };
}

const DENY = [{ action: 'deny', on: ['open'], path: '/etc/**' }];
const DENIED = "EACCES: permission denied, open '/etc/hostname'\n";

test('a JSON file in the working directory, or above it', () => {
  write('libcr.config.json', { shims: { policy: DENY } });
  expect(runWith()).toEqual({ status: 0, stdout: DENIED, stderr: '' });
  mkdirSync(at('deep/er'), { recursive: true });
  expect(runWith({}, PROGRAM, at('deep/er'))).toEqual({ status: 0, stdout: DENIED, stderr: '' });
});

test('LIBCR_CONFIG; a module with shims of its own, in order', () => {
  write(
    'mine.mjs',
    `
    const named = (name) => ({ name, on: ['open'], shim: (next) => (msg) => { console.log(name); return next(msg); } });
    export const shim = [named('one'), named('two')];
  `,
  );
  write(
    'other.mjs',
    `
    export default { shims: ['./mine.mjs', { name: 'three', on: ['open'], shim: () => () => -2 }, 'metrics'] };
  `,
  );
  expect(runWith({ LIBCR_CONFIG: at('other.mjs') })).toEqual({
    status: 0,
    stdout: "one\ntwo\nENOENT: no such file or directory, open '/etc/hostname'\n",
    stderr: expect.stringMatching(/^% time .* syscall\n-+ .*-\n-+ .*-\n100\.00 +0\.000000 +0 +total\n$/), // it is innermost, and no call comes there
  });
});

test('every ready-made shim', () => {
  write('libcr.config.json', {
    $schema: 'any',
    shims: [
      { trace: 'out/trace' },
      { metrics: { file: 'out/metrics.prom' } },
      { latency: { rules: [{ on: ['open'], ms: 1 }], seed: 1 } },
      { fault: [{ on: ['close'], nth: 1, errno: 'EIO' }] },
      { policy: DENY },
      { memfs: { tree: { '/memory': { file: 'text' } }, uid: 0 } },
    ],
  });
  mkdirSync(at('out'));
  const program = PROGRAM.replace('/etc/hostname', '/memory/file');
  expect(runWith({}, program)).toEqual({ status: 0, stdout: 'EIO: i/o error, close\n', stderr: '' });
  expect(readFileSync(at('out/trace'), 'utf8')).toMatch(/open\("\/memory\/file"/);
  expect(readFileSync(at('out/metrics.prom'), 'utf8')).toContain('{call="close",outcome="EIO"} 1\n');
});

test('Workers have them, too', () => {
  write('libcr.config.json', { shims: { trace: 'trace', metrics: 'metrics', policy: DENY } });
  const program = `
    import { Worker, isMainThread } from 'node:worker_threads';
    import { once } from 'node:events';
    if (isMainThread) await once(new Worker(new URL(import.meta.url)), 'exit');
    const { run } = await import(${JSON.stringify(join(PACKAGE, '..', 'core', 'dist', 'index.js'))});
    const { sys } = await import(${MODULE('index.js')});
    await run(() => { try { sys.open('/etc/hostname'); } catch (error) { console.log(error.code); } });
  `;
  expect(runWith({}, program)).toEqual({ status: 0, stdout: 'EACCES\nEACCES\n', stderr: '' });
  expect(readFileSync(at('trace'), 'utf8').match(/EACCES/g)).toHaveLength(2);
  for (const name of ['metrics', 'metrics.1'])
    expect(readFileSync(at(name), 'utf8')).toContain('{call="open",outcome="EACCES"} 1\n');
});

test('"fs": true: node:fs goes through the shims', () => {
  write('libcr.config.json', { fs: true, shims: { memfs: { tree: { '/memory': { file: 'in memory' } } } } });
  const program = `
    import { readFileSync } from 'node:fs';
    console.log(readFileSync('/memory/file', 'utf8'));
  `;
  expect(runWith({}, program)).toEqual({ status: 0, stdout: 'in memory\n', stderr: '' });
});

test('no file at all: a warning', () => {
  const { status, stdout, stderr } = runWith();
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'opened\n' });
  expect(stderr).toMatch(/\[LIBCR_CONFIG\] Warning: no libcr\.config\.json/);
});

test.each<[string, unknown, string]>([
  ['json', '{ "shims": ', 'libcr.config.json: is no JSON: '],
  ['json', [], 'libcr.config.json: must be an object'],
  ['json', { shim: [] }, 'libcr.config.json: has "shim", and may have $schema, shims, fs'],
  ['json', { fs: 1 }, 'libcr.config.json: fs: must be true or false'],
  ['json', { shims: 1 }, 'libcr.config.json: shims: must be an array, or'],
  [
    'json',
    { shims: ['trase'] },
    'shims[0]: there is no ready-made shim "trase"; there are trace, record, replay, policy,',
  ],
  ['json', { shims: { toString: 1 } }, 'shims.toString: there is no ready-made shim'],
  ['json', { shims: [{}] }, 'shims[0]: must have one name, and has 0'],
  ['json', { shims: [{ trace: {}, policy: [] }] }, 'shims[0]: must have one name, and has 2'],
  ['json', { shims: [1] }, 'shims[0]: must be a name, a path that begins with "./", or'],
  [
    'json',
    { shims: ['metrics', { policy: [{ action: 'dney' }] }] },
    'shims[1].policy: The "rules[0].action" property',
  ],
  ['json', { shims: { latency: -1 } }, 'shims.latency: The value of "rules[0].ms" is out of range.'],
  ['json', { shims: { trace: { output: 5 } } }, 'shims.trace: The "trace.output" property must be a path.'],
  [
    'json',
    { shims: { trace: { onn: [] } } },
    'shims.trace: options has no "onn"; it may have output, on, stringLimit',
  ],
  [
    'json',
    { shims: { metrics: { fil: 'x' } } },
    'shims.metrics: options has no "fil"; it may have file, on, buckets',
  ],
  ['json', { shims: ['memfs'] }, 'shims[0]: needs options with "tree"'],
  ['json', { shims: { memfs: { uid: 0 } } }, 'shims.memfs: needs options with "tree"'],
  ['json', { shims: ['policy'] }, 'shims[0]: needs a list of rules'],
  ['json', { shims: ['fault'] }, 'shims[0]: needs a list of rules'],
  ['json', { shims: ['latency'] }, 'shims[0]: needs a number of milliseconds'],
  ['json', { shims: ['overlay'] }, 'shims[0]: needs a directory'],
  ['json', { shims: ['record'] }, 'shims[0]: needs a file'],
  ['json', { shims: ['replay'] }, 'shims[0]: needs a file'],
  ['json', { shims: { overlay: { lower: '.', x: 1 } } }, 'shims.overlay: options has no "x"'],
  ['json', { shims: { record: { file: 'x', x: 1 } } }, 'shims.record: options has no "x"'],
  ['json', { shims: { metrics: 7 } }, 'shims.metrics: The "metrics" argument must be an object of options.'],
  ['json', { shims: ['./none.mjs'] }, 'shims[0]: cannot load '],
  ['mjs', 'export default { shims: [{ shim() {} }] };', 'shims[0]: The "shim.name" property'],
  ['mjs', 'throw new Error("no luck");', 'libcr.config.mjs: cannot be loaded: no luck'],
])('%s %j: an error before the program begins', (extension, content, message) => {
  write(`libcr.config.${extension}`, content);
  const { status, stdout, stderr } = runWith();
  expect(stderr).toContain(message);
  expect(stderr).toContain("code: 'ERR_LIBCR_CONFIG'");
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
});

test('LIBCR_CONFIG names nothing', () => {
  expect(runWith({ LIBCR_CONFIG: at('none.json') }).stderr).toContain('none.json: there is no such file');
});

test('with --require it is in Workers, too, that are made from text: Node runs no --import there', () => {
  write('both.json', { shims: { policy: DENY }, fs: true });
  write(
    'made.cjs',
    `
    const look = "try { require('fs').readFileSync('/etc/hostname') } catch (error) { console.log(error.code) }";
    eval(look);
    new (require('worker_threads').Worker)(look, { eval: true });
  `,
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', join(PACKAGE, 'dist', 'register.cjs'), at('made.cjs')],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, LIBCR_CONFIG: at('both.json') } },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'EACCES\nEACCES\n', stderr: '' });
});
