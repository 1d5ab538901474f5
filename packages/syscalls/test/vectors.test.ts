/** vectors.test.ts: more buffers than the kernel takes in one call (1,024): what node:fs does about them, and what the kernel says of them. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { afterAll, describe, expect, test } from 'vitest';
import fs from '../src/fs/index.ts';
import { constants as c, defineShim, sys } from '../src/index.ts';
import { dial, listen, stream } from '../src/net/index.ts';
import { errorOf, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const COUNT = 5000;
/** Of 0 to 6 bytes. */
const pieces = Array.from({ length: COUNT }, (_, i) => Buffer.alloc(i % 7, `${i} `));
const whole = Buffer.concat(pieces).toString();
const file = join(folder, 'file');
const fd = nodeFs.openSync(file, 'w+');
afterAll(() => nodeFs.closeSync(fd));

function written(): string {
  const text = nodeFs.readFileSync(file, 'utf8');
  nodeFs.ftruncateSync(fd, 0);
  return text;
}

const append = (): number => nodeFs.openSync(file, 'a');

describe('writing', () => {
  test('writevSync, on the event loop and on a userthread, with a position and without', async () => {
    expect(fs.writevSync(append(), pieces)).toBe(whole.length);
    expect(written()).toBe(whole);
    expect(fs.writevSync(fd, pieces, 0)).toBe(whole.length);
    expect(written()).toBe(whole);
    expect(await run(() => fs.writevSync(fd, pieces, 3))).toBe(whole.length);
    expect(written()).toBe(`\0\0\0${whole}`);
  });

  test('writev with a callback', async () => {
    const told = await new Promise((resolve) => {
      fs.writev(append(), pieces, (...args) => resolve(args));
    });
    expect(told).toEqual([null, whole.length, pieces]);
    expect(written()).toBe(whole);
  });

  test('FileHandle.writev', async () => {
    const handle = await fs.promises.open(file, 'w');
    expect(await handle.writev(pieces)).toMatchObject({ bytesWritten: whole.length });
    await handle.close();
    expect(written()).toBe(whole);
  });

  test.each(['path', 'FileHandle'])('a WriteStream (%s) that was written to 5,000 times', async (kind) => {
    const stream =
      kind === 'path' ? fs.createWriteStream(file) : (await fs.promises.open(file, 'w')).createWriteStream();
    for (const piece of pieces) stream.write(piece);
    await new Promise<void>((resolve) => {
      stream.end(resolve);
    });
    expect(written()).toBe(whole);
  });

  test('what is written short goes on where it ended', async () => {
    let calls = 0;
    const short = defineShim({
      name: 'short',
      on: ['writev', 'pwritev'],
      shim: (next) => (msg) => {
        const n = calls++;
        if (n === 12) return -c.ENOSPC;
        const some = (msg.get('buffers') as Buffer[]).slice(0, 301);
        if (some.length > 300) some[300] = (some[300] as Buffer).subarray(0, 1);
        return next(msg.with({ buffers: some, buffersLength: some.length }));
      },
    });
    const syscallPort = sys.with(short);
    for (const position of [0, undefined]) {
      calls = 100;
      const own = append();
      expect(
        await create(() => fs.writevSync(position === 0 ? fd : own, pieces, position), { syscallPort })
          .finished,
      ).toBe(whole.length);
      nodeFs.closeSync(own);
      expect(written()).toBe(whole);
    }
    // An error after a part is the next call's; one before is told.
    calls = 10;
    const n = await create(() => fs.writevSync(fd, pieces, 0), { syscallPort }).finished;
    expect(n).toBeGreaterThan(0);
    expect(written()).toBe(whole.slice(0, n));
    calls = 12;
    const failing = create(() => errorOf(() => fs.writevSync(fd, pieces, 0)), { syscallPort });
    expect(await failing.finished).toMatchObject({ code: 'ENOSPC', syscall: 'write' });
  });

  test('nothing but empty buffers', () => {
    const empty = Array.from({ length: 3000 }, () => Buffer.alloc(0));
    expect(fs.writevSync(fd, empty)).toBe(0);
    expect(fs.writevSync(fd, [...empty, Buffer.from('end')], 0)).toBe(3);
    expect(written()).toBe('end');
  });
});

test("reading: the first 1,024 buffers, as node:fs'", async () => {
  nodeFs.writeSync(fd, Buffer.alloc(COUNT, 'abcdefg'), 0, COUNT, 0);
  const room = (): Buffer[] => Array.from({ length: COUNT }, () => Buffer.alloc(1));
  const expected = room();
  const n = nodeFs.readvSync(fd, expected, 0);
  const handle = await fs.promises.open(file);
  for (const read of [
    async (buffers: Buffer[]) => fs.readvSync(fd, buffers, 0),
    async (buffers: Buffer[]) => (await handle.readv(buffers)).bytesRead,
    (buffers: Buffer[]) =>
      new Promise((resolve) => {
        fs.readv(fd, buffers, 0, (_error, bytes) => resolve(bytes));
      }),
  ]) {
    const buffers = room();
    expect(await read(buffers)).toBe(n);
    expect(Buffer.concat(buffers).equals(Buffer.concat(expected))).toBe(true);
  }
  await handle.close();
});

describe('sys says what the kernel says', () => {
  const many = Array.from({ length: 1025 }, () => Buffer.from('x'));

  test('readv, writev, preadv, pwritev: EINVAL', async () => {
    for (const [name, call] of Object.entries({
      readv: () => sys.readv(fd, many),
      writev: () => sys.writev(fd, many),
      preadv: () => sys.preadv(fd, many, 0),
      pwritev: () => sys.pwritev(fd, many, 0),
    })) {
      const error = { name: 'Error', code: 'EINVAL', errno: -22, syscall: name };
      expect(errorOf(call)).toMatchObject(error);
      expect(await run(() => errorOf(call))).toMatchObject(error);
    }
    await expect(sys.promises.writev(fd, many)).rejects.toMatchObject({ code: 'EINVAL', syscall: 'writev' });
  });

  test('sendmsg, recvmsg: EMSGSIZE', () => {
    const [one, other] = sys.socketpair(c.AF_UNIX, c.SOCK_STREAM);
    expect(errorOf(() => sys.sendmsg(one, { buffers: many }))).toMatchObject({ code: 'EMSGSIZE' });
    expect(errorOf(() => sys.recvmsg(other, { buffers: many }))).toMatchObject({ code: 'EMSGSIZE' });
    expect(sys.sendmsg(one, { buffers: many.slice(0, 1024) })).toBe(1024);
    sys.close(one);
    sys.close(other);
  });
});

test('net: writev of 5,000 pieces, small and large, and a Writable of it', async () => {
  const large = Array.from({ length: COUNT }, (_, i) => Buffer.alloc(100, `${i} `));
  const received = await run(() => {
    const listener = listen({ host: '127.0.0.1' });
    const conn = dial({ host: '127.0.0.1', port: (listener.address() as { port: number }).port });
    const peer = listener.accept();
    const reader = create(() => peer.readAll());
    conn.writev(pieces);
    conn.writev(large);
    conn.closeWrite();
    const bytes = reader.join() as Buffer;
    for (const it of [conn, peer, listener]) it.close();
    return bytes;
  });
  expect(received.equals(Buffer.concat([...pieces, ...large]))).toBe(true);
  const writable = stream(nodeFs.openSync(file, 'w')).toWritable();
  for (const piece of pieces) writable.write(piece);
  await new Promise<void>((resolve) => {
    writable.end(resolve);
  });
  expect(written()).toBe(whole);
});
