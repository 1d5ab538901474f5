/**
 * trace.test.ts: --trace prints what strace -f prints into a file, line by line, for programs with one thread. Left out are addresses, process numbers and random bytes;
 * strace's comments with dates; and rseq, which libcr answers with ENOSYS.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, scratch, underLibcr } from '../programs.ts';

const hasStrace = has('strace');
const file = join(scratch, 'trace');
const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\d+ +rseq\(/.test(line))
    .map((line) =>
      line
        .replace(/^\d+ +/, '')
        .replace(/0x[0-9a-f]{5,}/g, 'ADDRESS')
        .replace(/ \/\* [-\dT:.]+\+0000 \*\//g, '')
        .replace(/"(\\x[0-9a-f]{2})+"/g, 'RANDOM')
        .replace(/\) += /, ') = ')
        .replace(/^((getp*id|gettid|set_tid_address)\(.*\)) = \d+$/, '$1 = PID')
        .replace(/^(t?g?kill\(|rt_sigqueueinfo\()\d+(, \d+)?/, '$1PID')
        .replace(/si_pid=\d+/g, 'si_pid=PID'),
    );
}

/** Without a core, which strace knows of and libcr can't. */
const withoutCore = (command: string[]) => ['sh', '-c', 'ulimit -c 0; "$0" "$@" || exit $?', ...command];

/** What a tracer writes about a program in a folder of its own. */
function traced(tracer: string[], program: string, args: string[], seconds = 120): string[] {
  const cwd = join(scratch, 'folder');
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  const [command, ...options] = withoutCore([
    'timeout',
    '-s',
    'KILL',
    `${seconds}`,
    ...tracer,
    program,
    ...args,
  ]);
  try {
    execFileSync(command as string, options, { cwd, env, stdio: 'ignore' });
  } catch (error) {
    if ((error as { status?: number | null }).status == null) throw error; // others end with what they like
  }
  return lines(readFileSync(file, 'utf8'));
}

const strace = (program: string, args: string[], seconds?: number) =>
  traced(['strace', '-f', '-o', file], program, args, seconds);
const libcr = (program: string, args: string[], seconds?: number) =>
  traced([launcherPath(), `--trace=${file}`, '--'], program, args, seconds);

describe.skipIf(!hasStrace)(`as strace${hasStrace ? '' : ' (it is not here)'}`, () => {
  test.each<[string, string[], number]>([
    ['/bin/true', [], 20],
    ['/bin/cat', ['/etc/passwd', '/nosuch'], 30],
    ['/bin/ls', ['-l', '/etc'], 50],
    ['/usr/bin/head', ['-c', '100', '/bin/ls'], 30],
    ['/bin/sh', ['-c', 'umask 27; cd /; echo x; kill -0 $$; trap "echo trapped" USR1; exit 300'], 30],
  ])('%s', (program, args, least) => {
    const native = strace(program, args);
    expect(native.length).toBeGreaterThan(least);
    expect(libcr(program, args)).toEqual(native);
  });

  test.each([
    ['calls', 150],
    ['structs', 80],
  ])('a program with calls of all kinds: %s', (name, least) => {
    const program = compile(name);
    const native = strace(program, []);
    expect(native.length).toBeGreaterThan(least);
    expect(libcr(program, [])).toEqual(native);
  });

  test.each(['', 'term', 'raise', 'segv', 'trap', 'abort', 'realtime', 'alarm'])(
    'signals, what they end, and the end by one: %s',
    (how) => {
      const program = compile('signals/signalled');
      // An alarm that comes before the call that it is to end: the program waits for ever, or does something else. Then once more, with later alarms.
      const inTime = (ms: number): boolean => {
        try {
          const native = strace(program, [how, String(ms)], 5 + ms * 0.06);
          const under = libcr(program, [how, String(ms)], 5 + ms * 0.06);
          expect(native.filter((line) => line.startsWith('--- ')).length).toBeGreaterThanOrEqual(9);
          expect(native.at(-2)).toMatch(how === '' ? /^\+\+\+ exited with 4/ : /^\+\+\+ killed by SIG/);
          expect(under).toEqual(native);
          return true;
        } catch (error) {
          if (ms >= 1000) throw error;
          return false;
        }
      };
      expect([10, 100, 1000].some(inTime)).toBe(true);
    },
  );
});

