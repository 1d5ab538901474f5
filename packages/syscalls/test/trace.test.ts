/** trace.test.ts: the trace shim's lines are strace's. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { create, sleep } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { trace } from '../src/shims/trace.ts';
import { codeOf, onUserthread, runProgram, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

/** The lines of what fn does, without thread and time. */
function traced(fn: () => void, stringLimit?: number): string[] {
  const lines: string[] = [];
  const shim = trace({ output: (line) => lines.push(line), stringLimit });
  create(fn, { syscallPort: sys.with(shim) }).join();
  for (const line of lines) expect(line).toMatch(/^\d+ +\w+\(.*\) = .* <\d+\.\d{6}>$/s);
  return lines.map((line) => line.replace(/^\d+ +/, '').replace(/ <[\d.]+>$/, ''));
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
        `fcntl(${fd}, F_GETFL) = 32770`,
        `fcntl(${fd}, F_SETFD, FD_CLOEXEC) = 0`,
        `writev(${fd}, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=1}], 2) = 3`,
        `close(${fd}) = 0`,
        `openat(AT_FDCWD, "${at('none')}", O_RDONLY) = -1 ENOENT (No such file or directory)`,
        'rename("/none/a", "/none/b") = -1 ENOENT (No such file or directory)',
        expect.stringMatching(
          /^statx\(AT_FDCWD, ".*", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, \{stx_mask=.*, stx_mode=S_IFREG\|0644, stx_size=18, \.\.\.\}\) = 0$/,
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
      expect(lines.slice(0, 8).map((line) => line.replace(number, 'N').replace(/fd=\d+/, 'fd=N'))).toEqual([
        'pipe2([N, N], O_CLOEXEC) = 0',
        'write(N, "late", 4) = 4',
        'read(N, "late", N) = 4',
        'poll([{fd=N, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1',
        'nanosleep({tv_sec=0, tv_nsec=5}, NULL) = 0',
        'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = N',
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
  test.skipIf(spawnSync('strace', ['-V']).error !== undefined)(
    'strace itself shows the same text',
    onUserthread(() => {
      const script = `fs.mkdirSync('${at('m')}', 0o750); fs.rmdirSync('${at('m')}')`;
      const command = ['-f', '-e', 'trace=mkdir,rmdir', process.execPath, '-e', script];
      const { stderr } = spawnSync('strace', command, { encoding: 'utf8' });
      const lines = traced(() => {
        sys.mkdir(at('m'), 0o750);
        sys.rmdir(at('m'));
      });
      for (const line of lines) expect(stderr.replace(/ +=/g, ' =')).toContain(line);
    }),
  );
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

test('bad options', () => {
  expect(codeOf(() => trace({ output: 5 as unknown as string }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => trace({ stringLimit: -1 }))).toBe('ERR_OUT_OF_RANGE');
  expect(codeOf(() => trace({ on: ['x' as 'read'] }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeOf(() => trace({ output: '/none/file' }))).toBe('ENOENT');
});
