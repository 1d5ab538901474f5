/** blocking.test.ts: calls that have to wait block their userthread, and nothing else: the event loop goes on. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { create, sleep, type UserThread, wait, yieldNow } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

/** Starts fn on a thread and lets it come to its wait. */
function waiting<R>(fn: () => R): UserThread<Awaited<R>> {
  const td = create(fn);
  for (let i = 0; i < 1000 && td.state !== 'blocked'; i++) sleep(0);
  expect(td.state).toBe('blocked');
  return td;
}

describe('pipes', () => {
  test(
    'a read waits for a write, timers run meanwhile',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const buffer = Buffer.alloc(10);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      const reader = waiting(() => buffer.toString('utf8', 0, sys.read(r, buffer)));
      expect(reader.waitReason).toBe('read()');
      sleep(20);
      expect(ticks).toBeGreaterThan(0);
      clearInterval(timer);
      sys.write(w, 'at last');
      expect(reader.join()).toBe('at last');
      const end = waiting(() => sys.read(r, buffer));
      sys.close(w);
      expect(end.join()).toBe(0);
      sys.close(r);
    }),
  );

  test(
    'a write of more than fits waits until all is written',
    onUserthread(() => {
      for (const write of [
        (fd: number, data: Buffer) => sys.write(fd, data),
        (fd: number, data: Buffer) => sys.writev(fd, [data.subarray(0, 99_999), data.subarray(99_999)]),
      ]) {
        const [r, w] = sys.pipe2();
        const data = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 31) & 0xff));
        const writer = waiting(() => write(w, data));
        const parts: Buffer[] = [];
        for (let got = 0; got < data.length; ) {
          const part = Buffer.alloc(30_011);
          const n = sys.read(r, part);
          parts.push(part.subarray(0, n));
          got += n;
        }
        expect(writer.join()).toBe(data.length);
        expect(Buffer.concat(parts).equals(data)).toBe(true);
        sys.close(r);
        sys.close(w);
      }
    }),
  );

  test(
    'descriptors that the program made non-blocking answer EAGAIN',
    onUserthread(() => {
      const [r, w] = sys.pipe2(c.O_NONBLOCK);
      expect(codeOf(() => sys.read(r, Buffer.alloc(1)))).toBe('EAGAIN');
      const n = sys.write(w, Buffer.alloc(1_000_000));
      expect(n).toBeLessThan(1_000_000);
      expect(codeOf(() => sys.write(w, Buffer.alloc(5000)))).toBe('EAGAIN');
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'several threads wait for one descriptor; each byte is read once',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const got: number[] = [];
      const readers = Array.from({ length: 50 }, () =>
        create(() => {
          const one = Buffer.alloc(1);
          if (sys.read(r, one) === 1) got.push(one[0] as number);
        }),
      );
      sleep(5);
      sys.write(w, Buffer.from(Array.from({ length: 50 }, (_, i) => i)));
      for (const reader of readers) reader.join();
      expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'a thread waits to read and another to write on one socket',
    onUserthread(() => {
      const [one, two] = socketPair();
      const big = Buffer.alloc(5_000_000, 'z');
      const reader = waiting(() => sys.recvfrom(one, Buffer.alloc(10)).length);
      const writer = waiting(() => sys.sendto(one, big));
      sys.sendto(two, 'hi');
      expect(reader.join()).toBe(2);
      const { length } = sys.recvfrom(two, Buffer.alloc(big.length), c.MSG_WAITALL);
      expect([length, writer.join()]).toEqual([big.length, big.length]);
      sys.close(one);
      sys.close(two);
    }),
  );

  test(
    'closing a descriptor ends the waits for it with EBADF',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const reader = waiting(() => codeOf(() => sys.read(r, Buffer.alloc(1))));
      const other = waiting(() => codeOf(() => sys.read(r, Buffer.alloc(1))));
      sys.close(r);
      expect([reader.join(), other.join()]).toEqual(['EBADF', 'EBADF']);
      const [r2, w2] = sys.pipe2();
      const third = waiting(() => codeOf(() => sys.read(r2, Buffer.alloc(1))));
      sys.dup3(w, r2);
      expect(third.join()).toBe('EBADF');
      for (const fd of [w, r2, w2]) sys.close(fd);
    }),
  );

  test(
    'the number of a closed descriptor, used again, is another file',
    onUserthread(() => {
      for (let i = 0; i < 100; i++) {
        const [r, w] = sys.pipe2();
        const copy = sys.dup(r); // keeps the old pipe, and with it its registration, alive
        const td = waiting(() => codeOf(() => sys.read(r, Buffer.alloc(1))));
        sys.close(r);
        expect(td.join()).toBe('EBADF');
        const [r2, w2] = sys.pipe2();
        const again = waiting(() => sys.read(r2, Buffer.alloc(1)));
        sys.write(w, 'old');
        sleep(0);
        expect(again.state).toBe('blocked');
        sys.write(w2, 'n');
        expect(again.join()).toBe(1);
        for (const fd of [copy, w, r2, w2]) sys.close(fd);
      }
    }),
  );
});

