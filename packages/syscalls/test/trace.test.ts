/** trace.test.ts: the trace shim's lines are strace's. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { create, sleep } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { trace } from '../src/shims/trace/index.ts';
import { codeOf, errorOf, onUserthread, runProgram, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
/** Where a program given to node with -e finds @libcr/*. */
const PACKAGE = join(import.meta.dirname, '..');

/** A line without thread, time and strace's padding. */
const bare = (line: string): string =>
  line
    .replace(/^\d+ +/, '')
    .replace(/ <[\d.]+>$/, '')
    .replace(/\) += /, ') = ');

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

/** Calls that have been shown in two parts, in one, where they returned. */
function whole(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const [, start, thread] = /^((\d+) +\w+\(.*) <unfinished \.\.\.>$/s.exec(line) ?? [];
    if (start !== undefined) {
      begun.set(thread as string, start);
      return [];
    }
    const [, of, rest] = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/s.exec(line) ?? [];
    return [rest === undefined ? line : `${begun.get(of as string)}${rest}`];
  });
}

/** The lines of what fn does, without thread and time. */
function traced(fn: () => void, stringLimit?: number): string[] {
  const lines: string[] = [];
  const shim = trace({ output: (line) => lines.push(line), stringLimit });
  create(fn, { syscallPort: sys.with(shim) }).join();
  const all = whole(lines);
  for (const line of all) expect(line).toMatch(/^\d+ +\w+\(.*\) = .* <\d+\.\d{6}>$/s);
  return all.map(bare);
}

