/** positions.test.ts: where reads and writes go, beside node:fs: at the file's own position, at one that is given, or nowhere. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { besideNode, outcome, type Scenario } from './beside-node.ts';

const POSITIONS: Record<string, unknown> = {
  'the first': 0,
  'in the middle': 3,
  'behind the end': 100,
  'minus one': -1,
  'minus two': -2,
  null: null,
  nothing: undefined,
  'not a number': Number.NaN,
  'a fraction': 42.5,
  infinite: Infinity,
  'the greatest integer': Number.MAX_SAFE_INTEGER,
  'beyond the integers': 2 ** 63,
  'a bigint': 3n,
  'a bigint below zero': -1n,
  'a bigint far below zero': -(2n ** 63n),
  'the last that has room': 2n ** 63n - 6n,
  'the greatest bigint': 2n ** 63n - 1n,
  'a bigint beyond the range': 2n ** 63n,
  text: '3',
  'an object': {},
};

type Fs = typeof nodeFs;
type Use = (fs: Fs, fd: number, position: never) => unknown;

const bytes = (): Buffer => Buffer.alloc(5, '.');

/** Two in a row: the second shows where the file has got to. */
const USES: Record<string, Use> = {
  read: (fs, fd, position) => {
    const buffer = bytes();
    return [fs.readSync(fd, buffer, 0, 5, position), buffer.toString('latin1')];
  },
  'read with options': (fs, fd, position) => {
    const buffer = bytes();
    return [fs.readSync(fd, buffer, { position }), buffer.toString('latin1')];
  },
  'read with a callback': async (fs, fd, position) => {
    const { bytesRead, buffer } = await promisify(fs.read)(fd, bytes(), 0, 5, position);
    return [bytesRead, buffer.toString('latin1')];
  },
  readv: (fs, fd, position) => {
    const buffers = [bytes(), bytes()];
    return [fs.readvSync(fd, buffers, position), buffers.map(String)];
  },
  write: (fs, fd, position) => fs.writeSync(fd, Buffer.from('ABC'), 0, 3, position),
  'write text': (fs, fd, position) => fs.writeSync(fd, 'ABC', position),
  'write with a callback': (fs, fd, position) => promisify(fs.write)(fd, Buffer.from('ABC'), 0, 3, position),
  writev: (fs, fd, position) => fs.writevSync(fd, [Buffer.from('A'), Buffer.from('BC')], position),
};

const twice =
  (use: Use, position: unknown): Scenario =>
  async (fs, folder) => {
    const path = join(folder, 'file');
    nodeFs.writeFileSync(path, 'hello world, and more');
    const fd = nodeFs.openSync(path, 'r+');
    try {
      const first = await outcome(() => use(fs, fd, position as never));
      const second = await outcome(() => use(fs, fd, null as never));
      const { size } = nodeFs.statSync(path);
      return [first, second, size, size < 1000 ? nodeFs.readFileSync(path, 'latin1') : undefined];
    } finally {
      nodeFs.closeSync(fd);
    }
  };

besideNode(
  Object.fromEntries(
    Object.entries(USES).flatMap(([name, use]) =>
      Object.entries(POSITIONS).map(([where, position]) => [`${name}: ${where}`, twice(use, position)]),
    ),
  ),
);

type Handle = nodeFs.promises.FileHandle;

const HANDLE_USES: Record<string, (handle: Handle, position: never) => Promise<{ buffer: Buffer }>> = {
  'in its place': (handle, position) => handle.read(bytes(), 0, 5, position),
  'as an option': (handle, position) => handle.read(bytes(), { position }),
  'as an option beside the buffer': (handle, position) => handle.read({ buffer: bytes(), position }),
};

const twiceOfHandle =
  (use: (handle: Handle, position: never) => Promise<{ buffer: Buffer }>, position: unknown): Scenario =>
  async (fs, folder) => {
    const path = join(folder, 'file');
    nodeFs.writeFileSync(path, 'hello world, and more');
    const handle = await fs.promises.open(path);
    const read = (where: unknown) => outcome(async () => String((await use(handle, where as never)).buffer));
    try {
      return [await read(position), await read(null)];
    } finally {
      await handle.close();
    }
  };

besideNode(
  Object.fromEntries(
    Object.entries(HANDLE_USES).flatMap(([name, use]) =>
      Object.entries(POSITIONS).map(([where, position]) => [
        `FileHandle.read, ${name}: ${where}`,
        twiceOfHandle(use, position),
      ]),
    ),
  ),
);