describe('abort', () => {
  test(
    'ends the present call; the descriptor works on; nothing is lost',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const buffer = Buffer.alloc(10);
      const td = waiting(() => errorOf(() => sys.read(r, buffer)));
      td.abort('enough');
      expect(td.join()).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
      sys.write(w, 'kept');
      expect(buffer.toString('utf8', 0, sys.read(r, buffer))).toBe('kept');
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'says how much of a write had gone',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const td = waiting(() => errorOf(() => sys.write(w, Buffer.alloc(1_000_000))));
      td.abort();
      const { bytesTransferred } = td.join() as { bytesTransferred: number };
      expect(bytesTransferred).toBeGreaterThan(0);
      sys.close(w);
      let left = 0;
      const buffer = Buffer.alloc(65536);
      for (let n = sys.read(r, buffer); n > 0; n = sys.read(r, buffer)) left += n;
      expect(left).toBe(bytesTransferred);
      sys.close(r);
    }),
  );

  test(
    'comes at the next call that may block, not at close',
    onUserthread(() => {
      const log: unknown[] = [];
      const td = create(() => {
        const fd = sys.open('/dev/null', c.O_RDWR);
        try {
          td.abort('now');
          sys.read(fd, Buffer.alloc(1));
        } finally {
          sys.close(fd);
          log.push('closed');
        }
      });
      expect(errorOf(() => td.join())).toMatchObject({ code: 'ABORT_ERR' });
      expect(log).toEqual(['closed']);
    }),
  );

  test(
    'sleep, poll, accept, connect, a helper thread: all can be aborted',
    onUserthread(() => {
      const listener = listening();
      const [r, w] = sys.pipe2();
      execFileSync('mkfifo', [at('abort')]);
      const epfd = sys.epoll_create1();
      const waits: (() => unknown)[] = [
        () => sys.nanosleep(1e9),
        () => sys.clock_nanosleep(c.CLOCK_MONOTONIC, 0, { sec: 1000, nsec: 0 }),
        () => sys.poll([{ fd: r, events: c.POLLIN }]),
        () => sys.epoll_wait(epfd, 1),
        () => sys.accept4(listener.fd),
        () => sys.open(at('abort')),
      ];
      for (const wait of waits) {
        const td = waiting(() => codeOf(wait));
        td.abort();
        expect([wait.toString(), td.join()]).toEqual([wait.toString(), 'ABORT_ERR']);
      }
      fs.writeFileSync(fs.openSync(at('abort'), 'r+'), ''); // lets the helper thread go
      for (const fd of [listener.fd, r, w, epfd]) sys.close(fd);
    }),
  );
});

