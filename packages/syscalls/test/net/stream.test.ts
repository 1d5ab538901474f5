/** stream.test.ts: streams: partial reads and writes, lines, deadlines, closing, several userthreads on one. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, sleep, type UserThread } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import { type Conn, dial, type IpAddress, listen, type Stream, stream } from '../../src/net/index.ts';
import { codeOf, errorOf, onUserthread, randomOf, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();

/** A connection, both ends of it, with socket buffers as small as they get if wanted. */
function pair({ small = false } = {}): { a: Conn; b: Conn; close(): void } {
  const listener = listen({ host: '127.0.0.1' });
  if (small) sys.setsockopt(listener.fd, c.SOL_SOCKET, c.SO_RCVBUF, 1);
  const { port } = listener.address() as IpAddress;
  const a = dial({ host: '127.0.0.1', port });
  const b = listener.accept();
  if (small) for (const { fd } of [a, b]) sys.setsockopt(fd, c.SOL_SOCKET, c.SO_SNDBUF, 1);
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

/** Numbers, so that any part shows where it belongs. */
function pattern(length: number): Buffer {
  const data = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) data[i] = (i * 31 + (i >> 8)) & 255;
  return data;
}

/** More than tiny socket buffers ever take: the writer has to wait. */
const MUCH = pattern(3_000_000);

