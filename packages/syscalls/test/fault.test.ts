/** fault.test.ts: the fault shim: which calls are struck, and what happens to them. */
import fs from 'node:fs';
import { join } from 'node:path';
import { create, curthread, sleep } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys, syscallPort } from '../src/index.ts';
import { type FaultRule, type FaultShim, fault } from '../src/shims/fault/index.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const file = join(folder, 'file');
fs.writeFileSync(file, 'hello world');

function under<R>(shim: FaultShim, fn: () => R): R {
  return create(fn, { syscallPort: sys.with(shim) }).join() as R;
}

/** The codes of n calls of getpid. */
const pids = (rule: FaultRule, n: number, seed = 1): string => {
  const shim = fault([{ on: ['getpid'], errno: 'EIO', ...rule }], { seed });
  return under(shim, () =>
    Array.from({ length: n }, () => (codeOf(() => sys.getpid()) === 'EIO' ? 'x' : '.')).join(''),
  );
};

test(
  'which of the calls: nth, after, every, times',
  onUserthread(() => {
    expect(pids({}, 4)).toBe('xxxx');
    expect(pids({ nth: 3 }, 6)).toBe('..x...');
    expect(pids({ after: 2 }, 6)).toBe('..xxxx');
    expect(pids({ every: 3 }, 8)).toBe('x..x..x.');
    expect(pids({ after: 1, every: 2 }, 8)).toBe('.x.x.x.x');
    expect(pids({ times: 2 }, 5)).toBe('xx...');
    expect(pids({ after: 1, every: 2, times: 2 }, 8)).toBe('.x.x....');
    expect(pids({ times: 0 }, 3)).toBe('...');
    expect(pids({ probability: 0 }, 20)).toBe('.'.repeat(20));
    expect(pids({ probability: 1 }, 20)).toBe('x'.repeat(20));
  }),
);

test(
  'by chance: the same seed, the same faults; every rule draws by itself',
  onUserthread(() => {
    const one = pids({ probability: 0.3 }, 1000, 42);
    expect(pids({ probability: 0.3 }, 1000, 42)).toBe(one);
    expect(pids({ probability: 0.3 }, 1000, 43)).not.toBe(one);
    const struck = one.split('x').length - 1;
    expect(struck).toBeGreaterThan(200);
    expect(struck).toBeLessThan(400);

    const rule: FaultRule = { on: ['getpid'], probability: 0.5, errno: 'EIO' };
    const other: FaultRule = { on: ['getppid'], probability: 0.5, errno: 'EPERM' };
    const alone = fault([rule], { seed: 7 });
    const beside = fault([rule, other], { seed: 7 });
    const codes = (shim: FaultShim): unknown[] =>
      under(shim, () =>
        Array.from({ length: 50 }, () => {
          codeOf(() => sys.getppid());
          return codeOf(() => sys.getpid());
        }),
      );
    const first = codes(alone);
    expect(codes(beside)).toEqual(first);
    alone.reset();
    expect(codes(alone)).toEqual(first);
    expect(alone.counts).toEqual([
      { rule, matched: 50, injected: first.filter((code) => code === 'EIO').length },
    ]);

    const random = fault([rule]);
    expect(fault([rule], { seed: random.seed }).seed).toBe(random.seed);
  }),
);

test(
  'the error is one of the kernel’s, and nothing is done',
  onUserthread(() => {
    const shim = fault([{ on: ['open'], path: `${folder}/**`, errno: 'EMFILE', nth: 2 }]);
    under(shim, () => {
      sys.close(sys.open(file));
      expect(codeOf(() => sys.open('/etc/passwd-none'))).toBe('ENOENT'); // not counted
      expect(errorOf(() => sys.openat(c.AT_FDCWD, file))).toMatchObject({
        code: 'EMFILE',
        syscall: 'openat',
        path: file,
        message: `EMFILE: too many open files, openat '${file}'`,
      });
      sys.close(sys.open(file));
    });
    expect(shim.counts).toMatchObject([{ matched: 3, injected: 1 }]);
    const fd = sys.open(file);
    under(fault([{ on: ['close'], errno: 'EIO' }]), () => expect(codeOf(() => sys.close(fd))).toBe('EIO'));
    expect(codeOf(() => sys.fstat(fd))).toBe('EBADF'); // closed nevertheless, as the kernel does it
    const made = join(folder, 'made');
    under(fault([{ on: ['mkdir'], errno: 28 }]), () => expect(codeOf(() => sys.mkdir(made))).toBe('ENOSPC'));
    expect(fs.existsSync(made)).toBe(false);
  }),
);

