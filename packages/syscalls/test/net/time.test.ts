/** time.test.ts: tickers, deadlines of blocking code, datagrams. No assertion about how long anything takes, but never too short. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { create, curthread, MsgPort, sleep, Token, wait } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { defineShim, sys } from '../../src/index.ts';
import { datagram, type IpAddress, ticker, withDeadline } from '../../src/net/index.ts';
import { codeOf, errorOf, onUserthread } from '../support.ts';

const HOST = '127.0.0.1';

describe('withDeadline', () => {
  test(
    'whatever blocks is interrupted, once, where it is',
    onUserthread(() => {
      const [r] = sys.pipe2();
      const port = new MsgPort('nobody sends');
      const token = new Token('taken');
      const holder = create(
        () => {
          token.get();
          wait(new Promise(() => {}));
        },
        { daemon: true },
      );
      const blocking = [
        () => sleep(100_000),
        () => sys.read(r, Buffer.alloc(1)),
        () => wait(new Promise(() => {})),
        () => curthread().port.waitport(),
        () => holder.join(),
        () => sys.nanosleep(100_000),
      ];
      for (const block of blocking) {
        const error = errorOf(() => withDeadline(2, block));
        expect([String(block), error.code]).toEqual([String(block), 'ERR_LWKT_TIMEOUT']);
        expect(error.message).toBe('withDeadline() took longer than 2 ms');
      }
      sleep(3); // nothing is left over
      expect(port.getport()).toBe(undefined);
      holder.abort();
      sys.close(r);
    }),
  );

  test(
    'finally blocks may wait; what is done in time is answered; promises are waited for',
    onUserthread(() => {
      let cleaned = false;
      const error = errorOf(() =>
        withDeadline(2, () => {
          try {
            sleep(100_000);
          } finally {
            sleep(1);
            cleaned = true;
          }
        }),
      );
      expect([error.code, cleaned]).toEqual(['ERR_LWKT_TIMEOUT', true]);
      expect(withDeadline(100_000, () => 5)).toBe(5);
      expect(withDeadline(100_000, async () => 6)).toBe(6);
      expect(codeOf(() => withDeadline(2, () => new Promise(() => {})))).toBe('ERR_LWKT_TIMEOUT');
      expect(
        errorOf(() =>
          withDeadline(100_000, () => {
            throw new Error('its own');
          }),
        ),
      ).toMatchObject({ message: 'its own' });
    }),
  );

  test(
    'one inside of another: each holds',
    onUserthread(() => {
      const told: unknown[] = [];
      const error = errorOf(() =>
        withDeadline(4, () => {
          told.push(codeOf(() => withDeadline(2, () => sleep(100_000))));
          told.push(codeOf(() => withDeadline(100_000, () => sleep(100_000)))); // the outer one ends this
          throw new Error('went on');
        }),
      );
      expect([told, error.message]).toEqual([['ERR_LWKT_TIMEOUT', 'ERR_LWKT_TIMEOUT'], 'went on']);
      // both pass while nothing blocks
      const both = errorOf(() =>
        withDeadline(1, () => {
          const inner = codeOf(() =>
            withDeadline(1, () => {
              const until = performance.now() + 10;
              while (performance.now() < until);
              sleep(100_000);
            }),
          );
          return [inner, codeOf(() => sleep(100_000))];
        }),
      );
      expect(both.returned).toEqual(['ERR_LWKT_TIMEOUT', 'ERR_LWKT_TIMEOUT']);
    }),
  );

  test(
    'abort() comes first; a signal; a token is had again before the error is seen',
    onUserthread(() => {
      const td = create(() => errorOf(() => withDeadline(100_000, () => sleep(100_000))));
      sleep(1);
      td.abort('now');
      expect(td.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'now' });
      const controller = new AbortController();
      setTimeout(() => controller.abort('signal'), 1);
      expect(
        errorOf(() => withDeadline(100_000, () => sleep(100_000), { signal: controller.signal })),
      ).toMatchObject({
        code: 'ABORT_ERR',
        cause: 'signal',
      });
      const token = new Token('mine');
      const hold = token.get();
      expect(codeOf(() => withDeadline(1, () => sleep(100_000)))).toBe('ERR_LWKT_TIMEOUT');
      expect(String(token)).toBe('Token "mine" 1 in, 0 waiting');
      hold.release();
    }),
  );

  test(
    'passes through shims that wait',
    onUserthread(() => {
      const slow = defineShim({
        name: 'slow',
        on: ['getpid'],
        shim: (next) => (msg) => {
          sleep(100_000);
          return next(msg);
        },
      });
      const td = create(() => codeOf(() => withDeadline(1, () => sys.getpid())), {
        syscallPort: sys.with(slow),
      });
      expect(td.join()).toBe('ERR_LWKT_TIMEOUT');
    }),
  );

  test('not on thread0; bad arguments', () => {
    expect(codeOf(() => withDeadline(1, () => 1))).toBe('ERR_LWKT_WOULD_BLOCK');
    expect(codeOf(() => withDeadline(-1, () => 1))).toBe('ERR_OUT_OF_RANGE');
    expect(codeOf(() => [...ticker(5)])).toBe('ERR_LWKT_WOULD_BLOCK');
  });
});

describe('ticker', () => {
  test(
    'never early, does not drift, leaves out what is missed',
    onUserthread(() => {
      const start = process.hrtime.bigint();
      const seen: number[] = [];
      for (const n of ticker(3)) {
        expect(process.hrtime.bigint() - start).toBeGreaterThanOrEqual(BigInt(n) * 3_000_000n);
        seen.push(n);
        if (seen.length === 3) sleep(10); // at least three ticks pass
        if (seen.length === 5) break;
      }
      expect(seen).toEqual([...seen].sort((x, y) => x - y));
      expect(new Set(seen).size).toBe(5);
      expect((seen[3] as number) - (seen[2] as number)).toBeGreaterThan(3);
    }),
  );

  test(
    'by the port, as clock_nanosleep; ended by a signal',
    onUserthread(() => {
      const requests: unknown[] = [];
      const clock = defineShim({
        name: 'clock',
        on: ['clock_nanosleep'],
        shim: () => (msg) => {
          requests.push([msg.get('clock'), msg.get('flags')]);
          return 0; // time flies
        },
      });
      const td = create(
        () => {
          const seen: number[] = [];
          for (const n of ticker(60_000)) {
            seen.push(n);
            if (n === 3) return seen;
          }
        },
        { syscallPort: sys.with(clock) },
      );
      expect(td.join()).toEqual([1, 2, 3]);
      expect(requests).toEqual(Array(3).fill([1, 1]));
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 5);
      expect(codeOf(() => [...ticker(1, { signal: controller.signal })])).toBe('ABORT_ERR');
      expect(codeOf(() => [...ticker(0)])).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => [...ticker('1' as never)])).toBe('ERR_INVALID_ARG_TYPE');
    }),
  );
});

describe('datagrams', () => {
  test(
    'there and back, with node:dgram, too',
    onUserthread(() => {
      const ours = datagram({ host: HOST });
      const { port } = ours.address();
      const theirs = dgram.createSocket('udp4');
      wait(new Promise<void>((resolve) => theirs.bind(0, HOST, resolve)));
      const received = once(theirs, 'message');
      ours.send('höllo', theirs.address().port, HOST);
      const [message, sender] = wait(received) as [Buffer, dgram.RemoteInfo];
      expect([String(message), sender.port]).toEqual(['höllo', port]);
      theirs.send('back', port, HOST);
      expect(ours.receive()).toEqual({
        data: Buffer.from('back'),
        from: { address: HOST, family: 'IPv4', port: theirs.address().port } satisfies IpAddress,
        truncated: false,
      });
      theirs.send('too long', port, HOST);
      expect(ours.receive(3)).toMatchObject({ data: Buffer.from('too'), truncated: true });
      theirs.send('', port, HOST);
      expect(ours.receive().data.length).toBe(0);
      theirs.close();
      ours.close();
    }),
  );

  test(
    'timeouts, errors, close',
    onUserthread(() => {
      const socket = datagram({ host: HOST });
      const { port } = socket.address();
      expect(codeOf(() => socket.receive(10, { timeout: 1 }))).toBe('ERR_LWKT_TIMEOUT');
      expect(errorOf(() => datagram({ host: HOST, port }))).toMatchObject({
        message: `bind EADDRINUSE ${HOST}:${port}`,
        code: 'EADDRINUSE',
        port,
      });
      expect(errorOf(() => socket.send(Buffer.alloc(70_000), port, HOST))).toMatchObject({
        message: `send EMSGSIZE ${HOST}:${port}`,
      });
      expect(codeOf(() => socket.send('x', 70_000))).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => socket.receive(0))).toBe('ERR_OUT_OF_RANGE');
      const reader = create(() => codeOf(() => socket.receive()));
      const loop = create(() => [...socket].length);
      sleep(1);
      socket.close();
      expect([reader.join(), loop.join()]).toEqual(['ERR_SOCKET_DGRAM_NOT_RUNNING', 0]);
      expect(codeOf(() => socket.send('x', port))).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING');
    }),
  );
});
