/** net.test.ts: listening, dialling, connections: what they do and how they fail, alone and against node:net. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { create, run, sleep, type UserThread, wait } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { defineShim, sys } from '../../src/index.ts';
import { type Conn, dial, type IpAddress, type Listener, listen } from '../../src/net/index.ts';
import { race } from '../../src/net/sockets/race.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const HOST = '127.0.0.1';

const portOf = (listener: Listener): number => (listener.address() as IpAddress).port;

/** A connection, both ends of it. */
function pair(): { a: Conn; b: Conn; close(): void } {
  const listener = listen({ host: HOST });
  const accepting = create(() => listener.accept());
  const a = dial({ host: HOST, port: portOf(listener) });
  const b = accepting.join();
  listener.close();
  return {
    a,
    b,
    close() {
      a.close();
      b.close();
    },
  };
}

/** Starts fn and lets it come to its wait. */
function waiting<R>(fn: () => R): UserThread<Awaited<R>> {
  const td = create(fn);
  for (let i = 0; i < 1000 && td.state !== 'blocked'; i++) sleep(0);
  expect(td.state).toBe('blocked');
  return td;
}

/** node:net's own error for the same thing. */
function nodeError(
  make: (socket: { on(event: 'error', listener: (error: Error) => void): unknown }) => void,
  of: net.Server | net.Socket,
): Error {
  const failed = once(of as net.Socket, 'error').catch((error: Error) => [error]);
  make(of);
  return wait(failed)[0] as Error;
}

/** All that a program can see of an error: keys in their order, too. */
const shape = (error: Error): unknown => [error.message, Object.entries(error)];

function thrown(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('listen and dial', () => {
  test(
    'an echo server, in a dozen lines',
    onUserthread(() => {
      const listener = listen({ port: 0 });
      const server = create(() => {
        for (const conn of listener) {
          create(() => {
            for (const chunk of conn) conn.write(chunk);
            conn.close();
          });
        }
      });
      const conn = dial({ port: portOf(listener) });
      conn.write('hello\nwörld\r\n');
      expect(conn.readLine()).toBe('hello');
      expect(conn.readLine()).toBe('wörld');
      conn.closeWrite();
      expect(conn.read()).toBe(undefined);
      conn.close();
      listener.close();
      server.join();
    }),
  );

  test(
    'addresses of both ends, by either family',
    onUserthread(() => {
      for (const host of [HOST, '::1']) {
        if (host === '::1' && codeOf(() => listen({ host }).close()) !== 'no error') continue;
        const listener = listen(host === HOST ? `tcp://${HOST}:0` : 'tcp://[::1]:0');
        const { port } = listener.address() as IpAddress;
        const family = host === HOST ? 'IPv4' : 'IPv6';
        expect(listener.address()).toEqual({ address: host, family, port });
        const a = dial(host === HOST ? `tcp://${host}:${port}` : `tcp://[${host}]:${port}`);
        const b = listener.accept();
        expect([a.remoteAddress, a.remotePort, a.remoteFamily]).toEqual([host, port, family]);
        expect([b.remoteAddress, b.remotePort]).toEqual([a.localAddress, a.localPort]);
        expect([b.localAddress, b.localPort]).toEqual([host, port]);
        expect(String(b)).toBe(`Conn ${host}:${a.localPort} open`);
        for (const each of [a, b, listener]) each.close();
        expect(String(listener)).toBe(`Listener ${host}:${port} closed`);
      }
    }),
  );

  test(
    'localAddress and localPort are those of the connection',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      const free = listen({ host: '127.0.0.2' });
      const localPort = portOf(free);
      free.close();
      const a = dial({ host: HOST, port: portOf(listener), localAddress: '127.0.0.2', localPort });
      const b = listener.accept();
      expect([b.remoteAddress, b.remotePort]).toEqual(['127.0.0.2', localPort]);
      for (const each of [a, b, listener]) each.close();
    }),
  );

  test(
    'local sockets, by path and in the abstract namespace',
    onUserthread(() => {
      const path = join(folder, 'socket with space');
      for (const where of [path, `\0libcr-${process.pid}`]) {
        const listener = listen({ path: where });
        expect(listener.address()).toBe(where);
        const a = dial(where === path ? `unix:${encodeURI(path)}` : { path: where });
        const b = listener.accept();
        a.write('x');
        expect(b.read()?.toString()).toBe('x');
        expect([a.remoteAddress, b.remoteAddress, a.remotePort]).toEqual([where, '', undefined]);
        for (const each of [a, b, listener]) each.close();
      }
      expect(existsSync(path)).toBe(false);
    }),
  );

  test(
    'reusePort: two listeners on one port; without it EADDRINUSE',
    onUserthread(() => {
      const one = listen({ host: HOST, reusePort: true });
      const port = portOf(one);
      const two = listen({ host: HOST, port, reusePort: true });
      expect(codeOf(() => listen({ host: HOST, port }))).toBe('EADDRINUSE');
      one.close();
      two.close();
    }),
  );

  test(
    'ipv6Only leaves IPv4 to others',
    onUserthread(() => {
      if (codeOf(() => listen({ host: '::1' }).close()) !== 'no error') return;
      const free = (): ReturnType<typeof listen>[] => {
        for (let tries = 1; ; tries++) {
          const six = listen({ host: '::', ipv6Only: true });
          try {
            return [six, listen({ host: '0.0.0.0', port: portOf(six) })];
          } catch (error) {
            six.close(); // the same port of IPv4 may be another process'
            if (tries === 100) throw error;
          }
        }
      };
      const [six, four] = free() as [ReturnType<typeof listen>, ReturnType<typeof listen>];
      const both = listen({ port: 0 });
      expect(codeOf(() => listen({ host: '0.0.0.0', port: portOf(both) }))).toBe('EADDRINUSE');
      for (const listener of [six, four, both]) listener.close();
    }),
  );
});