test(
  'short reads and writes: of a buffer, of several, of a message',
  onUserthread(() => {
    const bytes = (n: number): Buffer => Buffer.alloc(n);
    under(fault([{ short: 4 }]), () => {
      const fd = sys.open(file);
      const buffer = bytes(11);
      expect(sys.read(fd, buffer)).toBe(4);
      expect(buffer.toString('utf8', 0, 5)).toBe('hell\0');
      expect(sys.pread64(fd, buffer, 3, 0)).toBe(3);
      expect(sys.preadv(fd, [bytes(3), bytes(9)], 0)).toBe(4);
      expect(sys.read(fd, bytes(1))).toBe(1);
      expect(sys.read(fd, bytes(0))).toBe(0);
      sys.close(fd);
      const [r, w] = sys.pipe2();
      expect(sys.write(w, 'abcdefgh')).toBe(4);
      expect(sys.writev(w, [Buffer.from('ab'), Buffer.from('cdefg'), Buffer.from('x')])).toBe(4);
      const [a, b] = sys.socketpair(c.AF_UNIX, c.SOCK_STREAM);
      expect(sys.sendto(a, Buffer.from('abcdefgh'))).toBe(4);
      expect(sys.sendmsg(a, { buffers: [Buffer.from('ab'), Buffer.from('cdef')] })).toBe(4);
      expect(sys.recvmsg(b, { buffers: [bytes(1), bytes(100)] })).toMatchObject({ length: 4 });
      for (const each of [r, w, a, b]) sys.close(each);
    });
    under(fault([{ on: ['read'], short: 0.5 }]), () => {
      const fd = sys.open(file);
      expect([sys.read(fd, bytes(8)), sys.read(fd, bytes(1)), sys.read(fd, bytes(3))]).toEqual([4, 1, 1]);
      sys.close(fd);
    });
    // Arguments that the kernel refuses are refused as always.
    under(fault([{ short: 1 }]), () => {
      expect(codeOf(() => sys.read(0, 'text' as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => sys.read(0, bytes(3), 4))).toBe('ERR_OUT_OF_RANGE');
    });
  }),
);

test(
  'a delay blocks the thread that calls, and nothing else; abort ends it',
  onUserthread(() => {
    const shim = fault([{ on: ['getpid'], delay: 1e8 }]);
    const td = create(() => sys.getpid(), { syscallPort: sys.with(shim) });
    while (shim.counts[0]?.injected === 0) sleep(0); // others run
    expect(td.state).toBe('blocked');
    td.abort();
    expect(codeOf(() => td.join())).toBe('ABORT_ERR');
    const order: string[] = [];
    const slow = create(
      () => {
        sys.getpid();
        order.push('slow');
      },
      { syscallPort: sys.with(fault([{ delay: 5, nth: 1 }])) },
    );
    create(() => order.push('quick')).join();
    slow.join();
    expect(order).toEqual(['quick', 'slow']);
    expect(curthread().state).toBe('running');
  }),
);

test('on the event loop’s own stack a delay stops the loop, as a slow disk does', () => {
  const guard = syscallPort.shim(fault([{ on: ['getpid'], delay: 2, errno: 'EIO' }]));
  const begin = performance.now();
  expect(codeOf(() => sys.getpid())).toBe('EIO');
  expect(performance.now() - begin).toBeGreaterThanOrEqual(1.9);
  guard.remove();
});

test(
  'rules go on: delays and cuts first, the first errno is the answer',
  onUserthread(() => {
    const rules: FaultRule[] = [
      { on: ['read'], short: 2 },
      { on: ['read'], short: 0.5 },
      { on: ['read'], nth: 2, errno: 'EINTR' },
      { on: ['read'], nth: 2, errno: 'EIO' },
    ];
    const shim = fault(rules);
    under(shim, () => {
      const fd = sys.open(file);
      expect(sys.read(fd, Buffer.alloc(10))).toBe(1);
      expect(codeOf(() => sys.read(fd, Buffer.alloc(10)))).toBe('EINTR');
      sys.close(fd);
    });
    expect(shim.counts.map(({ matched, injected }) => [matched, injected])).toEqual([
      [2, 2],
      [2, 2],
      [2, 1],
      [1, 0],
    ]);
  }),
);

test(
  'fd and when',
  onUserthread(() => {
    const fd = sys.open(file);
    const seen: string[] = [];
    const rules: FaultRule[] = [
      { on: ['read'], fd, errno: 'EIO' },
      { on: ['pread64'], when: (msg) => seen.push(msg.name) === 1, errno: 'EIO' },
    ];
    under(fault(rules), () => {
      expect(codeOf(() => sys.read(fd, Buffer.alloc(1)))).toBe('EIO');
      const other = sys.open(file);
      expect(sys.read(other, Buffer.alloc(1))).toBe(1);
      sys.close(other);
      expect(codeOf(() => sys.pread64(fd, Buffer.alloc(1), 1, 0))).toBe('EIO');
      expect(sys.pread64(fd, Buffer.alloc(1), 1, 0)).toBe(1);
    });
    sys.close(fd);
  }),
);

test.each<[unknown, string, RegExp]>([
  [{}, 'ERR_INVALID_ARG_TYPE', /"rules" .* an array/],
  [[null], 'ERR_INVALID_ARG_TYPE', /rules\[0\]/],
  [[{ errno: 'EIO', nht: 1 }], 'ERR_INVALID_ARG_VALUE', /rules\[0\] has no "nht"/],
  [[{ nth: 1 }], 'ERR_INVALID_ARG_VALUE', /rules\[0\] does nothing/],
  [[{ errno: 'ENONE' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.errno/],
  [[{ errno: 4096 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.errno/],
  [[{ errno: 'EIO', nth: 0 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.nth/],
  [[{ errno: 'EIO', every: 1.5 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.every/],
  [[{ errno: 'EIO', after: '1' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.after/],
  [[{ errno: 'EIO', probability: 1.1 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.probability/],
  [[{ short: 0 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.short/],
  [[{ short: 1.5 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.short/],
  [[{ on: ['getpid'], short: 1 }], 'ERR_INVALID_ARG_VALUE', /getpid moves no data/],
  [[{ delay: -1 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.delay/],
  [[{ on: ['opne'], errno: 'EIO' }], 'ERR_INVALID_ARG_VALUE', /"opne"/],
  [[{ on: 'open', errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.on/],
  [[{ path: 'etc/*', errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.path/],
  [[{ fd: -1, errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.fd/],
  [[{ when: true, errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.when/],
])('no rules: %j', (rules, code, message) => {
  expect(errorOf(() => fault(rules as FaultRule[]))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test.each([-1, 2 ** 32, 0.5, '1'])('no seed: %j', (seed) => {
  expect(codeOf(() => fault([], { seed: seed as number }))).toMatch(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/);
});