describe('time', () => {
  test(
    'nanosleep and clock_nanosleep sleep at least so long',
    onUserthread(() => {
      for (const sleeping of [
        () => sys.nanosleep(15),
        () => sys.nanosleep({ sec: 0, nsec: 15_000_000 }),
        () => sys.clock_nanosleep(c.CLOCK_REALTIME, 0, 15),
        () => {
          const until = process.hrtime.bigint() + 15_000_000n;
          const request = { sec: Number(until / 1_000_000_000n), nsec: Number(until % 1_000_000_000n) };
          sys.clock_nanosleep(c.CLOCK_MONOTONIC, c.TIMER_ABSTIME, request);
        },
      ]) {
        const start = process.hrtime.bigint();
        sleeping();
        expect(process.hrtime.bigint() - start).toBeGreaterThanOrEqual(15_000_000n);
      }
      sys.nanosleep(0);
      sys.clock_nanosleep(c.CLOCK_REALTIME, c.TIMER_ABSTIME, { sec: 1, nsec: 0 }); // long ago
      expect(codeOf(() => sys.nanosleep({ sec: -1, nsec: 0 }))).toBe('EINVAL');
      expect(codeOf(() => sys.nanosleep({ sec: 0, nsec: 1e9 }))).toBe('EINVAL');
      expect(codeOf(() => sys.clock_nanosleep(99, 0, 1))).toBe('EINVAL');
    }),
  );

  test(
    'poll: readiness, timeouts, descriptors that are closed or ignored',
    onUserthread(() => {
      const [r, w] = sys.pipe2();
      const fds = [
        { fd: r, events: c.POLLIN },
        { fd: w, events: c.POLLOUT },
        { fd: -1, events: c.POLLIN },
        { fd: 1_000_000, events: c.POLLIN },
      ];
      expect(sys.poll(fds, 0)).toBe(2);
      expect(fds.map((entry) => (entry as { revents?: number }).revents)).toEqual([
        0,
        c.POLLOUT,
        0,
        c.POLLNVAL,
      ]);
      const only = [{ fd: r, events: c.POLLIN, revents: 0 }];
      expect(sys.poll(only, 0)).toBe(0);
      const start = performance.now();
      expect(sys.poll(only, 15)).toBe(0);
      expect(performance.now() - start).toBeGreaterThanOrEqual(14);
      const td = waiting(() => sys.poll(only));
      sys.write(w, 'x');
      expect([td.join(), only[0]?.revents]).toEqual([1, c.POLLIN]);
      expect(sys.poll([], 5)).toBe(0);
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'epoll: events, data of 64 bits, timeouts',
    onUserthread(() => {
      const epfd = sys.epoll_create1(c.EPOLL_CLOEXEC);
      const [r, w] = sys.pipe2();
      sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, r, { events: c.EPOLLIN, data: 2n ** 62n + 1n });
      expect(sys.epoll_wait(epfd, 8, 0)).toEqual([]);
      expect(sys.epoll_wait(epfd, 8, 5)).toEqual([]);
      const td = waiting(() => sys.epoll_wait(epfd, 8));
      sys.write(w, 'x');
      expect(td.join()).toEqual([{ events: c.EPOLLIN, data: 2n ** 62n + 1n }]);
      sys.epoll_ctl(epfd, c.EPOLL_CTL_MOD, r, { events: c.EPOLLIN | c.EPOLLET, data: 7 });
      expect(sys.epoll_wait(epfd, 8)).toEqual([{ events: c.EPOLLIN, data: 7 }]);
      sys.epoll_ctl(epfd, c.EPOLL_CTL_DEL, r);
      expect(codeOf(() => sys.epoll_ctl(epfd, c.EPOLL_CTL_DEL, r))).toBe('ENOENT');
      expect(codeOf(() => sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, epfd, { events: 1, data: 0 }))).toBe('EINVAL');
      expect(codeOf(() => sys.epoll_wait(r, 1, 0))).toBe('EINVAL');
      for (const fd of [r, w, epfd]) sys.close(fd);
    }),
  );
});

