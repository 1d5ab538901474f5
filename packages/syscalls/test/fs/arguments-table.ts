/**
 * arguments-table.ts: calls of node:fs' functions: for each a call that is right, and for each of its arguments what else may stand there, right or wrong.
 *
 * Not here: making them (arguments.test.ts).
 */

/** What is made anew for each call. */
export interface Place {
  folder: string;
  /** Of "file", for reading and writing. */
  fd: number;
}

type Value = unknown | ((place: Place) => unknown);

/** An argument: what is right, and what is tried in its place. */
export type Argument = readonly [right: Value, tried: readonly Value[]];

const at =
  (name: string) =>
  ({ folder }: Place): string =>
    `${folder}/${name}`;

const PATHS: Value[] = [
  ...['dir', 'missing', 'link', 'broken', 'dirlink', 'loop', 'file/x', 'file/', 'y'.repeat(300)].map(at),
  ({ folder }: Place) => Buffer.from(`${folder}/file`),
  ({ folder }: Place) => new URL(`file://${folder}/file`),
  ...[
    '',
    'a\0b',
    Buffer.from('a\0'),
    new URL('http://x/y'),
    new Uint16Array(2),
    -1,
    null,
    undefined,
    {},
    [],
    true,
  ],
];
const FDS: Value[] = [
  ({ fd }: Place) => fd,
  9999,
  -1,
  2 ** 31,
  1.5,
  Number.NaN,
  '1',
  '',
  null,
  undefined,
  {},
];
const MODES: Value[] = [
  0o600,
  '600',
  '9',
  '',
  -1,
  2 ** 32,
  2 ** 33,
  null,
  undefined,
  1.5,
  Number.NaN,
  {},
  '77777777777777',
];
const BITS: Value[] = [0, 1, 8, -1, 1.5, Number.NaN, '0', null, undefined, {}];
const FLAGS: Value[] = ['w', 'a', 'ax', 'sr+', 'R', '', 0, 1, -1, 1.5, 2 ** 40, null, undefined, {}];
const IDS: Value[] = [0, -2, 2 ** 32, 1.5, Number.NaN, '0', null, undefined, {}];
const TIMES: Value[] = [
  ...[0, 1.5, 1234567890.123456, -1, Number.NaN, Infinity, '1.5', 'x', '', null, undefined, {}, 2 ** 40],
  ...[new Date(5000), new Date(-5000), new Date(1234567890123), new Date(Number.NaN)],
];
const LENGTHS: Value[] = [0, 20, -1, 1.5, Number.NaN, '1', null, undefined, {}, 2 ** 53];
const OPTIONS: Value[] = [
  ...[undefined, null, 'utf8', 'UTF8', 'hex', 'zz', 'buffer', '', {}, 1, 0, true, []],
  ...['hex', 'zz', 1, null, ''].map((encoding) => ({ encoding })),
  ...[null, '', 0, 'a', 'wx', 'zz'].map((flag) => ({ flag })),
  ...['x', 0o600].map((mode) => ({ mode })),
  ...[null, {}, AbortSignal.abort(), AbortSignal.abort('why')].map((signal) => ({ signal })),
  ...[true, 1, null, 'x'].map((recursive) => ({ recursive })),
  ...[true, 1, null].map((force) => ({ force, recursive: true })),
  ...[-1, 'x', 1.5].map((maxRetries) => ({ maxRetries })),
  ...[{ withFileTypes: true }, { withFileTypes: true, recursive: true }, { bigint: true }, { bigint: 1 }],
  ...[false, 0, null].map((throwIfNoEntry) => ({ throwIfNoEntry })),
  ...[true, 1, null].map((flush) => ({ flush })),
  ...[{ encoding: 'utf8' }, { flag: 'a' }, { bigint: true }, { mode: 0o600 }].map((above) =>
    Object.create(above),
  ),
];
const DATA: Value[] = [
  ...[
    '',
    Buffer.from('xyz'),
    new Uint16Array([1, 2]),
    new ArrayBuffer(3),
    1,
    1n,
    null,
    undefined,
    {},
    [],
    true,
  ],
  { toString: () => 'own' },
];
const buffer = (): Buffer => Buffer.alloc(5, 'abcde');
const BUFFERS: Value[] = [
  () => Buffer.alloc(0),
  () => new Uint16Array(3),
  () => new DataView(new ArrayBuffer(4)),
].concat([new ArrayBuffer(4), '', null, undefined, {}, 1].map((value) => () => value) as never);
const OFFSETS: Value[] = [
  ...[1, 5, 6, -1, 1.5, '1', null, undefined, {}, [], true, 2 ** 53],
  ...[
    { offset: 1 },
    { length: 2 },
    { position: 3 },
    { offset: null },
    { length: null },
    { offset: 'x' },
    { length: 9 },
  ],
  Object.create({ offset: 1 }),
];
const COUNTS: Value[] = [0, 5, 6, -1, 2.9, Number.NaN, '2', null, undefined, {}, true, 2 ** 32, 2 ** 32 + 2];
/** Those that tests of positions are about: positions.test.ts has more. */
const POSITIONS: Value[] = [
  0,
  3,
  100,
  -1,
  -2,
  undefined,
  Number.NaN,
  42.5,
  Infinity,
  '1',
  {},
  true,
  2n,
  -1n,
  2n ** 63n,
];
const LISTS: Value[] = [[], [Buffer.alloc(0)], ['x'], Buffer.alloc(3), null, undefined, 'x', new Array(2)];
const ENCODINGS: Value[] = ['hex', 'ucs2', 'latin1', 'HEX', 'zz', 'buffer', 16, null, undefined, {}];