test('a call of an lwp while another has something to say: unfinished, and resumed', async () => {
  await underLibcr(compile('unfinished'), [], { options: [`--trace=${file}`] });
  const text = readFileSync(file, 'utf8');
  const [, tid] = /clone3\(\{flags=.* => \{parent_tid=\[(\d+)\]\}, 88\) = \1\n/.exec(text) ?? [];
  expect(text).toMatch(new RegExp(`^${tid} read\\(\\d+,  <unfinished \\.\\.\\.>$`, 'm'));
  expect(text).toMatch(new RegExp(`^${tid} <\\.\\.\\. read resumed>"x", 1\\) += 1$`, 'm'));
  expect(text).toMatch(/ \+\+\+ exited with 0 \+\+\+\n/);
  const end =
    / exit_group\(3\) += \?\n(\d+) <\.\.\. read resumed> <unfinished \.\.\.>\) += \?\n\1 \+\+\+ exited with 3 \+\+\+\n(\d+) +\+\+\+ exited with 3 \+\+\+\n$/;
  expect(text).toMatch(end);
  const begun = text.match(/<unfinished \.\.\.>$/gm)?.length;
  expect(text.match(/ resumed>/g)).toHaveLength(begun as number);
});

test('a signal from outside that ends a program', async () => {
  await underLibcr('/bin/sh', ['-c', 'kill -HUP $$ & wait; wait'], {
    options: [`--trace=${file}`],
  });
  expect(readFileSync(file, 'utf8')).toMatch(
    /^(\d+) +--- SIGHUP \{si_signo=SIGHUP, si_code=SI_USER, si_pid=\d+, si_uid=\d+\} ---\n(.*\n)*?\1 +\+\+\+ killed by SIGHUP \+\+\+$/m,
  );
});

test('children too, each line whole and with its process; a call that a signal has ended', async () => {
  const script = '/bin/echo a | /bin/cat; (exit 3); trap : TERM; (sleep 0.1; kill -TERM $$) & wait';
  await underLibcr('/bin/sh', ['-c', script], { options: [`--trace=${file}`] });
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(
    /^\d+ +execve\("\/bin\/cat", \["\/bin\/cat"\], 0x[0-9a-f]+ \/\* \d+ vars \*\/\) = 0$/m,
  );
  expect(text).toMatch(/^\d+ +wait4\(-1, \[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 3\}\], .*\) = \d+$/m);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^\d+ +(\w+\(.*\) += .+|\+\+\+ exited with \d+ \+\+\+|--- SIG\w+ \{.*\} ---|\w+\(.* <unfinished \.\.\.>|<\.\.\. \w+ resumed>.*\) += .+)$/,
    );
  expect(new Set(text.match(/^\d+/gm)).size).toBeGreaterThanOrEqual(5);
});

test('--trace-format=json: an object in each line', async () => {
  const options = [`--trace=${file}`, '--trace-format=json'];
  await underLibcr('/bin/sh', ['-c', '/bin/cat "/no\\"such\n"; exit 2'], { options });
  const calls = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const opened = calls.find(({ name, args }) => name === 'openat' && args[1].includes('such'));
  expect(opened).toEqual({
    pid: expect.any(Number),
    tid: opened.pid,
    name: 'openat',
    args: ['AT_FDCWD', '"/no\\"such\\n"', 'O_RDONLY'],
    result: -1,
    errno: 'ENOENT',
  });
  expect(calls[0]).toMatchObject({
    name: 'execve',
    args: ['"/bin/sh"', expect.any(String), expect.any(String)],
    result: 0,
  });
  expect(calls.at(-1)).toMatchObject({ name: 'exit_group', args: ['2'], result: null });
});