describe('errors are node:net’s own', () => {
  test(
    'listen: in use, not an address of this machine',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      const port = portOf(listener);
      const path = join(folder, 'used');
      const local = listen({ path });
      for (const where of [{ host: HOST, port }, { host: '192.0.2.1', port: 1 }, { path }]) {
        const expected = nodeError((server) => (server as net.Server).listen(where), net.createServer());
        expect(shape(thrown(() => listen(where)))).toEqual(shape(expected));
      }
      local.close();
      listener.close();
    }),
  );

  test(
    'connect: refused, no such path, a wrong local address',
    onUserthread(() => {
      const closed = listen({ host: HOST });
      const port = portOf(closed);
      closed.close();
      for (const where of [
        { host: HOST, port },
        { path: join(folder, 'nowhere') },
        { host: HOST, port, localAddress: '192.0.2.1' },
      ]) {
        const expected = nodeError((socket) => (socket as net.Socket).connect(where), new net.Socket());
        expect(shape(thrown(() => dial(where)))).toEqual(shape(expected));
      }
    }),
  );

  test(
    'a name that does not exist',
    onUserthread(() => {
      const error = errorOf(() => dial({ host: 'no-such-host.invalid', port: 1 }));
      expect([error.syscall, error.hostname]).toEqual(['getaddrinfo', 'no-such-host.invalid']);
    }),
  );

  test(
    'a peer that has gone: ECONNRESET for who reads, EPIPE for who writes, and no SIGPIPE',
    onUserthread(() => {
      const signals: string[] = [];
      const onSignal = (): void => void signals.push('SIGPIPE');
      process.on('SIGPIPE', onSignal);
      const server = net.createServer((socket) =>
        socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()),
      );
      wait(once(server.listen(0, HOST), 'listening'));
      const conn = dial({ host: HOST, port: (server.address() as net.AddressInfo).port });
      const reader = waiting(() => thrown(() => conn.read()));
      conn.write('go away');
      expect(shape(reader.join())).toEqual([
        'read ECONNRESET',
        Object.entries({ errno: -104, code: 'ECONNRESET', syscall: 'read' }),
      ]);
      expect(shape(thrown(() => conn.write('x')))).toEqual([
        'write EPIPE',
        Object.entries({ errno: -32, code: 'EPIPE', syscall: 'write' }),
      ]);
      conn.close();
      wait(once(server.close(), 'close'));
      sleep(1);
      process.off('SIGPIPE', onSignal);
      expect(signals).toEqual([]);
    }),
  );

  test(
    'bad options',
    onUserthread(() => {
      const bad = (fn: () => unknown): unknown => codeOf(fn);
      for (const options of [undefined, 5, null]) {
        expect(bad(() => listen(options as never))).toBe('ERR_INVALID_ARG_TYPE');
        expect(bad(() => dial(options as never))).toBe('ERR_INVALID_ARG_TYPE');
      }
      expect(bad(() => dial({}))).toBe('ERR_INVALID_ARG_TYPE');
      expect(bad(() => dial({ port: 65_536 }))).toBe('ERR_OUT_OF_RANGE');
      expect(bad(() => dial({ port: 1, path: '/x' }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(bad(() => dial({ port: 1, timeout: -1 }))).toBe('ERR_OUT_OF_RANGE');
      expect(bad(() => dial({ port: 1, host: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
      expect(bad(() => dial({ port: 1, localAddress: 'here' }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(bad(() => dial({ port: 1, family: 5 as never }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(bad(() => listen({ backlog: -1 }))).toBe('ERR_OUT_OF_RANGE');
      expect(bad(() => listen({ path: 'x'.repeat(200) }))).toBe('ERR_OUT_OF_RANGE');
      for (const url of ['', 'tcp://host', 'http://x:1', 'tcp://h:1/p', 'unix:', 'udp://h:1'])
        expect([url, bad(() => dial(url))]).toEqual([url, 'ERR_INVALID_ARG_VALUE']);
    }),
  );

  test('thread0 is never made to wait', async () => {
    const listener = listen({ host: HOST }); // a literal address: nothing to wait for
    const { port } = listener.address() as IpAddress;
    expect(codeOf(() => listener.accept())).toBe('ERR_LWKT_WOULD_BLOCK');
    expect(codeOf(() => dial({ host: HOST, port }))).toBe('ERR_LWKT_WOULD_BLOCK');
    expect(codeOf(() => listen({ host: 'localhost' }))).toBe('ERR_LWKT_WOULD_BLOCK');
    const conn = await run(() => dial({ host: HOST, port }));
    for (const call of [
      () => conn.read(),
      () => conn.read(Buffer.alloc(1)),
      () => conn.readLine(),
      () => conn.write('x'),
      () => conn.closeWrite(),
    ])
      expect([String(call), codeOf(call)]).toEqual([String(call), 'ERR_LWKT_WOULD_BLOCK']);
    conn.setNoDelay();
    conn.close();
    conn.close();
    listener.close();
  });
});

describe('several addresses', () => {
  test(
    'the error of all is an AggregateError with the first one’s code',
    onUserthread(() => {
      const closed = listen({ host: HOST });
      const port = portOf(closed);
      closed.close();
      const error = thrown(() => dial({ port })) as Error & { code: string; errors?: Error[] };
      expect(error.code).toBe('ECONNREFUSED');
      if (error.errors !== undefined) expect(error.errors.length).toBeGreaterThan(1);
      else expect(error.message).toBe(`connect ECONNREFUSED ${HOST}:${port}`);
    }),
  );
});

describe('the race for the first of several addresses', () => {
  const never = (): never => {
    sleep(1_000_000);
    throw new Error('slept');
  };
  const fail = (message: string) => (): never => {
    throw Object.assign(new Error(message), { code: message.toUpperCase() });
  };

  test(
    'the next one begins when one fails, or is slow; the others are aborted, late successes given back',
    onUserthread(() => {
      const begun: number[] = [];
      const ended: unknown[] = [];
      const attempt = (i: number, fn: () => unknown) => () => {
        begun.push(i);
        try {
          return fn();
        } catch (error) {
          ended.push([i, (error as NodeJS.ErrnoException).code]);
          throw error;
        }
      };
      const late = (): string => {
        try {
          return never();
        } catch {
          return 'late';
        }
      };
      const disposed: unknown[] = [];
      const attempts = [fail('a'), late, never, () => 'won', fail('not begun')].map((fn, i) =>
        attempt(i, fn),
      );
      expect(race(attempts, 1, (value) => disposed.push(value))).toBe('won');
      sleep(1);
      expect(begun).toEqual([0, 1, 2, 3]);
      expect(ended).toEqual([
        [0, 'A'],
        [2, 'ABORT_ERR'],
      ]);
      expect(disposed).toEqual(['late']);
    }),
  );

  test(
    'all fail: an AggregateError, in order',
    onUserthread(() => {
      const slow = (): never => {
        sleep(5);
        return fail('b')();
      };
      const error = thrown(() => race([slow, fail('c'), fail('d')], 1, () => {})) as AggregateError;
      expect(error).toBeInstanceOf(AggregateError);
      expect(error).toMatchObject({ message: 'b; c; d', code: 'B' });
      expect(error.errors.map((each: Error) => each.message)).toEqual(['b', 'c', 'd']);
    }),
  );
});

describe('accept', () => {
  test(
    'timeout, signal, abort: each ends it, and the listener goes on',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      expect(errorOf(() => listener.accept({ timeout: 5 }))).toMatchObject({ code: 'ERR_LWKT_TIMEOUT' });
      const controller = new AbortController();
      const td = waiting(() => errorOf(() => listener.accept({ signal: controller.signal })));
      controller.abort('enough');
      expect(td.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
      expect(codeOf(() => listener.accept({ signal: controller.signal }))).toBe('ABORT_ERR');
      const aborted = waiting(() => errorOf(() => listener.accept()));
      aborted.abort('you');
      expect(aborted.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'you' });
      const conn = dial({ host: HOST, port: portOf(listener) });
      listener.accept().close();
      conn.close();
      listener.close();
    }),
  );

  test(
    'closed while it waits: a clear error; loops end',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      const one = waiting(() => errorOf(() => listener.accept()));
      const loop = waiting(() => {
        for (const _ of listener) throw new Error('nobody has connected');
        return 'ended';
      });
      listener.close();
      expect(one.join()).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
      expect(loop.join()).toBe('ended');
      expect(codeOf(() => listener.accept())).toBe('ERR_SERVER_NOT_RUNNING');
      expect([...listener]).toEqual([]);
      listener.close();
    }),
  );

  test(
    '1,000 connections at once',
    onUserthread(() => {
      const COUNT = 1000;
      const listener = listen({ host: HOST, backlog: COUNT });
      const server = create(() => listener.serve((conn) => conn.write(`${conn.readLine()}!\n`)));
      const clients = Array.from({ length: COUNT }, (_, i) =>
        create(() => {
          const conn = dial({ host: HOST, port: portOf(listener) });
          conn.write(`client ${i}\n`);
          const answer = conn.readLine();
          conn.close();
          return answer;
        }),
      );
      expect(clients.map((td) => td.join())).toEqual(clients.map((_, i) => `client ${i}!`));
      listener.close();
      server.join();
    }),
  );
});

describe('serve', () => {
  test(
    'closes each connection, tells onError, and ends when all handlers have',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      const seen: string[] = [];
      const server = create(() =>
        listener.serve(
          (conn) => {
            const word = conn.readLine();
            if (word === 'throw') throw new Error('as asked');
            sleep(5);
            conn.write('done\n');
            seen.push(word as string);
          },
          { onError: (error, conn) => seen.push(`${error.message} ${conn?.closed}`) },
        ),
      );
      const port = portOf(listener);
      const bad = dial({ host: HOST, port });
      bad.write('throw\n');
      expect(bad.read()).toBe(undefined);
      const good = dial({ host: HOST, port });
      good.write('work\n');
      sleep(1);
      listener.close();
      server.join();
      expect(seen).toEqual(['as asked false', 'work']);
      expect(good.readAll().toString()).toBe('done\n');
      bad.close();
      good.close();
    }),
  );
});

test('all of it goes through the port', async () => {
  const seen: string[] = [];
  const names = defineShim({
    name: 'names',
    on: 'all',
    shim: (next) => (msg) => {
      seen.push(msg.name);
      return next(msg);
    },
  });
  await run(
    () => {
      const { a, b, close } = pair();
      a.write('x');
      b.read();
      a.closeWrite();
      close();
    },
    { syscallPort: sys.with(names) },
  );
  const expected = [
    'socket',
    'setsockopt',
    'bind',
    'listen',
    'accept4',
    'connect',
    'sendto',
    'recvfrom',
    'shutdown',
    'close',
  ];
  expect(expected.filter((name) => !seen.includes(name))).toEqual([]);
});
