/** wire.test.ts: system calls as bytes and back, and bytes that nobody has made of a call. A seed is printed; LIBCR_SOAK_SEED makes the same choices again. */
import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { constants as c } from '../src/index.ts';
import { callsWith, failure, IncomingCall, OutgoingCall } from '../src/wire/index.ts';

const SEED = Number(process.env.LIBCR_SOAK_SEED ?? randomInt(1_000_000));
console.log(`wire: seed ${SEED}`);
const ROOM = 4096;
/** Bytes in front of a call, and of an answer. */
const [FRONT, BACK] = [7, 3];

const there = (number: number, ...args: unknown[]): [OutgoingCall, IncomingCall] => {
  const outgoing = new OutgoingCall(number, args, FRONT);
  return [outgoing, new IncomingCall(outgoing.bytes, FRONT, ROOM, BACK)];
};

describe('a call goes there and comes back', () => {
  test('numbers, text, bytes, null and what is absent', () => {
    const [, openat] = there(c.SYS_openat, c.AT_FDCWD, 'päth', c.O_RDONLY);
    expect(openat).toMatchObject({ name: 'openat', number: c.SYS_openat, args: [c.AT_FDCWD, 'päth', 0] });
    expect(there(c.SYS_open, Buffer.from([0xff, 0x2f]), 0)[1].args[0]).toEqual(Buffer.from([0xff, 0x2f]));
    for (const offset of [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 0.5, 2n ** 62n])
      expect(there(c.SYS_lseek, 3, offset, 0)[1].args).toEqual([3, offset, 0]);
    expect(there(c.SYS_utimensat, 3, null, null, 0)[1].args).toEqual([3, null, null, 0]);
    expect(there(c.SYS_read, undefined, undefined, 5)[1].args).toEqual([undefined, undefined, 5]);
  });

  test('what the kernel reads goes along, as much as counts', () => {
    const [, write] = there(c.SYS_write, 1, Buffer.from('hello there'), 5);
    expect(String(write.args[1])).toBe('hello');
    const [, writev] = there(c.SYS_writev, 1, [Buffer.from('one'), Buffer.alloc(0), new Uint16Array([1])], 3);
    expect(writev.args[1]).toEqual([Buffer.from('one'), Buffer.alloc(0), Buffer.from([1, 0])]);
  });

  test('what the kernel writes comes back: as much as the reply says', () => {
    const memory = Buffer.alloc(10, '.');
    const [outgoing, read] = there(c.SYS_read, 3, memory, 8);
    expect(read.args[1]).toEqual(Buffer.alloc(8));
    (read.args[1] as Buffer).write('abcdefgh');
    expect(outgoing.finish(read.answer(3), BACK)).toBe(3);
    expect(String(memory)).toBe('abc.......');
    (read.args[1] as Buffer).write('abcdefgh');
    expect(outgoing.finish(read.answer(1_000_000), BACK)).toBe(1_000_000); // a shim's answer may be anything
    expect(String(memory)).toBe('abcdefgh..');
  });

  test('nothing comes back with an error but what goes both ways', () => {
    const memory = Buffer.alloc(4, '.');
    const [outgoing, read] = there(c.SYS_read, 3, memory, 4);
    (read.args[1] as Buffer).write('abcd');
    expect(outgoing.finish(read.answer(-c.EIO), BACK)).toBe(-c.EIO);
    expect(outgoing.finish(failure(c.EBADF, BACK), BACK)).toBe(-c.EBADF);
    expect(String(memory)).toBe('....');
    const [length, option] = [Buffer.from([4, 0, 0, 0]), Buffer.alloc(4, '.')];
    const [asked, getsockopt] = there(c.SYS_getsockopt, 3, 1, 3, option, length);
    (getsockopt.args[3] as Buffer).write('abcd');
    (getsockopt.args[4] as Buffer)[0] = 2;
    expect(asked.finish(getsockopt.answer(0), BACK)).toBe(0);
    expect([String(option), length[0]]).toEqual(['ab..', 2]);
  });

  test('vectors are filled one after the other', () => {
    const parts = [Buffer.alloc(3, '.'), Buffer.alloc(0), Buffer.alloc(3, '.'), Buffer.alloc(3, '.')];
    const [outgoing, readv] = there(c.SYS_readv, 3, parts, 4);
    for (const part of readv.args[1] as Buffer[]) part.fill('x');
    expect(outgoing.finish(readv.answer(4), BACK)).toBe(4);
    expect(parts.map(String)).toEqual(['xxx', '', 'x..', '...']);
  });

  test('positions have more than 32 bits', () => {
    const [outgoing, lseek] = there(c.SYS_lseek, 3, 0, 2);
    expect(outgoing.finish(lseek.answer(2 ** 45 + 1), BACK)).toBe(2 ** 45 + 1);
  });

  test('what can not go', () => {
    const read = (memory: unknown) => () => new OutgoingCall(c.SYS_read, [3, memory, 1], 0);
    for (const value of [{}, () => 1, Symbol('x'), [1]]) expect(read(value)).toThrow(TypeError);
    expect(() => new OutgoingCall(c.SYS_readv, [3, ['x'], 1], 0)).toThrow(TypeError);
    expect(() => new OutgoingCall(c.SYS_readv, [3, Array(1025).fill(Buffer.alloc(0)), 1], 0)).toThrow(
      RangeError,
    );
    expect(() => new OutgoingCall(c.SYS_sendmsg, [3, [null, [], null, Buffer.alloc(16)], 0], 0)).toThrow(
      TypeError,
    );
    expect(() => new OutgoingCall(100_000, [], 0)).toThrow(RangeError);
  });
});

