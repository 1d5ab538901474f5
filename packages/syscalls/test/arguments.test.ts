/** arguments.test.ts: bad arguments: a TypeError or RangeError that names the argument; never a crash, nothing lost. */
import fs from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { create, sleep } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { codeOf, errorOf, onUserthread, runProgram } from './support.ts';

/** What a caller without types might do. */
const loose = sys as unknown as Record<string, (...args: unknown[]) => unknown>;
const call = (name: string, ...args: unknown[]): unknown =>
  (loose[name] as (...args: unknown[]) => unknown)(...args);

/** Takes a buffer's memory away. */
function detach(buffer: ArrayBuffer): void {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(null, [buffer]);
  port1.close();
  port2.close();
  expect(buffer.byteLength).toBe(0);
}

const wrongTypes: [string, unknown[], string][] = [
  ['read', ['0', Buffer.alloc(1)], 'fd'],
  ['read', [{ valueOf: () => 0 }, Buffer.alloc(1)], 'fd'],
  ['read', [], 'fd'],
  ['read', [0], 'buffer'],
  ['read', [0, 'text'], 'buffer'],
  ['read', [0, new ArrayBuffer(4)], 'buffer'],
  ['read', [0, [1, 2]], 'buffer'],
  ['read', [0, Buffer.alloc(1), '1'], 'length'],
  ['write', [1, 42], 'data'],
  ['write', [1, null], 'data'],
  ['pread64', [0, Buffer.alloc(1), 1], 'offset'],
  ['open', [42], 'path'],
  ['open', [undefined], 'path'],
  ['open', ['/', 'r'], 'flags'],
  ['open', ['/', 0, '0644'], 'mode'],
  ['rename', ['/a'], 'dest'],
  ['readv', [0, Buffer.alloc(1)], 'buffers'],
  ['readv', [0, [Buffer.alloc(1), 'x']], 'buffers'],
  ['writev', [0, 'text'], 'buffers'],
  ['fcntl', [0, c.F_GETLK, 0], 'argument'],
  ['fcntl', [0, c.F_DUPFD, Buffer.alloc(32)], 'argument'],
  ['nanosleep', ['1'], 'request'],
  ['nanosleep', [{ sec: '1', nsec: 0 }], 'request.sec'],
  ['connect', [0, 'localhost:80'], 'address'],
  ['connect', [0, { family: 'inet', address: 'localhost', port: 1 }], 'address.address'],
  ['connect', [0, { family: 'inet6', address: '127.0.0.1', port: 1 }], 'address.address'],
  ['connect', [0, { family: 'inet', address: '127.0.0.1', port: '80' }], 'address.port'],
  ['connect', [0, { family: 'ax25' }], 'address.family'],
  ['connect', [0, { family: 'unix' }], 'address.path'],
  ['poll', [5], 'fds'],
  ['poll', [[{ fd: '1', events: 1 }]], 'fds[0].fd'],
  ['poll', [[null]], 'fds[0]'],
  ['epoll_wait', [0, '1'], 'count'],
  ['epoll_ctl', [0, 1, 0, { events: 'in', data: 0 }], 'event.events'],
  ['epoll_ctl', [0, 1, 0, { events: 1, data: 'x' }], 'event.data'],
  ['getdents64', [0, 'x'], 'buffer'],
  ['sendto', [0, 5], 'data'],
  // only where the kernel's argument has 64 bits may it be a bigint
  ['read', [0n, Buffer.alloc(1)], 'fd'],
  ['write', [1, Buffer.alloc(2), 1n], 'length'],
  ['close', [0n], 'fd'],
];

