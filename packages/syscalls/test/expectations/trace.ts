/** trace.ts: what is expected of the trace shim, whoever makes the calls: its lines are strace's. */
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { trace } from '../../src/shims/trace/index.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';
import { under, until, type Way } from './caller.ts';

/** A line without thread, time and strace's padding. */
export const bare = (line: string): string =>
  line
    .replace(/^\d+ +/, '')
    .replace(/ <[\d.]+>$/, '')
    .replace(/\) += /, ') = ');

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
export function traced(way: Way, fn: () => void, stringLimit?: number): string[] {
  const lines: string[] = [];
  under(way, trace({ output: (line) => lines.push(line), stringLimit }), fn);
  const all = whole(lines);
  for (const line of all) expect(line).toMatch(/^\d+ +\w+\(.*\) = .* <\d+\.\d{6}>$/s);
  return all.map(bare);
}

export function expectTrace(way: Way): void {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);

  test(
    'files',
    onUserthread(() => {
      fs.writeFileSync(at('f'), 'text\n');
      let fd = 0;
      const lines = traced(way, () => {
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
      const lines = traced(way, () => {
        const [r, w] = sys.pipe2(c.O_CLOEXEC);
        sys.write(w, 'late');
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
    'long data is cut, binary is octal; all of it without a limit',
    onUserthread(() => {
      const line = (data: string | Buffer, limit?: number): string => {
        const write = (): void => {
          const fd = sys.open('/dev/null', c.O_WRONLY);
          sys.write(fd, data);
          sys.close(fd);
        };
        return (traced(way, write, limit)[1] as string).replace(/^write\(\d+/, 'write(N');
      };
      expect(line('x'.repeat(33))).toBe(`write(N, "${'x'.repeat(32)}"..., 33) = 33`);
      expect(line(Buffer.from([0, 0x31, 255]), 3)).toBe('write(N, "\\0001\\377", 3) = 3');
      expect(line('abc', 0)).toBe('write(N, ""..., 3) = 3');
      expect(line('y'.repeat(50_000), 2 ** 31 - 1)).toBe(`write(N, "${'y'.repeat(50_000)}", 50000) = 50000`);
    }),
  );

  test(
    'what waits is shown when it has begun, and again when it has returned; so is what was interrupted',
    onUserthread(() => {
      const lines: string[] = [];
      const caller = way.begin([trace({ output: (line) => lines.push(line), on: ['read', 'getpid'] })]);
      const [r, w] = caller.inside(() => sys.pipe2(c.O_CLOEXEC));
      const td = caller.create(() => sys.read(r, Buffer.alloc(10)));
      until(() => lines.length === 1);
      caller.inside(() => sys.getpid());
      caller.inside(() => sys.write(w, 'late'));
      expect(td.join()).toBe(4);
      const interrupted = caller.create(() => codeOf(() => sys.read(r, Buffer.alloc(7))));
      until(() => lines.length === 4);
      caller.interrupt(interrupted);
      interrupted.join();
      if (!way.isProgram) for (const fd of [r, w]) sys.close(fd);
      caller.end();
      expect(lines.map(bare)).toEqual([
        `read(${r},  <unfinished ...>`,
        `getpid() = ${caller.pid}`,
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
    const made = await onUserthread(() => {
      const caller = way.begin([trace({ output })]);
      const fd = caller.inside(() => sys.open(at('made'), c.O_RDWR | c.O_CREAT, 0o600));
      const seen = caller.inside(() => {
        sys.close(fd);
        return [fd > 2, sys.getpid()];
      });
      caller.end();
      return [...seen, caller.pid];
    })();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', hear);
    expect(made).toEqual([true, made[2], made[2]]);
    expect(lines).toBe(1);
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'LIBCR_TRACE',
        message: 'cannot write the trace to options.output: no more paper; the program goes on untraced',
      }),
    ]);
  });
}
