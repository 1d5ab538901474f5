/** raw.test.ts: system calls by number, in C's convention: -1 and the thread's own errno. */
import { create, curthread, yieldNow } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../src/index.ts';
import { codeOf, onUserthread } from './support.ts';

test(
  'results, -1 and errno; a success leaves errno alone',
  onUserthread(() => {
    expect(curthread().errno).toBe(0);
    expect(sys.raw(c.SYS_getpid)).toBe(process.pid);
    expect(sys.raw(c.SYS_close, 1_000_000)).toBe(-1);
    expect(curthread().errno).toBe(c.EBADF);
    expect(sys.raw(c.SYS_getpid)).toBe(process.pid);
    expect(curthread().errno).toBe(c.EBADF);
    expect(sys.raw(c.SYS_open, '/none', c.O_RDONLY, 0)).toBe(-1);
    expect(curthread().errno).toBe(c.ENOENT);
  }),
);

test(
  'errno belongs to the thread',
  onUserthread(() => {
    const threads = [c.SYS_close, c.SYS_fsync].map((number) =>
      create(() => {
        const errno = number === c.SYS_close ? c.EBADF : c.EINVAL;
        if (number === c.SYS_close) sys.raw(number, 1_000_000);
        else sys.raw(c.SYS_lseek, 0, 0, 99);
        for (let i = 0; i < 10; i++) yieldNow();
        return [curthread().errno === errno || curthread().errno === c.ESPIPE, sys.raw(c.SYS_getpid) > 0];
      }),
    );
    expect(threads.map((td) => td.join())).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(curthread().errno).toBe(0);
  }),
);

test(
  'numbers that are no calls are ENOSYS',
  onUserthread(() => {
    for (const number of [400, 600, 1_000_000, -1, 0.5]) {
      curthread().errno = 0;
      expect([number, sys.raw(number, 0, 0), curthread().errno]).toEqual([number, -1, c.ENOSYS]);
    }
    expect(codeOf(() => sys.raw('read' as unknown as number))).toBe('ERR_INVALID_ARG_TYPE');
    expect(codeOf(() => sys.raw(c.SYS_read, 0, 1, 2, 3, 4, 5, 6))).toBe('ERR_INVALID_ARG_VALUE');
  }),
);

test(
  'structs as buffers, NULL as null, blocking as the kernel does',
  onUserthread(() => {
    const pair = new Int32Array(2);
    expect(sys.raw(c.SYS_pipe2, pair, c.O_CLOEXEC)).toBe(0);
    const [r, w] = pair as unknown as [number, number];
    const buffer = Buffer.alloc(8);
    const td = create(() => sys.raw(c.SYS_read, r, buffer, 8));
    yieldNow();
    expect(sys.raw(c.SYS_writev, w, [Buffer.from('ab'), Buffer.from('c')], 2)).toBe(3);
    expect([td.join(), buffer.toString('utf8', 0, 3)]).toEqual([3, 'abc']);
    const request = Buffer.alloc(16);
    request.writeBigInt64LE(1_000_000n, 8);
    expect(sys.raw(c.SYS_nanosleep, request, null)).toBe(0);
    const listener = sys.socket(c.AF_UNIX, c.SOCK_STREAM);
    sys.bind(listener, { family: 'unix', path: `\0raw-${process.pid}` });
    sys.listen(listener);
    const client = sys.socket(c.AF_UNIX, c.SOCK_STREAM);
    sys.connect(client, { family: 'unix', path: `\0raw-${process.pid}` });
    const accepted = sys.raw(c.SYS_accept4, listener, null, null, 0);
    expect(accepted).toBeGreaterThan(0);
    for (const fd of [r, w, listener, client, accepted]) sys.close(fd);
  }),
);

test(
  'goes through shims, too',
  onUserthread(() => {
    const port = sys.with(defineShim({ name: 'no', on: ['getpid'], shim: () => () => -c.EPERM }));
    const td = create(() => [sys.raw(c.SYS_getpid), curthread().errno], { syscallPort: port });
    expect(td.join()).toEqual([-1, c.EPERM]);
  }),
);
