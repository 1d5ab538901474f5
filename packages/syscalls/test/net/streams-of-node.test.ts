/** streams-of-node.test.ts: streams of Node's in blocking style, ours as streams of Node's, node:net and node:tls as peers. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { buffer as allOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { createGunzip, createGzip, gunzipSync } from 'node:zlib';
import { create, sleep, type UserThread, wait } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import {
  type Conn,
  dial,
  fromStream,
  type IpAddress,
  listen,
  type Stream,
  stream,
} from '../../src/net/index.ts';
import { codeOf, errorOf, onUserthread } from '../support.ts';
import { certificate } from './certificate.ts';

const HOST = '127.0.0.1';
const MUCH = Buffer.alloc(2_000_000, 'more than any buffer between the two has room for; ');

function pair({ small = false } = {}): { a: Conn; b: Conn } {
  const listener = listen({ host: HOST });
  if (small) sys.setsockopt(listener.fd, c.SOL_SOCKET, c.SO_RCVBUF, 1);
  const a = dial({ host: HOST, port: (listener.address() as IpAddress).port });
  const b = listener.accept();
  if (small) for (const { fd } of [a, b]) sys.setsockopt(fd, c.SOL_SOCKET, c.SO_SNDBUF, 1);
  listener.close();
  return { a, b };
}

function waiting<R>(fn: () => R): UserThread<Awaited<R>> {
  const td = create(fn);
  for (let i = 0; i < 1000 && td.state !== 'blocked'; i++) sleep(0);
  expect(td.state).toBe('blocked');
  return td;
}

describe('node:net as the peer', () => {
  test(
    'its server: much there and back, and an end each way',
    onUserthread(() => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      wait(once(server.listen(0, HOST), 'listening'));
      const conn = dial({ host: HOST, port: (server.address() as net.AddressInfo).port });
      const writer = create(() => {
        conn.write(MUCH);
        conn.closeWrite();
      });
      expect(conn.readAll().equals(MUCH)).toBe(true);
      writer.join();
      conn.close();
      wait(once(server.close(), 'close'));
    }),
  );

  test(
    'its client: the same',
    onUserthread(() => {
      const listener = listen({ host: HOST });
      const server = create(() =>
        listener.serve((conn) => {
          for (const chunk of conn) conn.write(chunk);
        }),
      );
      const socket = net.connect((listener.address() as IpAddress).port, HOST);
      socket.end(MUCH);
      expect(wait(allOf(socket)).equals(MUCH)).toBe(true);
      listener.close();
      server.join();
    }),
  );
});

describe('toDuplex, toReadable, toWritable', () => {
  test(
    'pipeline through a connection, with backpressure both ways',
    onUserthread(() => {
      const { a: near, b: far } = pair({ small: true });
      const duplex = far.toDuplex();
      const echoed = pipeline(duplex, new PassThrough(), duplex);
      const sent = create(() => {
        near.write(MUCH);
        near.closeWrite();
      });
      sleep(20);
      expect(sent.state).not.toBe('finished'); // nobody reads what is echoed: it can't go on
      expect(near.readAll().equals(MUCH)).toBe(true);
      sent.join();
      wait(echoed);
      expect(far.closed).toBe(true);
      near.close();
    }),
  );

  test(
    'nothing is read that nobody wants',
    onUserthread(() => {
      const { a, b } = pair({ small: true });
      const duplex = b.toDuplex();
      const writer = waiting(() => codeOf(() => a.write(MUCH)));
      expect(duplex.readableLength).toBe(0);
      duplex.destroy();
      expect(writer.join()).toMatch(/^(ECONNRESET|EPIPE)$/);
      a.close();
    }),
  );

  test(
    'allowHalfOpen, or not',
    onUserthread(() => {
      for (const allowHalfOpen of [true, false]) {
        const { a, b } = pair();
        const duplex = b.toDuplex({ allowHalfOpen });
        duplex.resume();
        const ended = once(duplex, 'end');
        a.closeWrite();
        wait(ended);
        sleep(2);
        expect(duplex.writableEnded).toBe(!allowHalfOpen);
        if (allowHalfOpen) duplex.end('still here');
        expect(String(a.readAll())).toBe(allowHalfOpen ? 'still here' : '');
        if (!duplex.closed) wait(once(duplex, 'close'));
        expect(b.closed).toBe(true);
        a.close();
      }
    }),
  );

  test(
    'errors go to the Duplex; destroy ends what is under way',
    onUserthread(() => {
      const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
      wait(once(server.listen(0, HOST), 'listening'));
      const duplex = dial({ host: HOST, port: (server.address() as net.AddressInfo).port }).toDuplex();
      const failed = once(duplex, 'error').catch((error: unknown) => [error]);
      duplex.resume().write('x');
      expect(wait(failed)[0]).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
      wait(once(server.close(), 'close'));
      const { a, b } = pair();
      const other = b.toDuplex();
      other.resume(); // a read is under way
      sleep(2);
      const closed = once(other, 'close');
      other.destroy();
      wait(closed);
      expect([b.closed, a.read()]).toEqual([true, undefined]);
      a.close();
    }),
  );

  test(
    'a pipe as Readable and Writable',
    onUserthread(() => {
      const [r, w] = sys.pipe2(c.O_CLOEXEC).map(stream) as [Stream, Stream];
      const copied = pipeline(Readable.from([MUCH, Buffer.from('end')]), w.toWritable());
      expect(wait(allOf(r.toReadable())).equals(Buffer.concat([MUCH, Buffer.from('end')]))).toBe(true);
      wait(copied);
      expect([r.closed, w.closed]).toEqual([true, true]);
    }),
  );

  test(
    'on the system-call port of who asked for it',
    onUserthread(() => {
      const { a, b } = pair();
      let reads = 0;
      const count = defineShim({
        name: 'count',
        on: ['recvfrom'],
        shim: (next) => (msg) => {
          reads++;
          return next(msg);
        },
      });
      const duplex = create(() => b.toDuplex(), { syscallPort: sys.with(count) }).join();
      a.write('x');
      a.close();
      expect(String(wait(allOf(duplex)))).toBe('x');
      expect(reads).toBeGreaterThan(0);
      duplex.destroy();
    }),
  );

  test(
    'node:tls over it, both ends',
    onUserthread(() => {
      const { a, b } = pair();
      const { key, cert } = certificate();
      const server = new tls.TLSSocket(b.toDuplex() as net.Socket, { isServer: true, key, cert });
      const client = tls.connect({ socket: a.toDuplex() as net.Socket, ca: cert, servername: 'localhost' });
      const [inside, outside] = [fromStream(server), fromStream(client)];
      const echo = create(() => {
        for (const line of inside.lines()) inside.write(`${line.toUpperCase()}\n`);
        inside.closeWrite();
      });
      outside.write('secret\n');
      expect(outside.readLine()).toBe('SECRET');
      expect(client.authorized).toBe(true);
      const text = 'x'.repeat(50_000);
      const writer = create(() => {
        for (let i = 0; i < 20; i++) outside.write(`${text}\n`);
        outside.closeWrite();
      });
      expect([...outside.lines()]).toEqual(Array(20).fill(text.toUpperCase()));
      writer.join();
      echo.join();
      inside.close();
      outside.close();
    }),
  );

  test(
    'node:http over it',
    onUserthread(() => {
      const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
      const listener = listen({ host: HOST });
      const serving = create(() => {
        const conn = listener.accept();
        server.emit('connection', conn.toDuplex());
      });
      const { port } = listener.address() as IpAddress;
      const conn = dial({ host: HOST, port });
      conn.write('GET /path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      expect(String(conn.readAll())).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*you asked for \/path/);
      serving.join();
      conn.close();
      listener.close();
    }),
  );
});

describe('fromStream', () => {
  test(
    'a net.Socket, both ways',
    onUserthread(() => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      wait(once(server.listen(0, HOST), 'listening'));
      const { port } = server.address() as net.AddressInfo;
      const conn = fromStream(net.connect({ port, host: HOST, allowHalfOpen: true }));
      conn.write('héllo\r\nworld\n');
      expect([conn.readLine(), conn.readLine()]).toEqual(['héllo', 'world']);
      const buffer = Buffer.from(MUCH);
      const writer = create(() => {
        conn.write(buffer);
        buffer.fill(0); // it is the caller's again
        conn.closeWrite();
      });
      expect(conn.readAll().equals(MUCH)).toBe(true);
      writer.join();
      expect(codeOf(() => conn.write('x'))).toBe('ERR_STREAM_WRITE_AFTER_END');
      conn.close();
      expect(codeOf(() => conn.read())).toBe('ERR_STREAM_DESTROYED');
      wait(once(server.close(), 'close'));
    }),
  );

  test(
    'zlib in blocking style',
    onUserthread(() => {
      const zip = fromStream(createGzip());
      const writer = create(() => {
        zip.write(MUCH);
        zip.closeWrite();
      });
      const zipped = zip.readAll();
      writer.join();
      expect(gunzipSync(zipped).equals(MUCH)).toBe(true);
      const broken = fromStream(createGunzip());
      broken.write('this is not what gzip makes');
      expect(codeOf(() => broken.readAll())).toBe('Z_DATA_ERROR');
      expect(codeOf(() => broken.write('x'))).toBe('Z_DATA_ERROR');
    }),
  );

  test(
    'streams of the web, fetch’s body',
    onUserthread(() => {
      const server = http.createServer((_request, response) => {
        response.write('first line\nsec');
        setTimeout(() => response.end('ond line'), 5);
      });
      wait(once(server.listen(0, HOST), 'listening'));
      const { port } = server.address() as net.AddressInfo;
      const answer = wait(fetch(`http://${HOST}:${port}/`));
      const body = fromStream(answer.body as never);
      expect([...body.lines()]).toEqual(['first line', 'second line']);
      body.close();
      server.closeAllConnections();
      wait(once(server.close(), 'close'));
      const upper = fromStream(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            controller.enqueue(Buffer.from(Buffer.from(chunk).toString().toUpperCase()));
          },
        }) as never,
      );
      upper.write('shout\n');
      expect(upper.readLine()).toBe('SHOUT');
      upper.closeWrite();
      expect(upper.read()).toBe(undefined);
    }),
  );

  test(
    'a slow Writable: write waits for drain, flush for all of it',
    onUserthread(() => {
      let got = 0;
      const slow = new Writable({
        highWaterMark: 10,
        write(chunk: Buffer, _encoding, done) {
          setTimeout(() => {
            got += chunk.length;
            done();
          }, 2);
        },
      });
      const out = fromStream(slow);
      out.write('12345');
      expect(got).toBe(0);
      out.write('1234567890');
      expect(got).toBeGreaterThan(0);
      out.write('x');
      out.flush();
      expect(got).toBe(16);
      expect(codeOf(() => out.read())).toBe('ERR_INVALID_ARG_TYPE');
      out.close();
    }),
  );

  test(
    'text, objects, an early end, timeouts',
    onUserthread(() => {
      const through = new PassThrough({ encoding: 'utf8' });
      const text = fromStream(through);
      expect(codeOf(() => text.read({ length: 1 } as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => text.read(1, { timeout: 1 }))).toBe('ERR_LWKT_TIMEOUT');
      text.write('€');
      expect(String(text.read())).toBe('€');
      const reader = waiting(() => codeOf(() => text.read()));
      through.destroy();
      expect(reader.join()).toBe('ERR_STREAM_PREMATURE_CLOSE');
      expect(codeOf(() => fromStream(Readable.from([{ a: 1 }])).read())).toBe('ERR_INVALID_ARG_TYPE');
      const failing = fromStream(
        new Transform({
          transform(_chunk, _encoding, done) {
            done(new Error('on purpose'));
          },
        }),
      );
      failing.write('x');
      expect(errorOf(() => failing.read())).toMatchObject({ message: 'on purpose' });
      for (const nothing of [undefined, null, 5, {}, 'text'])
        expect(codeOf(() => fromStream(nothing as never))).toBe('ERR_INVALID_ARG_TYPE');
    }),
  );
});