const wrongRanges: [string, unknown[], string][] = [
  ['read', [0.5, Buffer.alloc(1)], 'fd'],
  ['read', [Number.NaN, Buffer.alloc(1)], 'fd'],
  ['read', [Number.POSITIVE_INFINITY, Buffer.alloc(1)], 'fd'],
  ['read', [2 ** 32, Buffer.alloc(1)], 'fd'],
  ['read', [0, Buffer.alloc(8), -1], 'length'],
  ['read', [0, Buffer.alloc(8), 9], 'length'],
  ['read', [0, Buffer.alloc(8), 2 ** 53], 'length'],
  ['write', [1, 'abc', 4], 'length'],
  ['pread64', [0, Buffer.alloc(1), 1, 1.5], 'offset'],
  ['pread64', [0, Buffer.alloc(1), 1, 2n ** 63n], 'offset'],
  ['lseek', [0, 2 ** 60, 0], 'offset'],
  ['getrandom', [Buffer.alloc(4), 5], 'length'],
  ['fcntl', [0, c.F_GETLK, Buffer.alloc(31)], 'argument'],
  ['nanosleep', [-1], 'request'],
  ['nanosleep', [{ sec: 0.5, nsec: 0 }], 'request.sec'],
  ['connect', [0, { family: 'inet', address: '127.0.0.1', port: 65536 }], 'address.port'],
  ['bind', [0, { family: 'unix', path: 'x'.repeat(108) }], 'address.path'],
  ['epoll_wait', [0, 0], 'count'],
  ['epoll_wait', [0, 65537], 'count'],
  ['poll', [[{ fd: 2 ** 32 + 1, events: 1 }]], 'fds[0].fd'],
  ['setsockopt', [0, 1, 2, Number.NaN], 'value'],
  ['setsockopt', [0, 1, 2, 1.5], 'value'],
];

describe('bad arguments', () => {
  test.each(
    wrongTypes.map(
      ([name, args, argument]) =>
        [name, args.map((arg) => (typeof arg === 'bigint' ? `${arg}n` : arg)), argument, args] as const,
    ),
  )('%s(%j) is a TypeError about %s', (name, _shown, argument, args) => {
    expect(errorOf(() => call(name, ...args))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringContaining(`"${argument}"`),
    });
  });

  test.each(
    wrongRanges.map(
      ([name, args, argument]) =>
        [name, args.map((arg) => (typeof arg === 'bigint' ? `${arg}n` : arg)), argument, args] as const,
    ),
  )('%s(%j) is a RangeError about %s', (name, _shown, argument, args) => {
    expect(errorOf(() => call(name, ...args))).toMatchObject({
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: expect.stringContaining(`"${argument}"`),
    });
  });

  test("a path with a NUL byte is Node's own error", () => {
    for (const path of ['a\0b', Buffer.from('a\0b')])
      expect(errorOf(() => sys.open(path))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
      });
  });

  test('a URL that is no file', () => {
    expect(codeOf(() => sys.open(new URL('http://example.org/')))).toBe('ERR_INVALID_URL_SCHEME');
  });
});

