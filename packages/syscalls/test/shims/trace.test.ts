/** trace.test.ts: the trace shim's lines are strace's (expectations/trace.ts, and strace itself); it changes nothing, and its output is whole. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { create } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { trace } from '../../src/shims/trace/index.ts';
import { here } from '../expectations/caller.ts';
import { bare, expectTrace, traced } from '../expectations/trace.ts';
import { codeOf, errorOf, onUserthread, runProgram, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
/** Where a program given to node with -e finds @libcr/*. */
const PACKAGE = join(import.meta.dirname, '../..');

/**
 * Makes calls whose text is not obvious, and prints the lines; strace watches. Calls that the port makes in another way than it is asked
 * to, because they may block, are not among them.
 */
const COMPARED = String.raw`
import { create } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { trace } from '@libcr/syscalls/shims/trace';

const lines = [];
const tried = (fn) => {
  try {
    return fn();
  } catch (error) {
    if (error.errno === undefined) throw error;
  }
};
function calls(base) {
  for (const mode of [0, 7, 0o70, 0o750, 0o1777]) {
    sys.mkdir(base + '.d', mode);
    tried(() => sys.mkdir(base + '.d', mode));
    sys.rmdir(base + '.d');
  }
  const file = sys.openat(c.AT_FDCWD, base, c.O_RDWR | c.O_CREAT | c.O_NONBLOCK | c.O_CLOEXEC | c.O_NOFOLLOW, 0);
  const folder = sys.openat(c.AT_FDCWD, base.replace(/[^/]+$/, ''), c.O_DIRECTORY | c.O_CLOEXEC | c.O_NONBLOCK);
  tried(() => sys.openat(folder, '.', c.O_TMPFILE | c.O_RDWR | c.O_NONBLOCK, 0o600));
  const [r, w] = sys.pipe2(c.O_CLOEXEC | c.O_NONBLOCK);
  // Text and octal escapes.
  for (const text of ['\x0f9', '\x0f7', '\x0f8\0', 'x'.repeat(31) + '\x017', '"\\\t\n\v\f\r\x7f\x1b', 'é1']) sys.write(file, text);
  // fcntl.
  for (const command of [c.F_GETFD, c.F_GETFL, c.F_GETPIPE_SZ, c.F_GETLEASE, c.F_GET_SEALS, c.F_GETSIG]) tried(() => sys.fcntl(r, command));
  sys.fcntl(file, c.F_GETFL);
  sys.fcntl(r, c.F_SETFL, c.O_NONBLOCK | c.O_DIRECT);
  sys.fcntl(r, c.F_GETFL);
  sys.fcntl(r, c.F_SETFD, 0);
  sys.fcntl(r, c.F_GETFD);
  sys.fcntl(r, c.F_SETFD, c.FD_CLOEXEC);
  sys.fcntl(r, c.F_SETPIPE_SZ, 8192);
  sys.fcntl(r, c.F_SETSIG, 10);
  sys.fcntl(r, c.F_GETSIG);
  sys.fcntl(r, c.F_SETOWN, process.pid);
  tried(() => sys.fcntl(file, c.F_ADD_SEALS, 3));
  tried(() => sys.fcntl(file, c.F_NOTIFY, 0x80000005));
  tried(() => sys.fcntl(file, c.F_SETLEASE, c.F_RDLCK));
  sys.close(sys.fcntl(file, c.F_DUPFD, 100));
  sys.close(sys.fcntl(file, c.F_DUPFD_CLOEXEC, 100));
  const owner = Buffer.alloc(8);
  owner.writeInt32LE(1, 0);
  owner.writeInt32LE(process.pid, 4);
  sys.fcntl(r, c.F_SETOWN_EX, owner);
  sys.fcntl(r, c.F_GETOWN_EX, owner);
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(c.F_WRLCK, 0);
  lock.writeBigInt64LE(5n, 16);
  sys.fcntl(file, c.F_SETLK, lock);
  sys.fcntl(file, c.F_GETLK, lock);
  sys.fcntl(file, c.F_OFD_SETLK, lock);
  sys.fcntl(file, c.F_OFD_GETLK, lock);
  // Files.
  for (const fd of [file, folder, r, sys.open('/dev/null', c.O_NONBLOCK)]) sys.fstat(fd);
  sys.statx(c.AT_FDCWD, base, c.AT_SYMLINK_NOFOLLOW);
  sys.statx(folder, '', c.AT_EMPTY_PATH | c.AT_STATX_FORCE_SYNC, c.STATX_ALL);
  sys.statx(c.AT_FDCWD, '/tmp', 0, c.STATX_SIZE | c.STATX_MODE);
  tried(() => sys.lseek(r, 0));
  tried(() => sys.lseek(file, 0, 9));
  sys.getrandom(Buffer.alloc(4));
  sys.getrandom(Buffer.alloc(40), 40, c.GRND_NONBLOCK);
  // Sockets.
  const socket = sys.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_CLOEXEC | c.SOCK_NONBLOCK, c.IPPROTO_TCP);
  const local = sys.socket(c.AF_UNIX, c.SOCK_DGRAM | c.SOCK_CLOEXEC);
  sys.socket(c.AF_INET, c.SOCK_DGRAM, c.IPPROTO_UDP);
  sys.socket(c.AF_INET, c.SOCK_DGRAM);
  tried(() => sys.socket(99, c.SOCK_STREAM));
  sys.setsockopt(socket, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
  sys.setsockopt(socket, c.SOL_SOCKET, c.SO_SNDBUF, 8192);
  sys.setsockopt(socket, c.SOL_SOCKET, 13, owner);
  sys.setsockopt(socket, c.SOL_SOCKET, 20, Buffer.alloc(16));
  sys.setsockopt(socket, c.IPPROTO_TCP, c.TCP_NODELAY, 1);
  tried(() => sys.setsockopt(socket, c.IPPROTO_IPV6, c.IPV6_V6ONLY, 1));
  tried(() => sys.setsockopt(socket, 99, 26, 1));
  sys.bind(socket, { family: 'inet', address: '127.0.0.1', port: 0 });
  sys.getsockname(socket);
  tried(() => sys.shutdown(socket, c.SHUT_RDWR));
  sys.bind(local, { family: 'unix', path: base + '.s' });
  sys.getsockname(local);
  // Readiness.
  sys.poll([{ fd: r, events: c.POLLIN }, { fd: w, events: c.POLLOUT | c.POLLPRI }, { fd: -1, events: 0 }], 0);
  sys.poll([{ fd: r, events: c.POLLIN }], 0);
  const epoll = sys.epoll_create1(c.EPOLL_CLOEXEC);
  sys.fstat(epoll);
  sys.epoll_ctl(epoll, c.EPOLL_CTL_ADD, w, { events: c.EPOLLOUT | c.EPOLLET, data: 2 ** 40 + 7 });
  tried(() => sys.epoll_ctl(epoll, c.EPOLL_CTL_ADD, w, { events: c.EPOLLIN, data: -1 }));
  sys.epoll_wait(epoll, 8, 0);
}
const syscallPort = sys.with(trace({ output: (line) => lines.push(line) }));
await create(() => calls(process.argv[1]), { syscallPort }).finished;
console.log(lines.join('\n'));
`;

