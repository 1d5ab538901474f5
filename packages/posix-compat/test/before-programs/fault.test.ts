/** fault.test.ts: what fault.test.ts of @libcr/syscalls expects, of the calls of a program. What rules may be is tested there. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, wait } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { type FaultRule, type FaultShim, fault } from '@libcr/syscalls/shims/fault';
import { expect, test } from 'vitest';
import { codeOf, errorOf, onUserthread } from '../../../syscalls/test/support.ts';
import { scratch } from '../programs.ts';
import { ToldProgram, underProgram } from './made-by-program.ts';

const file = join(scratch, 'file');
writeFileSync(file, 'hello world');

test(
  'which of the calls: nth, after, every, times; by chance, the same seed, the same faults',
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
    // One shim after the other over one program: only the present one has rules for the call.
    const program = new ToldProgram([]);
    const pids = (rule: FaultRule, n: number, seed = 1): string => {
      using _ = program.shim(fault([{ on: ['getpid'], errno: 'EIO', ...rule }], { seed }));
      return program.inside(() =>
        Array.from({ length: n }, () => (codeOf(() => sys.getpid()) === 'EIO' ? 'x' : '.')).join(''),
      );
    };
    for (const [rule, n, expected] of rules) expect([rule, pids(rule, n)]).toEqual([rule, expected]);
    const one = pids({ probability: 0.3 }, 200, 42);
    expect(pids({ probability: 0.3 }, 200, 42)).toBe(one);
    expect(pids({ probability: 0.3 }, 200, 43)).not.toBe(one);
    wait(program.end());
  }),
);

test(
  'the error is one of the kernel’s, and nothing is done',
  onUserthread(() => {
    const shim = fault([{ on: ['open'], path: `${scratch}/**`, errno: 'EMFILE', nth: 2 }]);
    underProgram(shim, () => {
      sys.close(sys.open(file));
      expect(codeOf(() => sys.open('/etc/passwd-none'))).toBe('ENOENT'); // not counted
      expect(errorOf(() => sys.openat(c.AT_FDCWD, file))).toMatchObject({
        code: 'EMFILE',
        syscall: 'openat',
      });
      sys.close(sys.open(file));
    });
    expect(shim.counts).toMatchObject([{ matched: 3, injected: 1 }]);
    const made = join(scratch, 'made');
    const more = [fault([{ on: ['close'], errno: 'EIO' }]), fault([{ on: ['mkdir'], errno: 28 }])];
    underProgram(more, () => {
      const fd = sys.open(file);
      expect(codeOf(() => sys.close(fd))).toBe('EIO');
      expect(codeOf(() => sys.fstat(fd))).toBe('EBADF'); // closed nevertheless, as the kernel does it
      expect(codeOf(() => sys.mkdir(made))).toBe('ENOSPC');
    });
    expect(existsSync(made)).toBe(false);
  }),
);

test(
  'short reads and writes: of a buffer, of several, of a message',
  onUserthread(() => {
    const bytes = (n: number): Buffer => Buffer.alloc(n);
    underProgram(fault([{ short: 4 }]), () => {
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
    underProgram(fault([{ on: ['read'], short: 0.5 }]), () => {
      const fd = sys.open(file);
      expect([sys.read(fd, bytes(8)), sys.read(fd, bytes(1)), sys.read(fd, bytes(3))]).toEqual([4, 1, 1]);
      sys.close(fd);
    });
  }),
);

test(
  'a delay makes the thread wait that calls, and no other; a signal ends it, and so does the program’s end',
  onUserthread(() => {
    const shim: FaultShim = fault([{ on: ['getpid'], delay: 1e8 }]);
    const program = new ToldProgram([shim]);
    const td = program.create(() => codeOf(() => sys.getpid()));
    while (shim.counts[0]?.injected === 0) sleep(1);
    expect(program.inside(() => sys.getppid())).toBe(process.pid);
    expect(td.state).toBe('blocked');
    process.kill(program.pid, 'SIGKILL');
    td.join();
    wait(program.end());
  }),
);

test(
  'rules go on: delays and cuts first, the first errno is the answer; fd and when',
  onUserthread(() => {
    const shim = fault([
      { on: ['read'], short: 2 },
      { on: ['read'], short: 0.5 },
      { on: ['read'], nth: 2, errno: 'EINTR' },
      { on: ['read'], nth: 2, errno: 'EIO' },
    ]);
    underProgram(shim, () => {
      const fd = sys.open(file);
      expect(sys.read(fd, Buffer.alloc(10))).toBe(1);
      expect(codeOf(() => sys.read(fd, Buffer.alloc(10)))).toBe('EINTR');
    });
    expect(shim.counts.map(({ matched, injected }) => [matched, injected])).toEqual([
      [2, 2],
      [2, 2],
      [2, 1],
      [1, 0],
    ]);
    const fd = 100; // a number of the program's
    const seen: string[] = [];
    const rules: FaultRule[] = [
      { on: ['read'], fd, errno: 'EIO' },
      { on: ['pread64'], when: (msg) => seen.push(msg.name) === 1, errno: 'EIO' },
    ];
    underProgram(fault(rules), () => {
      const other = sys.open(file);
      sys.dup2(other, fd);
      expect(codeOf(() => sys.read(fd, Buffer.alloc(1)))).toBe('EIO');
      expect(sys.read(other, Buffer.alloc(1))).toBe(1);
      expect(codeOf(() => sys.pread64(fd, Buffer.alloc(1), 1, 0))).toBe('EIO');
      expect(sys.pread64(fd, Buffer.alloc(1), 1, 0)).toBe(1);
    });
    expect(seen).toHaveLength(2);
  }),
);