const fd: Argument = [({ fd: number }: Place) => number, FDS];
const file: Argument = [at('file'), PATHS];
const options: Argument = [undefined, OPTIONS];
const id: Argument = [-1, IDS];
const time: Argument = [1, TIMES];

/** Functions by name; behind a colon, what is special of a call. */
export const TABLE: Readonly<Record<string, readonly Argument[]>> = {
  access: [file, [0, BITS]],
  appendFile: [file, ['abc', DATA], options],
  chmod: [file, [0o600, MODES]],
  chown: [file, id, id],
  close: [fd],
  copyFile: [file, [at('new'), PATHS], [0, BITS]],
  exists: [file],
  fchmod: [fd, [0o600, MODES]],
  fchown: [fd, id, id],
  fdatasync: [fd],
  fstat: [fd, options],
  fsync: [fd],
  ftruncate: [fd, [5, LENGTHS]],
  futimes: [fd, time, time],
  lchown: [file, id, id],
  link: [file, [at('new'), PATHS]],
  lstat: [file, options],
  lutimes: [file, time, time],
  mkdir: [
    [at('new'), PATHS],
    [undefined, [...OPTIONS, ...MODES]],
  ],
  open: [file, ['r', FLAGS], [0o600, MODES]],
  read: [fd, [buffer, BUFFERS], [0, OFFSETS], [3, COUNTS], [null, POSITIONS]],
  readFile: [file, options],
  readdir: [[at('dir'), PATHS], options],
  readlink: [[at('link'), PATHS], options],
  readv: [fd, [() => [Buffer.alloc(3), Buffer.alloc(4)], LISTS], [null, POSITIONS]],
  realpath: [[at('link'), PATHS], options],
  rename: [file, [at('new'), PATHS]],
  rm: [file, options],
  rmdir: [[at('empty'), PATHS], options],
  stat: [file, options],
  'stat:missing': [[at('missing'), [at('file/x')]], options],
  statfs: [file, options],
  symlink: [
    ['file', PATHS],
    [at('new'), PATHS],
    [undefined, ['file', 'junction', 'x', '', null, 1, {}]],
  ],
  truncate: [file, [5, LENGTHS]],
  unlink: [file],
  utimes: [file, time, time],
  write: [fd, [buffer, BUFFERS], [0, OFFSETS], [3, COUNTS], [null, POSITIONS]],
  'write:text': [fd, ['abcd', DATA], [null, POSITIONS], ['utf8', ENCODINGS]],
  writeFile: [file, ['abc', DATA], options],
  writev: [fd, [() => [Buffer.from('12'), Buffer.from('345')], LISTS], [null, POSITIONS]],
};