describe('lines', () => {
  expectTrace(here);

  // Where strace is not installed there is nothing to compare with, and the run says "skipped".
  test.skipIf(spawnSync('strace', ['-V']).error !== undefined)('strace itself shows the same', () => {
    const files = at('strace');
    const program = [process.execPath, '--input-type=module', '-e', COMPARED, at('compared')];
    // -ff: a file for each thread. In one for all, a call of one thread may be cut in two by another's.
    const strace = ['-ff', '-o', files, ...program];
    const { status, stdout, stderr } = spawnSync('strace', strace, { encoding: 'utf8', cwd: PACKAGE });
    expect([status, stderr]).toEqual([0, '']);
    const ours = stdout.trimEnd().split('\n').map(bare);
    const names = fs.readdirSync(folder).filter((name) => name.startsWith('strace.'));
    const theirs = new Set(names.flatMap((name) => fs.readFileSync(at(name), 'utf8').split('\n').map(bare)));
    expect(ours.length).toBeGreaterThan(60);
    expect(ours.filter((line) => !theirs.has(line))).toEqual([]);
  });
});

describe('tracing changes nothing', () => {
  /** What each of fns throws or returns. */
  const outcomes = (fns: (() => unknown)[]): unknown[] => fns.map((fn) => errorOf(fn));

  test(
    'misuse: the caller’s own error, and a line',
    onUserthread(() => {
      const none = undefined as never;
      const fns = [
        () => sys.write(1, 42 as never),
        () => sys.writev(1, [1, 2] as never),
        () => sys.bind(-1, { family: 99, data: new Uint8Array(0) }),
        () => sys.raw(2, {}, 0, 0),
        () => sys.raw(2, '/', Symbol('flags'), {}),
        () => sys.raw(35, Buffer.alloc(3), null),
        () => sys.raw(72, 0, Symbol('command'), null),
        () => sys.raw(7, Buffer.alloc(3), 1, 0),
        () => sys.raw(332, Object.create(null), none, none, none, Buffer.alloc(4)),
        () => sys.raw(400, Symbol('argument'), 2n, 'x', 5),
        () => sys.raw(999, Symbol('argument')),
        () => sys.raw(0),
      ];
      const plain = outcomes(fns);
      let same: unknown;
      const lines = traced(here, () => {
        same = outcomes(fns);
      });
      expect(same).toEqual(plain);
      expect(lines).toEqual([
        'write(1, 42, 0) = ? (TypeError)',
        'writev(1, [1, 2], 2) = ? (TypeError)',
        'bind(-1, {sa_family=0x63 /* AF_??? */}, 2) = -1 EBADF (Bad file descriptor)',
        'open({}, O_RDONLY) = ? (TypeError)',
        'open("/", Symbol(flags), {}) = ? (TypeError)',
        'nanosleep("\\0\\0\\0", NULL) = ? (RangeError)',
        'fcntl(0, Symbol(command), NULL) = ? (TypeError)',
        'poll([], 1, 0) = ? (RangeError)',
        'statx([Object: null prototype] {}, ?, ?, ?, 0x…) = ? (TypeError)',
        "syscall_0x190(Symbol(argument), 2n, 'x', 0x5) = -1 ENOSYS (Function not implemented)",
        'read(?, ?, ?) = ? (TypeError)',
      ]);
    }),
  );

  test(
    'an argument whose code throws, or waits to be run',
    onUserthread(() => {
      const trap = () => {
        throw new Error('not to be called');
      };
      const hostile = { [inspect.custom]: trap, toString: trap, valueOf: trap, [Symbol.toPrimitive]: trap };
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      const lines = traced(here, () => {
        expect(codeOf(() => sys.raw(3, hostile))).toBe('ERR_INVALID_ARG_TYPE');
        expect(() => sys.write(proxy as never, 'text')).toThrow(TypeError);
      });
      expect(lines[1]).toBe('write(<Revoked Proxy>, "text", 4) = ? (TypeError)');
      expect(lines[0]).toMatch(/^close\(\{.*\}\) = \? \(TypeError\)$/s);
    }),
  );

  test.each([
    ['at exit', ''],
    ['on the event loop', 'await new Promise((resolve) => setTimeout(resolve, 20));'],
    ['within a call', 'await run(() => { for (let i = 0; i < 4000; i++) sys.getpid(); });'],
  ])('a full disk, %s: one warning, and the program goes on', (_, more) => {
    const script = `import { run } from '@libcr/core';
      import { sys, syscallPort } from '@libcr/syscalls';
      import { trace } from '@libcr/syscalls/shims/trace';
      syscallPort.shim(trace({ output: '/dev/full' }));
      await run(() => sys.getpid());
      ${more}
      await run(() => sys.getpid());
      console.log('done');`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: PACKAGE,
    });
    expect(stderr).toMatch(
      /^\(node:\d+\) \[LIBCR_TRACE\] Warning: cannot write the trace to \/dev\/full: ENOSPC.*\n(.*trace-warnings.*\n)?$/,
    );
    expect([status, stdout]).toEqual([0, 'done\n']);
  });

  test('standard error is a full disk: nothing can be said, and the program goes on', () => {
    const program = join(import.meta.dirname, '../programs', 'traced.mjs');
    const command = ['-c', 'exec "$0" "$1" 2>/dev/full', process.execPath, program];
    expect(spawnSync('sh', command).status).toBe(7);
  });
});