describe('files that wait', () => {
  test(
    'a FIFO: opening either end waits for the other, and stops nobody',
    onUserthread(() => {
      execFileSync('mkfifo', [at('fifo')]);
      const reader = waiting(() => {
        const fd = sys.open(at('fifo'), c.O_RDONLY);
        expect(sys.fcntl(fd, c.F_GETFL) & c.O_NONBLOCK).toBe(0);
        const buffer = Buffer.alloc(10);
        const text = buffer.toString('utf8', 0, sys.read(fd, buffer));
        sys.close(fd);
        return text;
      });
      sleep(5);
      const fd = sys.open(at('fifo'), c.O_WRONLY);
      expect(sys.fcntl(fd, c.F_GETFL) & c.O_NONBLOCK).toBe(0);
      sys.write(fd, 'through');
      expect(reader.join()).toBe('through');
      sys.close(fd);

      const writer = waiting(() => sys.open(at('fifo'), c.O_WRONLY));
      const end = sys.open(at('fifo'), c.O_RDONLY);
      sys.close(writer.join());
      expect(sys.read(end, Buffer.alloc(1))).toBe(0);
      sys.close(end);
      expect(codeOf(() => sys.open(at('fifo'), c.O_WRONLY | c.O_NONBLOCK))).toBe('ENXIO');
    }),
  );

  test(
    'fifty threads that are stuck in FIFOs leave room for others',
    onUserthread(() => {
      const stuck = Array.from({ length: 50 }, (_, i) => {
        execFileSync('mkfifo', [at(`stuck-${i}`)]);
        return waiting(() => sys.close(sys.open(at(`stuck-${i}`))));
      });
      const fd = sys.open(at('free'), c.O_CREAT | c.O_RDWR);
      sys.write(fd, 'x');
      sys.fsync(fd);
      sys.close(fd);
      stuck.forEach((td, i) => {
        const end = sys.open(at(`stuck-${i}`), c.O_WRONLY);
        td.join();
        sys.close(end);
      });
    }),
  );

  test(
    'a lock waits until it is free',
    onUserthread(() => {
      fs.writeFileSync(at('locked'), '');
      const [one, two] = [sys.open(at('locked'), c.O_RDWR), sys.open(at('locked'), c.O_RDWR)];
      const lock = (type: number): Buffer => {
        const flock = Buffer.alloc(32);
        flock.writeInt16LE(type, 0);
        return flock;
      };
      sys.fcntl(one, c.F_OFD_SETLKW, lock(c.F_WRLCK));
      expect(codeOf(() => sys.fcntl(two, c.F_OFD_SETLK, lock(c.F_WRLCK)))).toBe('EAGAIN');
      const td = waiting(() => sys.fcntl(two, c.F_OFD_SETLKW, lock(c.F_WRLCK)));
      sys.fcntl(one, c.F_OFD_SETLK, lock(c.F_UNLCK));
      expect(td.join()).toBe(0);
      sys.close(one);
      sys.close(two);
    }),
  );

  test(
    'nothing read from a directory is EISDIR all the same',
    onUserthread(() => {
      const fd = sys.open(folder, c.O_DIRECTORY);
      expect(codeOf(() => sys.read(fd, Buffer.alloc(0)))).toBe('EISDIR');
      sys.close(fd);
    }),
  );
});