describe('buffers that change', () => {
  test(
    'detached before the call',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      sys.write(w, 'kept');
      const memory = new ArrayBuffer(8);
      const view = new Uint8Array(memory);
      detach(memory);
      expect(sys.read(r, view)).toBe(0); // no room: what the kernel answers for a length of 0
      expect(codeOf(() => sys.read(r, view, 8))).toBe('ERR_OUT_OF_RANGE');
      const buffer = Buffer.alloc(8);
      expect(buffer.toString('utf8', 0, sys.read(r, buffer))).toBe('kept');
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'detached while the call waits: an error, and the data is still there',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const memory = new ArrayBuffer(8);
      const td = create(() => errorOf(() => sys.read(r, new Uint8Array(memory))));
      sleep(2);
      detach(memory);
      sys.write(w, 'kept');
      expect(td.join()).toMatchObject({
        code: 'ERR_INVALID_STATE',
        message: expect.stringContaining('read()'),
      });
      const buffer = Buffer.alloc(8);
      expect(buffer.toString('utf8', 0, sys.read(r, buffer))).toBe('kept');
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'a write whose buffer goes away half-way',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const memory = new ArrayBuffer(1_000_000);
      const td = create(() => errorOf(() => sys.write(w, new Uint8Array(memory))));
      sleep(2);
      detach(memory);
      const part = Buffer.alloc(65536);
      sys.read(r, part);
      expect(td.join()).toMatchObject({ code: 'ERR_INVALID_STATE', bytesTransferred: expect.any(Number) });
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'resized: shrunk while it waits is an error, grown is fine',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      type Resizable = ArrayBuffer & { resize(length: number): void };
      const resizable = (): Resizable =>
        new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(8, {
          maxByteLength: 16,
        });
      const shrinking = resizable();
      const td = create(() => errorOf(() => sys.read(r, new Uint8Array(shrinking), 8)));
      sleep(2);
      shrinking.resize(4);
      sys.write(w, '12345678');
      expect(td.join()).toMatchObject({ code: 'ERR_INVALID_STATE' });
      const growing = resizable();
      expect(sys.read(r, new Uint8Array(growing), 4)).toBe(4);
      growing.resize(16);
      expect(sys.read(r, new Uint8Array(growing))).toBe(4);
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'an array of buffers whose getters have plans',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const memory = new ArrayBuffer(4);
      const list: NodeJS.ArrayBufferView[] = [new Uint8Array(memory)];
      Object.defineProperty(list, 1, {
        enumerable: true,
        get: () => {
          if (memory.byteLength > 0) detach(memory);
          return Buffer.alloc(4);
        },
      });
      sys.write(w, 'abcd');
      expect(sys.readv(r, list)).toBe(4);
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'SharedArrayBuffer, DataView, Float64Array: any view will do',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const views = [
        new Uint8Array(new SharedArrayBuffer(8)),
        new DataView(new ArrayBuffer(16), 4, 8),
        new Float64Array(1),
        new Uint8Array(16).subarray(3, 11),
      ];
      for (const view of views) {
        sys.write(w, '12345678');
        expect(sys.read(r, view)).toBe(8);
        expect(Buffer.from(view.buffer, view.byteOffset, 8).toString()).toBe('12345678');
      }
      sys.close(r);
      sys.close(w);
    }),
  );
});

test(
  'the id of a mount has 64 bits with AT_HANDLE_MNT_ID_UNIQUE: no buffer is too small for it',
  onUserthread(() => {
    const UNIQUE = 1;
    const handle = (): Buffer => Buffer.concat([Buffer.from([128, 0, 0, 0]), Buffer.alloc(132)]);
    for (const flags of [0, UNIQUE])
      expect(
        codeOf(() => sys.raw(c.SYS_name_to_handle_at, c.AT_FDCWD, '.', handle(), Buffer.alloc(4), flags)),
      ).toBe('ERR_OUT_OF_RANGE');
    const fd = sys.open('.', c.O_DIRECTORY);
    const plain = /^mnt_id:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    sys.close(fd);
    const { mountId } = sys.name_to_handle_at(c.AT_FDCWD, '.');
    expect(mountId).toBe(Number(plain));
    const unique = errorOf(() => sys.name_to_handle_at(c.AT_FDCWD, '.', UNIQUE).mountId);
    // Older kernels do not know the flag. Unique ids begin above all others (fs/namespace.c).
    if (unique.code !== 'EINVAL') expect(unique.returned).toBeGreaterThan(2 ** 31 - 1);
  }),
);

test.each([
  ['crash nothing', []],
  ['make no shim throw', ['', '60000', 'shims']],
])('random arguments for every call %s', async (_what, args) => {
  if (args.length > 0) args[0] = String(Math.floor(Math.random() * 2 ** 31)); // it prints its seed
  const { status, signal, stdout, stderr } = await runProgram('fuzz.mjs', ...args);
  expect({ status, signal, stderr }, stdout).toEqual({ status: 0, signal: null, stderr: '' });
  expect(stdout).toMatch(/^seed \d+\n\d+ calls: \d+ results, \d+ errnos, \d+ misuses\n$/);
});