test('to a file: whole when the program has ended, also by process.exit', async () => {
  const { status, stderr } = await runProgram('traced.mjs', at('trace.txt'));
  expect([status, stderr]).toEqual([7, '']);
  const lines = fs.readFileSync(at('trace.txt'), 'utf8').split('\n');
  expect(lines.length).toBe(1001);
  expect(lines[0]).toMatch(/^\d+ +getpid\(\) = \d+ <\d\.\d{6}>$/);
});

test('to standard error by default', async () => {
  const { stderr } = await runProgram('traced.mjs');
  expect(stderr.split('\n').length).toBe(1001);
});

test(
  'arguments whose own code throws when they are read: the call as without the trace, and a line',
  onUserthread(() => {
    const lines: string[] = [];
    const port = sys.with(trace({ output: (line) => lines.push(bare(line)) }));
    const odd = Object.defineProperty(Buffer.alloc(8), 'byteLength', {
      get() {
        throw new Error('mine');
      },
    });
    const td = create(
      () => {
        const n = sys.raw(c.SYS_getrandom, odd, 4, 0);
        const error = errorOf(() => sys.raw(c.SYS_poll, Buffer.alloc(8), Symbol('count'), 0));
        return [n, error.code];
      },
      { syscallPort: port },
    );
    expect(td.join()).toEqual([4, 'ERR_INVALID_ARG_TYPE']);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^getrandom\(.* = 4$/);
    expect(lines[1]).toMatch(/^poll\(.* = \? \(TypeError\)$/);
  }),
);

test('bad options', () => {
  expect(codeOf(() => trace({ output: 5 as unknown as string }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => trace({ stringLimit: -1 }))).toBe('ERR_OUT_OF_RANGE');
  expect(codeOf(() => trace({ on: ['x' as 'read'] }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeOf(() => trace({ output: '/none/file' }))).toBe('ENOENT');
});
