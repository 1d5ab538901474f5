/** trace.test.ts: what trace.test.ts and trace-waiting.test.ts of @libcr/syscalls expect, of the calls of a program: its lines are strace's. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, wait } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { trace } from '@libcr/syscalls/shims/trace';
import { expect, test } from 'vitest';
import { codeOf, onUserthread } from '../../../syscalls/test/support.ts';
import { scratch } from '../programs.ts';
import { ToldProgram, underProgram } from './made-by-program.ts';

const at = (name: string): string => join(scratch, name);

/** A line without thread and time. */
const bare = (line: string): string => line.replace(/^\d+ +/, '').replace(/ <[\d.]+>$/, '');

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
  underProgram(trace({ output: (line) => lines.push(line), stringLimit }), fn);
  const all = whole(lines);
  for (const line of all) expect(line).toMatch(/^\d+ +\w+\(.*\) = .* <\d+\.\d{6}>$/s);
  return all.map(bare);
}

test(
  'files',
  onUserthread(() => {
    writeFileSync(at('f'), 'text\n');
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
      sys.write(w, 'text');
      sys.read(r, Buffer.alloc(10));
      sys.poll([{ fd: w, events: c.POLLOUT | c.POLLIN }], 0);
      sys.nanosleep({ sec: 0, nsec: 5 });
      const fd = sys.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_CLOEXEC);
      sys.bind(fd, { family: 'inet', address: '127.0.0.1', port: 0 });
      codeOf(() => sys.connect(fd, { family: 'unix', path: '\0abstract' }));
      for (const open of [r, w, fd]) sys.close(open);
    });
    const number = /\b(?:[7-9]|\d\d)\b(?=[,)\]]|$)/g;
    expect(lines.slice(0, 8).map((line) => line.replace(number, 'N').replace(/fd=\d+/g, 'fd=N'))).toEqual([
      'pipe2([N, N], O_CLOEXEC) = 0',
      'write(N, "text", 4) = 4',
      'read(N, "text", N) = 4',
      'poll([{fd=N, events=POLLIN|POLLOUT}], 1, 0) = 1 ([{fd=N, revents=POLLOUT}])',
      'nanosleep({tv_sec=0, tv_nsec=5}, NULL) = 0',
      'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N',
      'bind(N, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, N) = 0',
      'connect(N, {sa_family=AF_UNIX, sun_path=@"abstract"}, N) = -1 EINVAL (Invalid argument)',
    ]);
  }),
);

test(
  'long data is cut, binary is octal; all of it without a limit, but for what no slot has room for',
  onUserthread(() => {
    const line = (data: string | Buffer, limit?: number): string =>
      traced(() => sys.write(sys.open('/dev/null', c.O_WRONLY), data), limit)[1] as string;
    expect(line('x'.repeat(33))).toMatch(
      new RegExp(`^write\\(\\d+, "${'x'.repeat(32)}"\\.\\.\\., 33\\) = 33$`),
    );
    expect(line(Buffer.from([0, 0x31, 255]), 3)).toMatch(/^write\(\d+, "\\0001\\377", 3\) = 3$/);
    expect(line('abc', 0)).toMatch(/^write\(\d+, ""\.\.\., 3\) = 3$/);
    const long = 'y'.repeat(50_000);
    expect(line(long, 2 ** 31 - 1)).toMatch(/^write\(\d+, "y{50000}", 50000\) = 50000$/);
  }),
);

test(
  'what waits is shown when it has begun, and again when it has returned; what a killed program never answered',
  onUserthread(() => {
    const lines: string[] = [];
    const program = new ToldProgram([trace({ output: (line) => lines.push(line), on: ['read', 'getpid'] })]);
    const [r, w] = program.inside(() => sys.pipe2(c.O_CLOEXEC));
    const td = program.create(() => sys.read(r, Buffer.alloc(10)));
    while (lines.length === 0) sleep(1);
    program.inside(() => sys.getpid());
    program.inside(() => sys.write(w, 'late'));
    expect(td.join()).toBe(4);
    const killed = program.create(() => codeOf(() => sys.read(r, Buffer.alloc(7))));
    while (lines.length < 4) sleep(1);
    process.kill(program.pid, 'SIGKILL');
    killed.join();
    wait(program.end());
    expect(lines.map(bare)).toEqual([
      `read(${r},  <unfinished ...>`,
      `getpid() = ${program.pid}`,
      '<... read resumed>"late", 10) = 4',
      `read(${r},  <unfinished ...>`,
      expect.stringMatching(/^<\.\.\. read resumed>.*\) = \? \(AbortError\)$/),
    ]);
    expect(lines.every((line) => /^\d+ /.test(line))).toBe(true);
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
  const made = await onUserthread(() =>
    underProgram(trace({ output }), () => {
      const fd = sys.open(at('made'), c.O_RDWR | c.O_CREAT, 0o600);
      sys.close(fd);
      return [fd > 2, sys.getppid()];
    }),
  )();
  process.off('warning', hear);
  expect(made).toEqual([true, process.pid]);
  expect(lines).toBe(1);
  expect(warnings).toEqual([
    expect.objectContaining({
      code: 'LIBCR_TRACE',
      message: 'cannot write the trace to options.output: no more paper; the program goes on untraced',
    }),
  ]);
});
