/** fault.ts: what is expected of the fault shim, whoever makes the calls. */
import fs from 'node:fs';
import { join } from 'node:path';
import { curthread } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { type FaultRule, type FaultShim, fault } from '../../src/shims/fault/index.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from '../support.ts';
import { under as underShims, until, type Way } from './caller.ts';

export function expectFault(way: Way): void {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  fs.writeFileSync(file, 'hello world');

  const under = <R>(shim: FaultShim | FaultShim[], fn: () => R): R => underShims(way, shim, fn);
  const caught = (call: () => unknown, code: string): string => (codeOf(call) === code ? 'x' : '.');
  const getpids = (n: number): string =>
    Array.from({ length: n }, () => caught(() => sys.getpid(), 'EIO')).join('');

  test(
    'which of the calls: nth, after, every, times',
    onUserthread(() => {
      const rules: [FaultRule, number, string][] = [
        [{}, 4, 'xxxx'],
        [{ nth: 3 }, 6, '..x...'],
        [{ after: 2 }, 6, '..xxxx'],
        [{ every: 3 }, 8, 'x..x..x.'],
        [{ after: 1, every: 2 }, 8, '.x.x.x.x'],
        [{ times: 2 }, 5, 'xx...'],
        [{ after: 1, every: 2, times: 2 }, 8, '.x.x....'],
        [{ times: 0 }, 3, '...'],
        [{ probability: 0 }, 20, '.'.repeat(20)],
        [{ probability: 1 }, 20, 'x'.repeat(20)],
      ];
      const caller = way.begin([]);
      for (const [rule, n, expected] of rules) {
        using _ = caller.shim(fault([{ on: ['getpid'], errno: 'EIO', ...rule }]));
        expect([rule, caller.inside(() => getpids(n))]).toEqual([rule, expected]);
      }
      caller.end();
    }),
  );

  test(
    'by chance: the same seed, the same faults; every rule draws by itself',
    onUserthread(() => {
      const many = way.isProgram ? 200 : 1000;
      const caller = way.begin([]);
      const struckBy = (seed: number): string => {
        using _ = caller.shim(fault([{ on: ['getpid'], errno: 'EIO', probability: 0.3 }], { seed }));
        return caller.inside(() => getpids(many));
      };
      const one = struckBy(42);
      expect(struckBy(42)).toBe(one);
      expect(struckBy(43)).not.toBe(one);
      const struck = one.split('x').length - 1;
      expect(struck).toBeGreaterThan(many * 0.2);
      expect(struck).toBeLessThan(many * 0.4);

      const rule: FaultRule = { on: ['getpid'], probability: 0.5, errno: 'EIO' };
      const other: FaultRule = { on: ['getppid'], probability: 0.5, errno: 'EPERM' };
      const alone = fault([rule], { seed: 7 });
      const beside = fault([rule, other], { seed: 7 });
      const codes = (shim: FaultShim): unknown[] => {
        using _ = caller.shim(shim);
        return caller.inside(() =>
          Array.from({ length: 50 }, () => {
            codeOf(() => sys.getppid());
            return codeOf(() => sys.getpid());
          }),
        );
      };
      const first = codes(alone);
      expect(codes(beside)).toEqual(first);
      alone.reset();
      expect(codes(alone)).toEqual(first);
      expect(alone.counts).toEqual([
        { rule, matched: 50, injected: first.filter((code) => code === 'EIO').length },
      ]);
      caller.end();

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
      const made = join(folder, 'made');
      under([fault([{ on: ['close'], errno: 'EIO' }]), fault([{ on: ['mkdir'], errno: 28 }])], () => {
        const fd = sys.open(file);
        expect(codeOf(() => sys.close(fd))).toBe('EIO');
        expect(codeOf(() => sys.fstat(fd))).toBe('EBADF'); // closed nevertheless, as the kernel does it
        expect(codeOf(() => sys.mkdir(made))).toBe('ENOSPC');
      });
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
      // Arguments that the kernel refuses are refused as always: a program has none of these.
      if (way.isProgram) return;
      under(fault([{ short: 1 }]), () => {
        expect(codeOf(() => sys.read(0, 'text' as never))).toBe('ERR_INVALID_ARG_TYPE');
        expect(codeOf(() => sys.read(0, bytes(3), 4))).toBe('ERR_OUT_OF_RANGE');
      });
    }),
  );

  test(
    'a delay blocks the thread that calls, and nothing else; what ends the thread ends it',
    onUserthread(() => {
      const shim = fault([{ on: ['getpid'], delay: 1e8 }]);
      const caller = way.begin([shim]);
      const td = caller.create(() => codeOf(() => sys.getpid()));
      until(() => shim.counts[0]?.injected === 1); // others run
      expect(td.state).toBe('blocked');
      expect(caller.inside(() => sys.getppid())).toBe(way.isProgram ? process.pid : process.ppid);
      expect(td.state).toBe('blocked');
      const order: string[] = [];
      using _ = caller.shim(fault([{ on: ['getuid'], delay: 5, nth: 1 }]));
      const slow = caller.create(() => {
        sys.getuid();
        order.push('slow');
      });
      caller.create(() => order.push('quick')).join();
      slow.join();
      expect(order).toEqual(['quick', 'slow']);
      expect(curthread().state).toBe('running');
      caller.interrupt(td);
      if (way.isProgram) expect(() => td.join()).not.toThrow();
      else expect(td.join()).toBe('ABORT_ERR');
      caller.end();
    }),
  );

  test(
    'rules go on: delays and cuts first, the first errno is the answer',
    onUserthread(() => {
      const shim = fault([
        { on: ['read'], short: 2 },
        { on: ['read'], short: 0.5 },
        { on: ['read'], nth: 2, errno: 'EINTR' },
        { on: ['read'], nth: 2, errno: 'EIO' },
      ]);
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
      const caller = way.begin([]);
      const fd = caller.inside(() => sys.open(file));
      const seen: string[] = [];
      const rules: FaultRule[] = [
        { on: ['read'], fd, errno: 'EIO' },
        { on: ['pread64'], when: (msg) => seen.push(msg.name) === 1, errno: 'EIO' },
      ];
      caller.shim(fault(rules));
      caller.inside(() => {
        expect(codeOf(() => sys.read(fd, Buffer.alloc(1)))).toBe('EIO');
        const other = sys.open(file);
        expect(sys.read(other, Buffer.alloc(1))).toBe(1);
        sys.close(other);
        expect(codeOf(() => sys.pread64(fd, Buffer.alloc(1), 1, 0))).toBe('EIO');
        expect(sys.pread64(fd, Buffer.alloc(1), 1, 0)).toBe(1);
        sys.close(fd);
      });
      expect(seen).toEqual(['pread64', 'pread64']);
      caller.end();
    }),
  );
}
