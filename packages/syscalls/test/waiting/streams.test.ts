/**
 * streams.test.ts: stream sockets that are read again and again. Once one has been read empty, its next read goes to the kernel as a whole
 * (native/node/ring/receive.c): it must be the read it was before, and lose nothing.
 */
import { create, sleep, type UserThread, yieldNow } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, type SockAddr, sys } from '../../src/index.ts';
import { codeOf, errorOf, onUserthread, randomOf } from '../support.ts';

const pair = (type: number = c.SOCK_STREAM): [number, number] => sys.socketpair(c.AF_UNIX, type);

/** TCP, from the connecting to the accepted end. */
function tcp(): [number, number] {
  const listener = sys.socket(c.AF_INET, c.SOCK_STREAM);
  sys.bind(listener, { family: 'inet', address: '127.0.0.1', port: 0 });
  sys.listen(listener, 1);
  const from = sys.socket(c.AF_INET, c.SOCK_STREAM);
  sys.connect(from, sys.getsockname(listener) as SockAddr);
  const { fd } = sys.accept4(listener);
  sys.close(listener);
  return [from, fd];
}

const ways: [string, (fd: number, buffer: Buffer) => number][] = [
  ['read', (fd, buffer) => sys.read(fd, buffer)],
  ['recvfrom', (fd, buffer) => sys.recvfrom(fd, buffer).length],
];

/** A message of one byte that is read by somebody who has waited for it: from now on the socket is known to be empty. */
function primed([from, to]: [number, number]): [number, number] {
  for (let i = 0; i < 2; i++) {
    const reader = create(() => sys.read(to, Buffer.alloc(8)));
    sleep(1);
    sys.write(from, 'x');
    expect(reader.join()).toBe(1);
  }
  return [from, to];
}

function close(...fds: number[]): void {
  for (const fd of fds) sys.close(fd);
}

/** A thread that has begun to wait. */
function waiting<T>(fn: () => T): UserThread<T> {
  const td = create(fn) as UserThread<T>;
  while (td.state !== 'blocked') yieldNow();
  return td;
}

for (const [name, open] of [
  ['local sockets', pair],
  ['TCP', tcp],
] as const) {
  for (const [call, read] of ways) {
    test(
      `${name}: ${call} gets what there is, as far as there is room`,
      onUserthread(() => {
        const [from, to] = primed(open());
        const sizes = [1, 64, 2047, 2048, 2049, 5000, 20_000];
        for (const size of [...sizes, ...sizes]) {
          const message = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + size) % 251));
          const buffer = Buffer.alloc(32_768);
          const reader = waiting(() => read(to, buffer));
          sys.write(from, message);
          expect(reader.join()).toBe(size);
          expect(buffer.subarray(0, size).equals(message)).toBe(true);
          expect(buffer.subarray(size).every((byte) => byte === 0)).toBe(true);
        }
        const small = Buffer.alloc(10);
        const reader = waiting(() => read(to, small));
        sys.write(from, 'more than ten bytes');
        expect(reader.join()).toBe(10);
        expect(String(small)).toBe('more than ');
        expect(read(to, small)).toBe(9);
        expect(String(small)).toBe('ten bytes ');
        close(from, to);
      }),
    );
  }

  test(
    `${name}: the end, and afterwards`,
    onUserthread(() => {
      const [from, to] = primed(open());
      const reader = waiting(() => sys.read(to, Buffer.alloc(8)));
      sys.write(from, 'last');
      sys.shutdown(from, c.SHUT_WR);
      expect([reader.join(), sys.read(to, Buffer.alloc(8)), sys.read(to, Buffer.alloc(8))]).toEqual([
        4, 0, 0,
      ]);
      close(from, to);
      const [other, end] = primed(open());
      const late = waiting(() => sys.read(end, Buffer.alloc(8)));
      sys.close(other);
      expect([late.join(), sys.read(end, Buffer.alloc(8))]).toEqual([0, 0]);
      sys.close(end);
    }),
  );

  test(
    `${name}: no byte is lost or seen twice, whatever is interrupted when (seeded)`,
    onUserthread(() => {
      const random = randomOf(`streams, ${name}`);
      const [from, to] = primed(open());
      const TOTAL = 60_000;
      let sent = 0;
      let got = 0;
      let aborted = 0;
      const over = (): boolean => sent >= TOTAL && aborted >= 5;
      const writer = create(() => {
        while (!over()) {
          const size = 1 + random(random(8) === 0 ? 6000 : 20);
          const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (sent + i) % 251));
          sys.write(from, bytes);
          sent += size;
          if (random(3) === 0) sleep(0);
          else if (random(2) === 0) yieldNow();
        }
      });
      while (!over() || got < sent) {
        const reader = create(() => {
          const buffer = Buffer.alloc(1 + random(4000));
          const n = sys.read(to, buffer);
          for (let i = 0; i < n; i++)
            if (buffer[i] !== (got + i) % 251) throw new Error(`byte ${got + i} is ${buffer[i]}`);
          got += n;
        });
        for (let turns = random(4); turns > 0; turns--) yieldNow();
        if (random(3) === 0) sleep(0);
        if (random(2) === 0) reader.abort();
        const { code } = errorOf(() => reader.join());
        if (code === 'ABORT_ERR') aborted++;
        else expect(code).toBe(undefined);
      }
      writer.join();
      expect(got).toBe(sent);
      close(from, to);
    }),
  );
}