describe('sockets', () => {
  test(
    'TCP over IPv4 and IPv6: connect, accept, both ways, shutdown',
    onUserthread(() => {
      for (const listener of [listening(), listening({ family: 'inet6', address: '::1', port: 0 })]) {
        const server = waiting(() => {
          const { fd, address } = sys.accept4(listener.fd, c.SOCK_CLOEXEC);
          const buffer = Buffer.alloc(100);
          for (;;) {
            const { length } = sys.recvfrom(fd, buffer);
            if (length === 0) break;
            sys.sendto(fd, buffer.subarray(0, length).toString().toUpperCase());
          }
          sys.close(fd);
          return address;
        });
        const client = sys.socket(listener.address.family === 'inet' ? c.AF_INET : c.AF_INET6, c.SOCK_STREAM);
        sys.connect(client, listener.address);
        const buffer = Buffer.alloc(100);
        for (const word of ['ping', 'again']) {
          sys.write(client, word);
          expect(buffer.toString('utf8', 0, sys.read(client, buffer))).toBe(word.toUpperCase());
        }
        sys.shutdown(client, c.SHUT_WR);
        expect(sys.recvfrom(client, buffer)).toEqual({ length: 0, address: undefined });
        expect(server.join()).toEqual(sys.getsockname(client));
        sys.close(client);
        sys.close(listener.fd);
      }
    }),
  );

  test(
    "UDP: the sender's address",
    onUserthread(() => {
      const one = sys.socket(c.AF_INET, c.SOCK_DGRAM);
      const two = sys.socket(c.AF_INET, c.SOCK_DGRAM);
      sys.bind(one, { family: 'inet', address: '127.0.0.1', port: 0 });
      sys.bind(two, { family: 'inet', address: '127.0.0.1', port: 0 });
      const buffer = Buffer.alloc(100);
      const td = waiting(() => sys.recvfrom(one, buffer));
      const address = sys.getsockname(one);
      if (address === undefined) throw new Error('no address');
      expect(sys.sendto(two, 'datagram', 0, address)).toBe(8);
      expect(td.join()).toEqual({ length: 8, address: sys.getsockname(two) });
      expect(sys.sendto(two, '', 0, address)).toBe(0);
      expect(sys.recvfrom(one, buffer).length).toBe(0);
      sys.close(one);
      sys.close(two);
    }),
  );

  test(
    'local sockets: by path and abstract; a full queue of connections',
    onUserthread(() => {
      for (const path of [at('socket'), `\0libcr-test-${process.pid}`]) {
        const listener = sys.socket(c.AF_UNIX, c.SOCK_STREAM);
        sys.bind(listener, { family: 'unix', path });
        expect(sys.getsockname(listener)).toEqual({ family: 'unix', path });
        sys.listen(listener, 1);
        const clients = Array.from({ length: 6 }, () =>
          create(() => {
            const fd = sys.socket(c.AF_UNIX, c.SOCK_STREAM);
            sys.connect(fd, { family: 'unix', path });
            return fd;
          }),
        );
        sleep(5);
        const accepted = clients.map(() => sys.accept4(listener));
        for (const { fd, address } of accepted) {
          expect(address).toEqual({ family: 'unix', path: '' });
          sys.close(fd);
        }
        for (const client of clients) sys.close(client.join());
        sys.close(listener);
      }
    }),
  );

  test(
    'errors',
    onUserthread(() => {
      const { fd, address } = listening();
      const other = sys.socket(c.AF_INET, c.SOCK_STREAM);
      expect(codeOf(() => sys.bind(other, address))).toBe('EADDRINUSE');
      sys.close(fd);
      expect(codeOf(() => sys.connect(other, address))).toBe('ECONNREFUSED');
      expect(codeOf(() => sys.sendto(other, 'x'))).toBe('EPIPE');
      const fresh = sys.socket(c.AF_INET, c.SOCK_STREAM);
      expect(codeOf(() => sys.recvfrom(fresh, Buffer.alloc(1)))).toBe('ENOTCONN');
      expect(codeOf(() => sys.shutdown(fresh, c.SHUT_RD))).toBe('ENOTCONN');
      sys.close(fresh);
      expect(codeOf(() => sys.accept4(other))).toBe('EINVAL');
      expect(codeOf(() => sys.socket(4711, c.SOCK_STREAM))).toBe('EAFNOSUPPORT');
      expect(codeOf(() => sys.listen(0x7fffffff))).toBe('EBADF');
      const file = sys.open('/dev/null');
      expect(codeOf(() => sys.recvfrom(file, Buffer.alloc(1)))).toBe('ENOTSOCK');
      const [one, two] = socketPair();
      sys.shutdown(one, c.SHUT_WR);
      expect(codeOf(() => sys.sendto(one, 'x'))).toBe('EPIPE');
      for (const open of [other, file, one, two]) sys.close(open);
    }),
  );

  test(
    'two hundred clients at once',
    onUserthread(() => {
      const { fd, address } = listening();
      const server = create(() => {
        const handlers: UserThread<void>[] = [];
        for (let i = 0; i < 200; i++) {
          const connection = sys.accept4(fd).fd;
          handlers.push(
            create(() => {
              const buffer = Buffer.alloc(100);
              for (let n = sys.read(connection, buffer); n > 0; n = sys.read(connection, buffer))
                sys.write(connection, buffer, n);
              sys.close(connection);
            }),
          );
        }
        for (const handler of handlers) handler.join();
      });
      const clients = Array.from({ length: 200 }, (_, i) =>
        create(() => {
          const client = sys.socket(c.AF_INET, c.SOCK_STREAM);
          sys.connect(client, address);
          const buffer = Buffer.alloc(100);
          for (let round = 0; round < 5; round++) {
            sys.write(client, `${i}/${round}`);
            expect(buffer.toString('utf8', 0, sys.read(client, buffer))).toBe(`${i}/${round}`);
          }
          sys.close(client);
        }),
      );
      for (const client of clients) client.join();
      server.join();
      sys.close(fd);
    }),
  );
});

type InetAddress = { family: 'inet' | 'inet6'; address: string; port: number };