describe('reading and writing', () => {
  test(
    'tiny socket buffers: every byte, in order, whatever the pieces',
    onUserthread(() => {
      const { a, b, close } = pair({ small: true });
      const writer = create(() => {
        a.write(MUCH);
        a.closeWrite();
      });
      const parts: Buffer[] = [];
      for (;;) {
        const part = b.read(1 + (parts.length % 977));
        if (part === undefined) break;
        parts.push(part);
      }
      writer.join();
      expect(Buffer.concat(parts).equals(MUCH)).toBe(true);
      close();
    }),
  );

  test(
    'writes of several userthreads are whole; so are reads',
    onUserthread(() => {
      const { a, b, close } = pair({ small: true });
      const SIZE = 100_000;
      const writers = Array.from({ length: 8 }, (_, i) =>
        create(() => {
          if (i % 2 === 0) a.write(Buffer.alloc(SIZE, i));
          else a.writev([Buffer.alloc(SIZE - 1, i), Buffer.alloc(1, i)]);
        }),
      );
      const readers = writers.map(() => create(() => b.readFull(SIZE) as Buffer));
      const firsts = readers.map((td) => {
        const block = td.join();
        expect(block.every((byte) => byte === block[0])).toBe(true);
        return block[0];
      });
      expect(firsts.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const td of writers) td.join();
      close();
    }),
  );

  test(
    'readFull: a buffer, a size, the end, an end in between',
    onUserthread(() => {
      const { a, b, close } = pair();
      const buffer = Buffer.alloc(4);
      a.writev(['abcd', new Uint8Array([101, 102, 103, 104]), '', 'rest']);
      expect([b.readFull(buffer), String(buffer)]).toEqual([4, 'abcd']);
      expect(String(b.readFull(4))).toBe('efgh');
      a.closeWrite();
      expect(errorOf(() => b.readFull(5))).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
      expect(String(b.readFull(4))).toBe('rest'); // a read that failed has taken nothing
      expect([b.readFull(4), b.readFull(buffer), b.read(), b.read(buffer), b.readLine()]).toEqual([
        undefined,
        0,
        undefined,
        0,
        undefined,
      ]);
      expect(b.read(Buffer.alloc(0))).toBe(0);
      close();
    }),
  );

  test(
    'readAll, with a limit',
    onUserthread(() => {
      const { a, b, close } = pair();
      const writer = create(() => {
        a.write(MUCH);
        a.close();
      });
      expect(codeOf(() => b.readAll({ maxLength: 1000 }))).toBe('ERR_OUT_OF_RANGE');
      expect(b.readAll().equals(MUCH)).toBe(true);
      writer.join();
      close();
    }),
  );

  test(
    'half closed: the other half goes on; writing is over',
    onUserthread(() => {
      const { a, b, close } = pair();
      a.write('question');
      a.closeWrite();
      a.closeWrite();
      expect(String(b.readAll())).toBe('question');
      expect(errorOf(() => a.write('more'))).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
      b.write('answer');
      b.close();
      expect(String(a.readAll())).toBe('answer');
      close();
    }),
  );

  test(
    'wrong arguments',
    onUserthread(() => {
      const { a, close } = pair();
      expect(codeOf(() => a.write(5 as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => a.writev('text' as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => a.read('x' as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => a.read(0))).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => a.readFull(1.5))).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => a.readLine({ maxLength: 0 }))).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => a.readLine({ newline: 'cr' as never }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(codeOf(() => a.readLine({ encoding: 'none' as never }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(codeOf(() => a.setDeadline(-1))).toBe('ERR_OUT_OF_RANGE');
      expect(codeOf(() => a.read(1, { timeout: 'x' as never }))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => a.setKeepAlive(5))).toBe('ERR_OUT_OF_RANGE');
      a.setKeepAlive(5000);
      a.setKeepAlive(false);
      a.setNoDelay(false);
      close();
    }),
  );
});

describe('lines', () => {
  test(
    'ends of lines by the three rules',
    onUserthread(() => {
      const text = 'one\ntwo\r\nth\rree\n\r\n\nlast\r';
      const expected = {
        auto: ['one', 'two', 'th\rree', '', '', 'last\r'],
        lf: ['one', 'two\r', 'th\rree', '\r', '', 'last\r'],
        crlf: ['one\ntwo', 'th\rree\n', '\nlast\r'],
      };
      for (const newline of ['auto', 'lf', 'crlf'] as const) {
        const { a, b, close } = pair();
        a.write(text);
        a.closeWrite();
        expect([...b.lines({ newline })]).toEqual(expected[newline]);
        close();
      }
    }),
  );

  test(
    'too long: an error, and nothing is lost',
    onUserthread(() => {
      const { a, b, close } = pair();
      a.write('12345\r\n123456\n');
      expect(b.readLine({ maxLength: 5 })).toBe('12345');
      for (let i = 0; i < 2; i++)
        expect(codeOf(() => b.readLine({ maxLength: 5 }))).toBe('ERR_LWKT_LINE_TOO_LONG');
      expect(b.readLine()).toBe('123456');
      a.write('x'.repeat(100_000)); // without an end
      expect(codeOf(() => b.readLine())).toBe('ERR_LWKT_LINE_TOO_LONG');
      expect(String(b.readFull(100_000))).toBe('x'.repeat(100_000));
      close();
    }),
  );

  test(
    'random text in random pieces, by several ways of reading (seeded)',
    onUserthread(() => {
      const random = randomOf('net-stream: lines');
      const letters = ['a', 'ß', '€', '😀', '\r', ' ', '\u0000'];
      for (let round = 0; round < 30; round++) {
        const end = random(2) === 0 ? '\n' : '\r\n';
        const lines = Array.from({ length: 1 + random(200) }, () => {
          const length = random(20) === 0 ? random(6000) : random(12);
          const line = Array.from({ length }, () => letters[random(letters.length)]).join('');
          return line.replace(/\r+$/, ''); // that would be the line's end
        });
        const bytes = Buffer.from(lines.map((line) => line + end).join(''));
        const { a, b, close } = pair();
        const writer = create(() => {
          for (let at = 0; at < bytes.length; ) {
            const n = 1 + random(random(4) === 0 ? 3000 : 5);
            a.write(bytes.subarray(at, at + n));
            at += n;
            if (random(10) === 0) sleep(0);
          }
          a.closeWrite();
        });
        const got: string[] = [];
        for (;;) {
          const line = b.readLine(end === '\n' ? {} : { newline: 'crlf' });
          if (line === undefined) break;
          got.push(line);
          if (random(5) > 0 || got.length === lines.length) continue;
          // other ways of reading in between
          const next = Buffer.from((lines[got.length] as string) + end);
          if (random(2) === 0) expect((b.readFull(next.length) as Buffer).equals(next)).toBe(true);
          else {
            const part = b.read(next.length) as Buffer;
            const rest =
              next.length > part.length ? (b.readFull(next.length - part.length) as Buffer) : Buffer.alloc(0);
            expect(Buffer.concat([part, rest]).equals(next)).toBe(true);
          }
          got.push(lines[got.length] as string);
        }
        writer.join();
        expect(got).toEqual(lines);
        close();
      }
    }),
  );
});

describe('how long it may take', () => {
  test(
    'timeout and signal of one call; nothing is lost',
    onUserthread(() => {
      const { a, b, close } = pair();
      a.write('half a li');
      expect(errorOf(() => b.readLine({ timeout: 5 }))).toMatchObject({ code: 'ERR_LWKT_TIMEOUT' });
      expect(codeOf(() => b.readFull(20, { timeout: 0 }))).toBe('ERR_LWKT_TIMEOUT');
      expect(codeOf(() => b.readAll({ timeout: 1 }))).toBe('ERR_LWKT_TIMEOUT');
      const controller = new AbortController();
      const td = waiting(() => errorOf(() => b.readLine({ signal: controller.signal })));
      controller.abort('no');
      expect(td.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'no' });
      a.write('ne\n');
      expect(b.readLine({ timeout: 60_000 })).toBe('half a line');
      close();
    }),
  );

  test(
    'a write that is given up says how much has gone',
    onUserthread(() => {
      const { a, b, close } = pair({ small: true });
      const error = errorOf(() => a.write(MUCH, { timeout: 5 })) as {
        code: string;
        bytesTransferred: number;
      };
      expect(error.code).toBe('ERR_LWKT_TIMEOUT');
      expect(error.bytesTransferred).toBeGreaterThan(0);
      expect(error.bytesTransferred).toBeLessThan(MUCH.length);
      const rest = create(() => {
        a.write(MUCH.subarray(error.bytesTransferred));
        a.closeWrite();
      });
      expect(b.readAll().equals(MUCH)).toBe(true);
      rest.join();
      close();
    }),
  );

  test(
    'deadlines: of calls that wait, and of all after them, until they are changed',
    onUserthread(() => {
      const { a, b, close } = pair();
      const late = { code: 'ERR_LWKT_TIMEOUT', message: 'read took longer than 5 ms' };
      const two = [1, 2].map(() => waiting(() => errorOf(() => b.read())));
      b.setReadDeadline(5);
      for (const td of two) expect(td.join()).toMatchObject(late);
      for (let i = 0; i < 2; i++) expect(errorOf(() => b.read())).toMatchObject(late);
      b.write('not late'); // the other direction
      b.setReadDeadline(undefined);
      a.write('x');
      expect(String(b.read())).toBe('x');
      const now = waiting(() => codeOf(() => b.read()));
      b.setDeadline(0);
      expect(now.join()).toBe('ERR_LWKT_TIMEOUT');
      expect(codeOf(() => b.write('x'))).toBe('ERR_LWKT_TIMEOUT');
      b.setDeadline(60_000);
      const patient = waiting(() => String(b.read()));
      b.setDeadline(undefined);
      sleep(2);
      a.write('y');
      expect(patient.join()).toBe('y');
      sleep(2); // nothing is left over that would end another wait
      close();
    }),
  );

  test(
    'abort',
    onUserthread(() => {
      const { a, b, close } = pair();
      const td = waiting(() => errorOf(() => b.readFull(3)));
      a.write('x');
      sleep(2);
      td.abort('why');
      expect(td.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'why' });
      a.write('yz');
      expect(String(b.readFull(3))).toBe('xyz');
      close();
    }),
  );

  test(
    'one who gives up waiting for its turn does not hold up the others',
    onUserthread(() => {
      const { a, b, close } = pair();
      const first = waiting(() => String(b.readFull(2)));
      const second = waiting(() => codeOf(() => b.readFull(2, { timeout: 1 })));
      const third = waiting(() => String(b.readFull(2)));
      expect(second.join()).toBe('ERR_LWKT_TIMEOUT');
      a.write('abcd');
      expect([first.join(), third.join()]).toEqual(['ab', 'cd']);
      close();
    }),
  );
});

