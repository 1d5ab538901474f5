/** ring.test.ts: which way calls go that have to wait: the choice, and that it is the same whichever it is. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { create, sleep } from '@libcr/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { constants as c, path, sys } from '../../src/index.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const program = join(import.meta.dirname, '../programs', 'path.mjs');

function withPath(path: string | undefined, command = [process.execPath, program]) {
  const env: NodeJS.ProcessEnv = { ...process.env, LIBCR_SYSCALLS_PATH: path };
  const { status, stdout, stderr } = spawnSync(command[0] as string, command.slice(1), {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the choice', () => {
  test('LIBCR_SYSCALLS_PATH=readiness: without a ring', () => {
    expect(withPath('readiness')).toEqual({
      status: 0,
      stdout: 'readiness here LIBCR_SYSCALLS_PATH=readiness\n',
      stderr: '',
    });
  });

  test('LIBCR_SYSCALLS_PATH=ring: the ring, or the reason why there is none', () => {
    const { status, stdout, stderr } = withPath('ring');
    if (status === 0) expect(stdout).toBe('ring here \n');
    else expect(stderr).toMatch(/LIBCR_SYSCALLS_PATH=ring, but there is no ring: .*io_uring/);
  });

  test('LIBCR_SYSCALLS_PATH=anything else is an error that names the values', () => {
    const { status, stderr } = withPath('fast');
    expect(status).toBe(1);
    expect(stderr).toContain('LIBCR_SYSCALLS_PATH is "fast"; it must be "ring" or "readiness", or not set');
  });

  test('path() says what was chosen', () => {
    const { name, why, missing } = path();
    expect(name === 'ring' ? why : missing.join()).toBe('');
    if (process.env.LIBCR_SYSCALLS_PATH === 'readiness') expect(name).toBe('readiness');
  });
});

describe('io_uring is forbidden', () => {
  const forbid = at('forbid');
  let hasCompiler = false;
  beforeAll(() => {
    hasCompiler = spawnSync('cc', ['--version']).status === 0;
    if (!hasCompiler)
      console.warn('ring.test.ts: no C compiler: what happens under a seccomp filter is not tested');
    else execFileSync('cc', ['-o', forbid, join(import.meta.dirname, '../programs', 'forbid.c')]);
  });

  test.each([
    ['EPERM', os.errno.EPERM, /^readiness here io_uring is forbidden.*EPERM/],
    ['ENOSYS', os.errno.ENOSYS, /^readiness here the kernel has no io_uring.*ENOSYS/],
    ['ENOMEM', 12, /^readiness here no memory for io_uring.*ENOMEM/],
    ['EMFILE', 24, /^readiness here too many open files.*EMFILE/],
  ])('%s: the other way, and the reason', (_name, errno, expected) => {
    if (!hasCompiler) return;
    const { status, stdout, stderr } = withPath(undefined, [
      forbid,
      String(errno),
      process.execPath,
      program,
    ]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(expected);
  });

  test('only receive buffers are missing: the ring all the same', () => {
    if (!hasCompiler || withPath('ring').status !== 0) return;
    expect(withPath('ring', [forbid, '22', 'buffers', process.execPath, program])).toEqual({
      status: 0,
      stdout: 'ring here \n',
      stderr: '',
    });
  });

  test('and asked for: an error with the reason', () => {
    if (!hasCompiler) return;
    const { status, stderr } = withPath('ring', [forbid, '1', process.execPath, program]);
    expect(status).toBe(1);
    expect(stderr).toContain('there is no ring: io_uring is forbidden');
  });
});

describe('buffers', () => {
  /** A file that is read from its device, so that a read of it has to wait. */
  function cold(name: string, bytes: number): number {
    fs.writeFileSync(at(name), Buffer.alloc(bytes, 'cold'));
    return sys.open(at(name), c.O_RDWR | c.O_DIRECT);
  }
  const SIZE = 1 << 16;

  test(
    'reads and writes that go to the device, at many places at once',
    onUserthread(() => {
      const fd = cold('direct', SIZE);
      const readers = Array.from({ length: 64 }, (_, i) =>
        create(() => {
          const buffer = Buffer.alloc(512);
          const n = sys.pread64(fd, buffer, 512, ((i * 37) % 128) * 512);
          return `${n} ${buffer.toString('latin1', 0, 8)}`;
        }),
      );
      for (const reader of readers) expect(reader.join()).toBe('512 coldcold');
      sys.close(fd);
    }),
  );

  test(
    'memory that is not aligned for a device is written from and read to, whole sectors of it, again and again',
    onUserthread(() => {
      const fd = cold('unaligned', SIZE);
      for (let round = 0; round < 3; round++) {
        const memory = Buffer.alloc(1025, `${round}`).subarray(1);
        expect(sys.pwrite64(fd, memory, 1024, 512 * round)).toBe(1024);
        expect(sys.pread64(fd, memory.fill(0), 1024, 512 * round)).toBe(1024);
        expect(memory.every((byte) => byte === `${round}`.charCodeAt(0))).toBe(true);
        expect(codeOf(() => sys.pread64(fd, memory, 1024, 1))).toBe('EINVAL');
        expect(codeOf(() => sys.pwrite64(fd, memory, 1024, 1))).toBe('EINVAL');
        expect(codeOf(() => sys.pwrite64(fd, memory, 1000, 0))).toBe('EINVAL');
      }
      sys.fcntl(fd, c.F_SETFL, 0);
      expect(sys.pwrite64(fd, Buffer.from('any size'), 8, 1)).toBe(8);
      sys.close(fd);
      const only = sys.open(at('unaligned'), c.O_RDONLY | c.O_DIRECT);
      expect(sys.pread64(only, Buffer.alloc(1025).subarray(1), 1024, 0)).toBe(1024);
      expect(codeOf(() => sys.pwrite64(only, Buffer.alloc(1025).subarray(1), 1024, 0))).toBe('EBADF');
      sys.close(only);
      const plain = sys.open(at('unaligned'), c.O_RDONLY);
      expect(sys.pread64(plain, Buffer.alloc(8), 8, 1)).toBe(8);
      sys.close(plain);
    }),
  );

  test(
    'a buffer that is transferred while its call is under way is not written to',
    onUserthread(() => {
      const fd = cold('big', 1 << 20);
      const outcomes = Array.from({ length: 20 }, () => {
        const memory = new ArrayBuffer(1 << 20);
        const view = new Uint8Array(memory);
        const td = create(() => errorOf(() => sys.pread64(fd, view, view.length, 0)));
        sleep(0);
        if (td.state !== 'blocked') return 'in place';
        const moved = structuredClone(memory, { transfer: [memory] });
        const outcome = td.join();
        sleep(2);
        if (outcome.returned !== undefined) return 'in place';
        expect(new Uint8Array(moved).every((byte) => byte === 0)).toBe(true);
        return outcome.code;
      });
      for (const outcome of outcomes) expect(['in place', 'ERR_INVALID_STATE']).toContain(outcome);
      sys.close(fd);
    }),
  );

  test(
    'what is given up is over at once; its memory stays until the kernel is done',
    onUserthread(() => {
      const fd = cold('given-up', 1 << 20);
      for (let round = 0; round < 50; round++) {
        const readers = Array.from({ length: 16 }, (_, i) =>
          create(() => codeOf(() => sys.pread64(fd, Buffer.alloc(65536), 65536, (i % 16) * 65536))),
        );
        sleep(0);
        for (const reader of readers) if (reader.state === 'blocked') reader.abort();
        for (const reader of readers) expect(['ABORT_ERR', 'no error']).toContain(reader.join());
      }
      sys.close(fd);
    }),
  );
});

test(
  'a thousand waits begun and ended in one turn of the loop',
  onUserthread(() => {
    const [r, w] = sys.pipe2();
    const readers = Array.from({ length: 1000 }, () =>
      create(() => codeOf(() => sys.read(r, Buffer.alloc(1)))),
    );
    sleep(1);
    expect(new Set(readers.map((reader) => reader.state))).toEqual(new Set(['blocked']));
    sys.close(r);
    expect(new Set(readers.map((reader) => reader.join()))).toEqual(new Set(['EBADF']));
    sys.close(w);
    const sleepers = Array.from({ length: 1000 }, () => create(() => sys.nanosleep(1)));
    for (const sleeper of sleepers) sleeper.join();
  }),
);

test(
  'a sleep follows the clock that was named',
  onUserthread(() => {
    const { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_TAI, TIMER_ABSTIME } = c;
    for (const clock of [CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_TAI]) {
      const start = process.hrtime.bigint();
      sys.clock_nanosleep(clock, 0, 5);
      expect(process.hrtime.bigint() - start).toBeGreaterThanOrEqual(5_000_000n);
      sys.clock_nanosleep(clock, TIMER_ABSTIME, { sec: 1, nsec: 0 }); // long ago
    }
  }),
);