function listening(address: InetAddress = { family: 'inet', address: '127.0.0.1', port: 0 }): {
  fd: number;
  address: InetAddress;
} {
  const fd = sys.socket(address.family === 'inet' ? c.AF_INET : c.AF_INET6, c.SOCK_STREAM | c.SOCK_CLOEXEC);
  sys.setsockopt(fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
  sys.bind(fd, address);
  sys.listen(fd);
  return { fd, address: sys.getsockname(fd) as InetAddress };
}

function socketPair(): [number, number] {
  const { fd, address } = listening();
  const one = sys.socket(c.AF_INET, c.SOCK_STREAM);
  sys.connect(one, address);
  const two = sys.accept4(fd).fd;
  sys.close(fd);
  return [one, two];
}

describe('what a helper thread has in hand', () => {
  test(
    'a write goes to the file that it began with, whatever its descriptor stands for by then',
    onUserthread(() => {
      const data = Buffer.alloc(1 << 20, 'a');
      for (let round = 0; round < 30; round++) {
        const [first, second] = [at(`first-${round}`), at(`second-${round}`)];
        const a = sys.open(first, c.O_WRONLY | c.O_CREAT);
        const td = create(() => sys.write(a, data));
        yieldNow();
        sys.close(a);
        const b = sys.open(second, c.O_WRONLY | c.O_CREAT);
        expect(b).toBe(a);
        expect(td.join()).toBe(data.length);
        sys.close(b);
        expect([fs.statSync(first).size, fs.statSync(second).size]).toEqual([data.length, 0]);
      }
    }),
  );

  test(
    'a lock that nobody waits for any more is not kept',
    onUserthread(() => {
      for (const command of [c.F_SETLKW, c.F_OFD_SETLKW]) {
        const file = at('lock');
        fs.writeFileSync(file, '');
        const lock = `import fcntl, sys
f = open(sys.argv[1], 'r+')
fcntl.lockf(f, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()`;
        const holder = spawn('python3', ['-c', lock, file], { stdio: ['pipe', 'pipe', 'inherit'] });
        wait(once(holder.stdout, 'data'));
        const fd = sys.open(file, c.O_RDWR);
        const flock = Buffer.alloc(32);
        flock.writeInt16LE(c.F_WRLCK, 0);
        const td = waiting(() => sys.fcntl(fd, command, flock));
        td.abort();
        expect(codeOf(() => td.join())).toBe('ABORT_ERR');
        holder.stdin.end();
        wait(once(holder, 'exit'));
        sleep(50); // the helper has it now, and lets it go
        const next = spawnSync('python3', ['-c', lock, file], { input: '', timeout: 200_000 });
        expect([next.status, next.stdout.toString()]).toEqual([0, 'locked\n']);
        sys.close(fd);
      }
    }),
  );
});

test(
  'connect after a connect that had to wait: as the kernel has it',
  onUserthread(() => {
    const server = sys.socket(c.AF_INET, c.SOCK_STREAM);
    sys.bind(server, { family: 'inet', address: '127.0.0.1', port: 0 });
    sys.listen(server, 5);
    const { port } = sys.getsockname(server) as { port: number };
    const unused = sys.socket(c.AF_INET, c.SOCK_STREAM);
    sys.bind(unused, { family: 'inet', address: '127.0.0.1', port: 0 }); // and does not listen
    const refused = (sys.getsockname(unused) as { port: number }).port;
    const fd = sys.socket(c.AF_INET, c.SOCK_STREAM);
    const connect = (to: number) =>
      codeOf(() => sys.connect(fd, { family: 'inet', address: '127.0.0.1', port: to }));
    expect([connect(refused), connect(port), connect(port)]).toEqual(['ECONNREFUSED', 'no error', 'EISCONN']);
    for (const each of [server, unused, fd]) sys.close(each);
  }),
);

test(
  'poll of what is always ready, for something that never happens there: the timeout passes',
  onUserthread(() => {
    const file = sys.open('/etc/passwd');
    const device = sys.open('/dev/null');
    const [r, w] = sys.pipe2();
    const start = performance.now();
    expect(
      sys.poll(
        [
          { fd: file, events: 0 },
          { fd: device, events: c.POLLPRI },
        ],
        30,
      ),
    ).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(25);
    const fds = [
      { fd: file, events: 0 },
      { fd: r, events: c.POLLIN },
    ];
    const td = waiting(() => sys.poll(fds, 1_000_000));
    sys.write(w, 'x');
    expect(td.join()).toBe(1);
    for (const fd of [file, device, r, w]) sys.close(fd);
  }),
);

test(
  'sys.raw(SYS_writev) of some of the buffers, on a pipe that is full in between',
  onUserthread(() => {
    const [r, w] = sys.pipe2();
    const buffers = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100, 'b'), Buffer.alloc(50, 'c')];
    const td = waiting(() => sys.raw(c.SYS_writev, w, buffers, 2));
    let got = '';
    const piece = Buffer.alloc(65_536);
    while (got.length < 100_100) got += piece.toString('latin1', 0, sys.read(r, piece));
    expect(td.join()).toBe(100_100);
    sys.close(w);
    expect([got.length, got.includes('c'), sys.read(r, piece)]).toEqual([100_100, false, 0]);
    sys.close(r);
  }),
);
