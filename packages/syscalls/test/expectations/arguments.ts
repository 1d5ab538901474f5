/**
 * arguments.ts: what a shim sees of what a call's arguments point to, whoever makes the call, and what becomes of what it puts there: several messages at once, and structs of requests. What is to be said
 * of each ready-made shim is in its own file.
 */
import { expect, test } from 'vitest';
import { constants as c, defineShim, type Shim, type SysMsg, sys } from '../../src/index.ts';
import { onUserthread } from '../support.ts';
import { under, type Way } from './caller.ts';

/** [address, buffers, control, header] (src/codec/message.ts) */
type Plain = [Buffer | null, Buffer[], Buffer | null, Buffer];

const messagesOf = (msg: SysMsg): Plain[] => msg.args[1] as Plain[];
const text = (buffer: Buffer): string => buffer.toString('latin1').replace(/\0+$/, '');
const bytes = (...lengths: number[]): Buffer[] => lengths.map((length) => Buffer.alloc(length));
const LENGTH = 12;

const shim = (on: Shim['on'], handle: (msg: SysMsg, next: (msg: SysMsg) => number) => number): Shim =>
  defineShim({ name: 'seen', on, shim: (next) => (msg) => handle(msg, next) });

export function expectArguments(way: Way): void {
  /** Sends and receives two messages between two sockets; what was received of each. */
  const exchange = (): { sent: number[]; received: (string | number)[][] } => {
    const [a, b] = sys.socketpair(c.AF_UNIX, c.SOCK_DGRAM);
    const buffers = [bytes(2, 8), bytes(3)];
    const sent = sys.sendmmsg(a, [
      { buffers: [Buffer.from('ab'), Buffer.from('c')] },
      { buffers: [Buffer.from('defg')] },
    ]);
    const received = sys.recvmmsg(
      b,
      buffers.map((each) => ({ buffers: each })),
      c.MSG_DONTWAIT,
    );
    for (const fd of [a, b]) sys.close(fd);
    return {
      sent,
      received: received.map(({ length, flags }, i) => [
        length,
        flags & c.MSG_TRUNC,
        ...(buffers[i] as Buffer[]).map(text),
      ]),
    };
  };
  const plain = {
    sent: [3, 4],
    received: [
      [3, 0, 'ab', 'c'],
      [3, c.MSG_TRUNC, 'def'],
    ],
  };

  test(
    'several messages: what is sent, how much of it was, and what has come',
    onUserthread(() => {
      const seen: unknown[] = [];
      const watch = shim(['sendmmsg', 'recvmmsg'], (msg, next) => {
        const before = messagesOf(msg).map(([address, buffers]) => [address?.length ?? 0, buffers.length]);
        const reply = next(msg);
        const after = messagesOf(msg).map(([, buffers, , header]) => [
          header.readUInt32LE(LENGTH),
          ...buffers.map(text),
        ]);
        seen.push([msg.name, msg.args[2], before.length, reply, after]);
        return reply;
      });
      expect(under(way, watch, exchange)).toEqual(plain);
      expect(seen).toEqual([
        [
          'sendmmsg',
          2,
          2,
          2,
          [
            [3, 'ab', 'c'],
            [4, 'defg'],
          ],
        ],
        [
          'recvmmsg',
          2,
          2,
          2,
          [
            [3, 'ab', 'c'],
            [3, 'def'],
          ],
        ],
      ]);
    }),
  );

  test(
    'several messages that a shim changes, in place and for others, or fewer; that it answers itself',
    onUserthread(() => {
      const inPlace = shim(['sendmmsg'], (msg, next) => {
        for (const [, buffers] of messagesOf(msg))
          for (const each of buffers) each.write(each.toString().toUpperCase());
        return next(msg);
      });
      expect(under(way, inPlace, exchange).received.map((each) => each.slice(2))).toEqual([
        ['AB', 'C'],
        ['DEF'],
      ]);
      const others = shim(['sendmmsg'], (msg, next) => {
        const messages = [...messagesOf(msg)].reverse().map(([address, buffers, control]): Plain => {
          const data = Buffer.from(`<${buffers.map(text).join('')}>`);
          return [address, [data], control, Buffer.alloc(16)];
        });
        return next(msg.with({ messages }));
      });
      expect(under(way, others, exchange).received.map((each) => each.slice(2))).toEqual([
        ['<d', 'efg>'],
        ['<ab'],
      ]);
      const fewer = shim(['sendmmsg'], (msg, next) =>
        next(msg.with({ messages: messagesOf(msg).slice(0, 1), messagesLength: 1 })),
      );
      const one = way.begin([fewer]);
      const [a, b] = one.inside(() => sys.socketpair(c.AF_UNIX, c.SOCK_DGRAM | c.SOCK_NONBLOCK));
      one.inside(() => {
        const numbers = [...Buffer.from('xy')].map((byte) => [
          null,
          [Buffer.of(byte)],
          null,
          Buffer.alloc(16),
        ]);
        expect(sys.raw(c.SYS_sendmmsg, a, numbers, 2, 0)).toBe(1);
        expect(sys.read(b, Buffer.alloc(9))).toBe(1);
        for (const fd of [a, b]) sys.close(fd);
      });
      one.end();
      const own = shim(['sendmmsg', 'recvmmsg'], (msg) => {
        for (const [i, [, buffers, , header]] of messagesOf(msg).entries()) {
          if (msg.name === 'recvmmsg') buffers[0]?.write(`${i}`);
          header.writeUInt32LE(msg.name === 'recvmmsg' ? 1 : 7, LENGTH);
        }
        return 2;
      });
      expect(under(way, own, exchange)).toEqual({
        sent: [7, 7],
        received: [
          [1, 0, '0', ''],
          [1, 0, '1'],
        ],
      });
    }),
  );

  test(
    'several messages are received in buffers of the shim’s',
    onUserthread(() => {
      const lent = shim(['recvmmsg'], (msg, next) => {
        const messages = messagesOf(msg).map((): Plain => [null, bytes(100), null, Buffer.alloc(16)]);
        const reply = next(msg.with({ messages }));
        for (const [i, [, [data], , header]] of messages.slice(0, reply).entries()) {
          const [, buffers, , own] = messagesOf(msg)[i] as Plain;
          own.writeUInt32LE(
            (data as Buffer).copy(buffers[0] as Buffer, 0, 0, header.readUInt32LE(LENGTH)),
            LENGTH,
          );
        }
        return reply;
      });
      expect(under(way, lent, exchange).received).toEqual([
        [2, 0, 'ab', ''],
        [3, 0, 'def'],
      ]);
    }),
  );

  test(
    'requests: of ioctl, also such as do not say how long they are, prctl and semctl',
    onUserthread(() => {
      const seen: unknown[] = [];
      const watch = shim(['ioctl', 'prctl', 'semctl'], (msg, next) => {
        const value = msg.args.find((each) => ArrayBuffer.isView(each)) as Buffer | undefined;
        const reply = next(msg);
        seen.push([msg.name, value?.length, reply]);
        if (value !== undefined && msg.name === 'ioctl' && reply === 0)
          value.writeUInt32LE(value.readUInt32LE(0) + 1000);
        return reply;
      });
      const caller = way.begin([watch]);
      caller.inside(() => {
        const [r, w] = sys.pipe2();
        sys.write(w, 'abcde');
        const waiting = Buffer.alloc(4);
        sys.ioctl(r, c.FIONREAD, waiting);
        expect(waiting.readUInt32LE(0)).toBe(1005);
        for (const fd of [r, w]) sys.close(fd);
        const [before, name] = bytes(16, 16) as [Buffer, Buffer];
        sys.raw(c.SYS_prctl, c.PR_GET_NAME, before);
        sys.raw(c.SYS_prctl, c.PR_SET_NAME, Buffer.from('named by a test\0'));
        sys.raw(c.SYS_prctl, c.PR_GET_NAME, name);
        sys.raw(c.SYS_prctl, c.PR_SET_NAME, before);
        expect(text(name)).toBe('named by a test');
        const id = sys.semget(c.IPC_PRIVATE, 3, 0o600);
        const about = Buffer.alloc(104);
        sys.raw(c.SYS_semctl, id, 0, c.IPC_STAT, about);
        sys.raw(c.SYS_semctl, id, 0, c.IPC_RMID, 0);
        expect(about.readUInt32LE(80)).toBe(3);
      });
      caller.end();
      expect(seen).toEqual([
        ['ioctl', 4, 0],
        ...['PR_GET_NAME', 'PR_SET_NAME', 'PR_GET_NAME', 'PR_SET_NAME'].map(() => ['prctl', 16, 0]),
        ['semctl', 104, 0],
        ['semctl', undefined, 0],
      ]);
    }),
  );
}