describe('close', () => {
  test(
    'those who read, write and wait for their turn get a clear error',
    onUserthread(() => {
      const { a, b, close } = pair({ small: true });
      const closed = { code: 'ERR_STREAM_DESTROYED' };
      const blocked = [
        waiting(() => errorOf(() => a.read())),
        waiting(() => errorOf(() => a.readLine())),
        waiting(() => errorOf(() => a.write(MUCH))),
        waiting(() => errorOf(() => a.write('x'))),
      ];
      a.close();
      // the number stands for another file now: nobody may touch that
      const path = join(folder, 'other');
      writeFileSync(path, 'not for you');
      const fd = openSync(path, 'r+');
      for (const td of blocked) expect(td.join()).toMatchObject(closed);
      for (const call of [() => a.read(), () => a.write('x'), () => a.closeWrite(), () => a.flush()])
        expect(errorOf(call)).toMatchObject(closed);
      expect(a.closed).toBe(true);
      closeSync(fd);
      b.close();
      close();
    }),
  );

  test(
    'the descriptor stays as long as a call is in a shim, where its number might come to mean another file',
    onUserthread(() => {
      const { a, b, close } = pair();
      const open = (fd: number): boolean => codeOf(() => sys.fstat(fd)) === 'no error';
      let stillOpen: boolean | undefined;
      const slow = defineShim({
        name: 'slow',
        on: ['recvfrom'],
        shim: (next) => (msg) => {
          try {
            sleep(100_000);
          } finally {
            sleep(2);
            stillOpen = open(a.fd);
          }
          return next(msg);
        },
      });
      const reader = create(() => codeOf(() => a.read()), { syscallPort: sys.with(slow) });
      for (let i = 0; i < 1000 && reader.state !== 'blocked'; i++) sleep(0);
      a.close();
      expect(codeOf(() => a.write('x'))).toBe('ERR_STREAM_DESTROYED');
      expect([reader.join(), stillOpen, open(a.fd)]).toEqual(['ERR_STREAM_DESTROYED', true, false]);
      for (const call of [() => a.setNoDelay(), () => a.setKeepAlive(), () => a.address()])
        expect(codeOf(call)).toBe('ERR_STREAM_DESTROYED');
      expect(b.read()).toBe(undefined);
      close();
    }),
  );

  test(
    'a fast peer does not keep a thread going for ever',
    onUserthread(() => {
      const zero = stream(sys.open('/dev/zero', c.O_RDONLY));
      const sink = stream(sys.open('/dev/null', c.O_WRONLY));
      let over = false;
      setTimeout(() => {
        over = true;
      }, 5);
      const buffer = Buffer.alloc(100);
      while (!over) {
        zero.read(buffer);
        sink.write(buffer);
      }
      zero.close();
      sink.close();
    }),
  );
});

describe('what is no socket', () => {
  test(
    'pipes, in blocking mode and not',
    onUserthread(() => {
      for (const flags of [c.O_CLOEXEC, c.O_CLOEXEC | c.O_NONBLOCK]) {
        const [r, w] = sys.pipe2(flags).map(stream) as [Stream, Stream];
        const writer = create(() => {
          w.write(MUCH);
          w.close();
        });
        expect(r.readAll().equals(MUCH)).toBe(true);
        writer.join();
        r.close();
      }
    }),
  );

  test(
    'files; ENOTSOCK; EBADF',
    onUserthread(() => {
      const path = join(folder, 'lines');
      const file = stream(sys.open(path, c.O_CREAT | c.O_RDWR));
      file.write('a\nb\n');
      expect(errorOf(() => file.closeWrite())).toMatchObject({ code: 'ENOTSOCK', syscall: 'shutdown' });
      file.close();
      const again = stream(sys.open(path));
      expect([...again.lines()]).toEqual(['a', 'b']);
      again.close();
      expect(codeOf(() => stream(99_999))).toBe('EBADF');
    }),
  );
});