describe('lines', () => {
  test(
    'files',
    onUserthread(() => {
      fs.writeFileSync(at('f'), 'text\n');
      let fd = 0;
      const lines = traced(() => {
        fd = sys.open(at('f'), c.O_RDWR | c.O_CREAT | c.O_CLOEXEC, 0o640);
        sys.read(fd, Buffer.alloc(100));
        sys.write(fd, 'a"b\\c\té\x011');
        sys.pread64(fd, Buffer.alloc(2), 2, 1);
        sys.lseek(fd, 0, c.SEEK_END);
        sys.ftruncate(fd, 3);
        sys.fstat(fd);
        sys.fcntl(fd, c.F_GETFL);
        sys.fcntl(fd, c.F_SETFD, c.FD_CLOEXEC);
        sys.writev(fd, [Buffer.from('ab'), Buffer.from('c')]);
        sys.close(fd);
        codeOf(() => sys.openat(c.AT_FDCWD, at('none')));
        codeOf(() => sys.rename('/none/a', '/none/b'));
        sys.statx(c.AT_FDCWD, at('f'), c.AT_SYMLINK_NOFOLLOW);
      });
      expect(lines).toEqual([
        `open("${at('f')}", O_RDWR|O_CREAT|O_CLOEXEC, 0640) = ${fd}`,
        `read(${fd}, "text\\n", 100) = 5`,
        `write(${fd}, "a\\"b\\\\c\\t\\303\\251\\0011", 10) = 10`,
        `pread64(${fd}, "ex", 2, 1) = 2`,
        `lseek(${fd}, 0, SEEK_END) = 15`,
        `ftruncate(${fd}, 3) = 0`,
        `fstat(${fd}, {st_mode=S_IFREG|0644, st_size=3, ...}) = 0`,
        `fcntl(${fd}, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)`,
        `fcntl(${fd}, F_SETFD, FD_CLOEXEC) = 0`,
        `writev(${fd}, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=1}], 2) = 3`,
        `close(${fd}) = 0`,
        `openat(AT_FDCWD, "${at('none')}", O_RDONLY) = -1 ENOENT (No such file or directory)`,
        'rename("/none/a", "/none/b") = -1 ENOENT (No such file or directory)',
        expect.stringMatching(
          /^statx\(AT_FDCWD, ".*", AT_STATX_SYNC_AS_STAT\|AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, \{stx_mask=.*, stx_attributes=.*, stx_mode=S_IFREG\|0644, stx_size=18, \.\.\.\}\) = 0$/,
        ),
      ]);
    }),
  );

  test(
    'pipes, sockets, time',
    onUserthread(() => {
      const lines = traced(() => {
        const [r, w] = sys.pipe2(c.O_CLOEXEC);
        create(() => {
          sleep(1);
          sys.write(w, 'late');
        });
        sys.read(r, Buffer.alloc(10));
        sys.poll([{ fd: w, events: c.POLLOUT | c.POLLIN }], 0);
        sys.nanosleep({ sec: 0, nsec: 5 });
        const fd = sys.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_CLOEXEC);
        sys.bind(fd, { family: 'inet', address: '127.0.0.1', port: 0 });
        codeOf(() => sys.connect(fd, { family: 'unix', path: '\0abstract' }));
        for (const open of [r, w, fd]) sys.close(open);
      });
      const number = /\b(?:[2-9]\d|1\d)\b(?=[,)\]]|$)/g;
      expect(lines.slice(0, 8).map((line) => line.replace(number, 'N').replace(/fd=\d+/g, 'fd=N'))).toEqual([
        'pipe2([N, N], O_CLOEXEC) = 0',
        'write(N, "late", 4) = 4',
        'read(N, "late", N) = 4',
        'poll([{fd=N, events=POLLIN|POLLOUT}], 1, 0) = 1 ([{fd=N, revents=POLLOUT}])',
        'nanosleep({tv_sec=0, tv_nsec=5}, NULL) = 0',
        'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N',
        'bind(N, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, N) = 0',
        'connect(N, {sa_family=AF_UNIX, sun_path=@"abstract"}, N) = -1 EINVAL (Invalid argument)',
      ]);
    }),
  );

  test(
    'long data is cut, binary is octal',
    onUserthread(() => {
      const fd = sys.open('/dev/null', c.O_WRONLY);
      expect(traced(() => sys.write(fd, 'x'.repeat(33)))).toEqual([
        `write(${fd}, "${'x'.repeat(32)}"..., 33) = 33`,
      ]);
      expect(traced(() => sys.write(fd, Buffer.from([0, 0x31, 255])), 3)).toEqual([
        `write(${fd}, "\\0001\\377", 3) = 3`,
      ]);
      expect(traced(() => sys.write(fd, 'abc'), 0)).toEqual([`write(${fd}, ""..., 3) = 3`]);
      sys.close(fd);
    }),
  );

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
      const lines = traced(() => {
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
      const lines = traced(() => {
        expect(codeOf(() => sys.raw(3, hostile))).toBe('ERR_INVALID_ARG_TYPE');
        expect(() => sys.write(proxy as never, 'text')).toThrow(TypeError);
      });
      expect(lines[1]).toBe('write(<Revoked Proxy>, "text", 4) = ? (TypeError)');
      expect(lines[0]).toMatch(/^close\(\{.*\}\) = \? \(TypeError\)$/s);
    }),
  );

  test('an output that throws: a warning, no more lines, and the call has its answer', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', hear);
    let lines = 0;
    const output = (): void => {
      lines++;
      throw new Error('no more paper');
    };
    const port = sys.with(trace({ output }));
    const numbers = await create(
      () => {
        const fd = sys.open(at('made'), c.O_RDWR | c.O_CREAT, 0o600);
        sys.close(fd);
        return [fd, sys.getpid()];
      },
      { syscallPort: port },
    ).finished;
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', hear);
    expect(numbers).toEqual([expect.any(Number), process.pid]);
    expect(numbers[0]).toBeGreaterThan(2);
    expect(lines).toBe(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      code: 'LIBCR_TRACE',
      message: 'cannot write the trace to options.output: no more paper; the program goes on untraced',
    });
  });

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
    const program = join(import.meta.dirname, 'programs', 'traced.mjs');
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