describe('bytes that are no call', () => {
  const misuse = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;

  test('buffers that are too large: nothing is allocated', () => {
    const { bytes } = new OutgoingCall(c.SYS_read, [3, Buffer.alloc(ROOM), ROOM], 0);
    expect(new IncomingCall(bytes, 0, ROOM, 0).args[1]).toHaveLength(ROOM);
    expect(() => new IncomingCall(bytes, 0, ROOM - 1, 0)).toThrow(RangeError);
    const large = Buffer.from(bytes);
    large.writeUInt32LE(2 ** 32 - 1, large.indexOf(7, 8) + 1);
    const before = process.memoryUsage().rss;
    expect(() => new IncomingCall(large, 0, ROOM, 0)).toThrow(RangeError);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  test('the kernel never writes into what has come: bytes where it writes are refused', () => {
    const { bytes } = new OutgoingCall(c.SYS_write, [3, Buffer.from('12345'), 5], 0);
    const text = Buffer.from(bytes.toString('latin1').replace('\x05write', '\x04read'), 'latin1');
    expect(() => new IncomingCall(text, 0, ROOM, 0)).toThrow(TypeError);
  });

  test('whatever comes is a call of the right form, or an error', () => {
    let state = SEED + 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const calls = [
      new OutgoingCall(c.SYS_read, [3, Buffer.alloc(50), 50], 0),
      new OutgoingCall(c.SYS_preadv, [3, [Buffer.alloc(5), Buffer.alloc(6)], 2, 0], 0),
      new OutgoingCall(c.SYS_openat, [c.AT_FDCWD, '/a/path', 0, 0o644], 0),
      new OutgoingCall(c.SYS_poll, [Buffer.alloc(16), 2, 0], 0),
      new OutgoingCall(c.SYS_getsockopt, [3, 1, 2, Buffer.alloc(8), Buffer.from([8, 0, 0, 0])], 0),
    ];
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from((calls[i % calls.length] as OutgoingCall).bytes);
      for (let n = random(4); n >= 0; n--) bytes[random(bytes.length)] = random(256);
      try {
        const call = new IncomingCall(
          bytes.subarray(0, random(5) === 0 ? random(bytes.length) : undefined),
          0,
          ROOM,
          BACK,
        );
        expect(call.args.length).toBeLessThanOrEqual(call.formats.length);
        expect(call.answer(random(2 ** 31)).length).toBeLessThan(ROOM + 8192);
      } catch (error) {
        if (!misuse(error)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(2000);
    expect(refused).toBeLessThan(19_000);
  });

  test('answers that are none', () => {
    const outgoing = new OutgoingCall(c.SYS_read, [3, Buffer.alloc(4), 4], 0);
    const answer = new IncomingCall(outgoing.bytes, 0, ROOM, 0).answer(4);
    const changed = (change: (bytes: Buffer) => void): Buffer => {
      const bytes = Buffer.from(answer);
      change(bytes);
      return bytes;
    };
    for (const bytes of [
      Buffer.alloc(0),
      answer.subarray(0, 8),
      changed((b) => b.fill(9, 0, 1)),
      changed((b) => b.writeDoubleLE(0.5, 1)),
      changed((b) => b.writeDoubleLE(Number.NaN, 1)),
      changed((b) => b.writeDoubleLE(-5000, 1)),
      changed((b) => b.writeUInt32LE(5, 9)), // more than there is room for
      answer.subarray(0, -1),
    ])
      expect(() => outgoing.finish(bytes, 0)).toThrow(TypeError);
  });
});

test('calls by the kinds of their arguments', () => {
  expect(callsWith('path')).toContain('openat');
  expect(callsWith('path')).not.toContain('read');
  expect(callsWith('fd', 'pollfds')).toEqual(expect.arrayContaining(['read', 'poll', 'mmap']));
});
