/** trace-waiting.test.ts: calls that do not return at once, as strace shows them: when they begin to wait, and when they have returned. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { trace } from '../../src/shims/trace/index.ts';
import { onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const PACKAGE = join(import.meta.dirname, '../..');
const bare = (line: string): string => line.replace(/ <[\d.]+>$/, '');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what waits is shown when the event loop goes on, and again when it has returned', async () => {
  const lines: string[] = [];
  const [r, w] = sys.pipe2(c.O_CLOEXEC);
  const syscallPort = sys.with(trace({ output: (line) => lines.push(line) }));
  const td = create(() => sys.read(r, Buffer.alloc(10)), { syscallPort });
  while (lines.length === 0) await turn();
  await turn();
  const id = String(td.id).padEnd(5);
  expect(lines).toEqual([`${id} read(${r},  <unfinished ...>`]);
  sys.write(w, 'late');
  expect(await td.finished).toBe(4);
  expect(lines.slice(1).map(bare)).toEqual([`${id} <... read resumed>"late", 10) = 4`]);
  for (const fd of [r, w]) sys.close(fd);
});

test(
  'it comes before the line of another: each call once; an error, and what was all known before',
  onUserthread(() => {
    const lines: string[] = [];
    const syscallPort = sys.with(trace({ output: (line) => lines.push(line) }));
    const [r, w] = sys.pipe2(c.O_CLOEXEC | c.O_NONBLOCK);
    const pid = process.pid;
    const waiting = Array.from({ length: 3 }, () =>
      create(
        () => {
          try {
            return sys.poll([{ fd: r, events: c.POLLIN }], -1);
          } catch {
            return -1;
          }
        },
        { syscallPort },
      ),
    );
    create(() => sys.getpid(), { syscallPort }).join();
    create(() => sys.getpid(), { syscallPort }).join();
    waiting[0]?.abort();
    waiting[0]?.join();
    sys.write(w, 'x');
    for (const td of waiting) td.join();
    const poll = `poll([{fd=${r}, events=POLLIN}], 1, -1 <unfinished ...>`;
    const text = lines.map((line) => bare(line).replace(/^\d+ +/, ''));
    const ready = `<... poll resumed>) = 1 ([{fd=${r}, revents=POLLIN}])`;
    expect(text).toEqual([
      poll,
      poll,
      poll,
      `getpid() = ${pid}`,
      `getpid() = ${pid}`,
      '<... poll resumed>) = ? (AbortError)',
      ready,
      ready,
    ]);
    for (const fd of [r, w]) sys.close(fd);
  }),
);

test('at the end of the process: what never returned', () => {
  const file = join(folder, 'trace.txt');
  const script = `import { create, curthread } from '@libcr/core';
    import { constants as c, sys } from '@libcr/syscalls';
    import { trace } from '@libcr/syscalls/shims/trace';
    const syscallPort = sys.with(trace({ output: process.argv[1] }));
    const [r, w] = sys.pipe2(c.O_CLOEXEC);
    const waits = (fn) => create(fn, { syscallPort });
    waits(() => sys.read(r, Buffer.alloc(10)));
    waits(() => sys.nanosleep({ sec: 1000, nsec: 0 }));
    // by then the event loop has had its turn
    const later = (turns, then) => (turns === 0 ? then() : setImmediate(later, turns - 1, then));
    later(5, () => {
      waits(() => sys.read(r, Buffer.alloc(7)));
      create(() => process.exit(3));
    });`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, file], {
    encoding: 'utf8',
    cwd: PACKAGE,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  expect([status, stderr]).toEqual([3, '']);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/^\d+ +/, '').replace(/read\(\d+/, 'read(R'))).toEqual([
    'read(R,  <unfinished ...>',
    'nanosleep({tv_sec=1000, tv_nsec=0}, NULL <unfinished ...>',
    '<... read resumed> <unfinished ...>) = ?',
    '<... nanosleep resumed>) = ?',
    'read(R,  <unfinished ...>) = ?',
  ]);
});

test(
  'bytes of every kind and length, without a limit',
  onUserthread(() => {
    const lines: string[] = [];
    const syscallPort = sys.with(trace({ output: (line) => lines.push(line), stringLimit: 2 ** 31 - 1 }));
    const fd = sys.open('/dev/null', c.O_WRONLY);
    const named: Record<number, string> = { 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 34: '"', 92: '\\' };
    /** As C reads it: each escape, one after the other. */
    const shown = (bytes: Buffer): string =>
      Array.from(bytes, (byte, i) => {
        if (named[byte] !== undefined) return `\\${named[byte]}`;
        if (byte >= 32 && byte < 127) return String.fromCharCode(byte);
        const digit = i + 1 < bytes.length && /[0-7]/.test(String.fromCharCode(bytes[i + 1] as number));
        return `\\${byte.toString(8).padStart(digit ? 3 : 1, '0')}`;
      }).join('');
    const all = Buffer.from(
      Array.from({ length: 256 * 11 }, (_, i) =>
        i % 11 === 0 ? i / 11 : i % 11 === 1 ? 0x30 + ((i * 7) % 12) : i & 0xff,
      ),
    );
    for (const bytes of [
      Buffer.alloc(0),
      all.subarray(0, 1),
      all.subarray(0, 256),
      all.subarray(0, 257),
      all,
      Buffer.alloc(1 << 20, 'x'),
    ]) {
      lines.length = 0;
      create(() => sys.write(fd, bytes), { syscallPort }).join();
      expect(bare(lines[0] as string).replace(/^\d+ +/, '')).toBe(
        `write(${fd}, "${shown(bytes)}", ${bytes.length}) = ${bytes.length}`,
      );
    }
    sys.close(fd);
  }),
);