test(
  'what has come when a thread is aborted is its own; the next call throws',
  onUserthread(() => {
    const [from, to] = primed(pair());
    const buffer = Buffer.alloc(8);
    const reader = waiting(() => [sys.read(to, buffer), codeOf(() => sys.read(to, buffer))]);
    sys.write(from, 'kept');
    reader.abort();
    const { returned, code } = errorOf(() => reader.join());
    // Without a ring the data is the socket's still, and the abort ends the first read.
    if (code === 'ABORT_ERR') expect(sys.read(to, buffer)).toBe(4);
    else expect(returned).toEqual([4, 'ABORT_ERR']);
    expect(String(buffer.subarray(0, 4))).toBe('kept');
    close(from, to);
  }),
);

test(
  'a reset by the peer',
  onUserthread(() => {
    const [from, to] = primed(tcp());
    sys.setsockopt(from, c.SOL_SOCKET, c.SO_LINGER, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
    const reader = waiting(() => codeOf(() => sys.read(to, Buffer.alloc(8))));
    sys.close(from);
    expect(reader.join()).toBe('ECONNRESET');
    expect(sys.read(to, Buffer.alloc(8))).toBe(0);
    sys.close(to);
  }),
);

test(
  'data, and a reset behind it: both are seen',
  onUserthread(() => {
    const [from, to] = primed(tcp());
    sys.setsockopt(from, c.SOL_SOCKET, c.SO_LINGER, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
    const reader = waiting(() => sys.read(to, Buffer.alloc(5000)));
    sys.write(from, Buffer.alloc(2048)); // as much as the ring's buffers hold
    expect(reader.join()).toBe(2048);
    const next = waiting(() => codeOf(() => sys.read(to, Buffer.alloc(5000))));
    sys.close(from);
    expect(next.join()).toBe('ECONNRESET');
    sys.close(to);
  }),
);

test(
  'the descriptor is closed while a read waits, and its number stands for another socket at once',
  onUserthread(() => {
    for (let round = 0; round < 20; round++) {
      const [from, to] = primed(pair());
      const buffer = Buffer.alloc(10_000);
      const reader = waiting(() => errorOf(() => sys.read(to, buffer)));
      if (round % 2 === 0) sys.write(from, Buffer.alloc(5000, 'a')); // nobody has looked yet when it is closed
      sys.close(to);
      const [other, same] = pair();
      const both = [other, same].includes(to);
      expect(both).toBe(true);
      for (const fd of [other, same]) sys.write(fd, 'their own');
      const { returned, code } = reader.join();
      if (returned === undefined) expect(code).toBe('EBADF');
      else expect([returned, round % 2]).toEqual([2048, 0]); // which had been taken already
      for (const fd of [other, same]) {
        const own = Buffer.alloc(9);
        expect([sys.read(fd, own), String(own)]).toEqual([9, 'their own']);
      }
      close(from, other, same);
    }
  }),
);

test(
  'a number that is used again is what it stands for now',
  onUserthread(() => {
    const [from, to] = primed(pair());
    close(from, to);
    const [a, b] = pair(c.SOCK_DGRAM);
    expect([a, b].includes(to)).toBe(true);
    for (const [sender, receiver] of [
      [a, b],
      [b, a],
    ] as const) {
      const buffer = Buffer.alloc(8192);
      const reader = waiting(() => sys.read(receiver, buffer));
      sys.write(sender, Buffer.alloc(6000, 'd'));
      expect(reader.join()).toBe(6000); // a datagram that is cut would have lost its end
    }
    close(a, b);
    const [r, w] = sys.pipe2();
    const reader = waiting(() => sys.read(r, Buffer.alloc(100)));
    sys.write(w, 'pipe');
    expect(reader.join()).toBe(4);
    close(r, w);
  }),
);

test(
  'O_NONBLOCK, set after a read has waited',
  onUserthread(() => {
    const [from, to] = primed(pair());
    sys.fcntl(to, c.F_SETFL, c.O_NONBLOCK);
    expect(codeOf(() => sys.read(to, Buffer.alloc(8)))).toBe('EAGAIN');
    sys.fcntl(to, c.F_SETFL, 0);
    const reader = waiting(() => sys.read(to, Buffer.alloc(8)));
    sys.write(from, 'y');
    expect(reader.join()).toBe(1);
    close(from, to);
  }),
);

test(
  'with MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, and into several buffers',
  onUserthread(() => {
    const [from, to] = primed(pair());
    const buffer = Buffer.alloc(8);
    expect(codeOf(() => sys.recvfrom(to, buffer, c.MSG_DONTWAIT))).toBe('EAGAIN');
    const peeks = waiting(() => sys.recvfrom(to, buffer, c.MSG_PEEK));
    sys.write(from, 'peek');
    expect([peeks.join().length, sys.read(to, buffer)]).toEqual([4, 4]);
    const all = waiting(() => sys.recvfrom(to, buffer, c.MSG_WAITALL));
    sys.write(from, 'one ');
    sleep(1);
    sys.write(from, 'two ');
    expect([all.join().length, String(buffer)]).toEqual([8, 'one two ']);
    const [a, b] = [Buffer.alloc(2), Buffer.alloc(6)];
    const several = waiting(() => sys.readv(to, [a, b]));
    sys.write(from, 'parts');
    expect([several.join(), String(a), String(b.subarray(0, 3))]).toEqual([5, 'pa', 'rts']);
    const nothing = Buffer.alloc(0);
    expect(sys.read(to, nothing)).toBe(0);
    close(from, to);
  }),
);

test('on the event loop', async () => {
  const [from, to] = await onUserthread(() => primed(pair()))();
  const buffer = Buffer.alloc(8);
  expect(codeOf(() => sys.read(to, buffer))).toBe('ERR_LWKT_WOULD_BLOCK');
  sys.write(from, 'here');
  expect(sys.read(to, buffer)).toBe(4); // it has been read empty, and yet it is looked at
  const promise = sys.promises.read(to, buffer);
  sys.write(from, 'later');
  expect(await promise).toBe(5);
  expect(String(buffer.subarray(0, 5))).toBe('later');
  close(from, to);
});

test(
  'more sockets at once than the ring has buffers',
  onUserthread(() => {
    const sockets = Array.from({ length: 400 }, () => pair());
    const readers = sockets.map(([, to], i) =>
      create(() => {
        const buffer = Buffer.alloc(4);
        const read: string[] = [];
        for (let n = 0; n < 4; n++) {
          sys.read(to, buffer);
          read.push(String(buffer));
        }
        return read.join(' ') === [0, 1, 2, 3].map((n) => 1000 + i + n).join(' ');
      }),
    );
    for (let n = 0; n < 4; n++) {
      sleep(1);
      sockets.forEach(([from], i) => {
        sys.write(from, String(1000 + i + n));
      });
    }
    expect(readers.filter((reader) => reader.join()).length).toBe(400);
    for (const fds of sockets) close(...fds);
  }),
);

test(
  'a buffer that is transferred meanwhile is not written to',
  onUserthread(() => {
    const [from, to] = primed(pair());
    const memory = new ArrayBuffer(64);
    const view = new Uint8Array(memory);
    const reader = waiting(() => errorOf(() => sys.read(to, view)));
    const moved = structuredClone(memory, { transfer: [memory] });
    sys.write(from, 'written');
    expect(reader.join().code).toBe('ERR_INVALID_STATE');
    expect(new Uint8Array(moved).every((byte) => byte === 0)).toBe(true);
    close(from, to);
  }),
);

test(
  'a buffer that is transferred, data that has come, and an abort: no error of the kernel is made of it',
  onUserthread(() => {
    const [from, to] = primed(pair());
    const memory = new ArrayBuffer(64);
    const view = new Uint8Array(memory);
    const reader = waiting(() => errorOf(() => sys.read(to, view)));
    structuredClone(memory, { transfer: [memory] });
    sys.write(from, 'written');
    reader.abort();
    // Which of the two it is depends on whether the data was the thread's already.
    expect(['ERR_INVALID_STATE', 'ABORT_ERR']).toContain(
      errorOf(() => reader.join()).code ?? reader.join().code,
    );
    close(from, to);
  }),
);

test(
  'many readers of one socket: each byte goes to one of them',
  onUserthread(() => {
    const [from, to] = primed(pair());
    const readers = Array.from({ length: 20 }, () => waiting(() => sys.read(to, Buffer.alloc(1))));
    for (let i = 0; i < 20; i++) sys.write(from, 'z');
    expect(readers.map((reader) => reader.join())).toEqual(Array(20).fill(1));
    close(from, to);
  }),
);
