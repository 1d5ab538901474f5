/**
 * recording.test.ts: --record and --replay: a program's output byte for byte, with its files, its network and its clock gone; what differs is named; a recording goes as far as
 * it was written.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, natively, type Result, type RunOptions, scratch, underLibcr } from '../programs.ts';

const folder = () => mkdtempSync(join(scratch, 'recording-'));

function record(
  program: string,
  args: string[] = [],
  options: RunOptions = {},
): Promise<{ file: string; ran: Result }> {
  const file = join(folder(), 'file');
  return underLibcr(program, args, { ...options, options: [`--record=${file}`] }).then((ran) => ({
    file,
    ran,
  }));
}

const replay = (file: string, more: string[] = [], options: RunOptions = {}): Promise<Result> =>
  natively(launcherPath(), [`--replay=${file}`, ...more], options);

/** Both runs end alike; what the first has printed is in `ran`. */
async function recordsAndReplays(
  program: string,
  args: string[] = [],
  options: RunOptions = {},
): Promise<Result> {
  const { file, ran } = await record(program, args, options);
  expect(await replay(file, [], { cwd: '/', env: { TZ: 'Asia/Tokyo' } })).toEqual(ran);
  return ran;
}

test('a file that is gone', async () => {
  const at = folder();
  const input = join(at, 'input');
  writeFileSync(input, 'what was there\n'.repeat(5000));
  const { file, ran } = await record('/bin/cat', [input]);
  rmSync(input);
  expect(ran).toEqual({ status: 0, signal: null, stdout: 'what was there\n'.repeat(5000), stderr: '' });
  expect(await replay(file)).toEqual(ran);
});

const limited = (bytes: number | string, args: string[]): Promise<Result> =>
  natively('prlimit', [`--fsize=${bytes}`, launcherPath(), ...args]);

test('a file that may not get longer: the program goes on, and the replay says where the recording ends', async () => {
  const script =
    'trap "echo a signal" XFSZ; i=0; while [ $i -lt 60 ]; do /bin/echo $i; echo of the shell $i; i=$((i+1)); done; echo end; exit 3';
  const { file, ran } = await record('/bin/sh', ['-c', script]);
  const length = statSync(file).size;
  const beginning = statSync((await record('/bin/sh', ['-c', ':'])).file).size;
  const limits = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(beginning + (length - beginning) * part));
  for (const limit of [...limits, beginning >> 1]) {
    const cut = join(folder(), 'cut');
    const told = await limited(limit, [`--record=${cut}`, '--', '/bin/sh', '-c', script]);
    expect(told).toEqual({
      ...ran,
      stderr: 'libcr: record: the recording ends here, and the program goes on: File too large\n',
    });
    expect(statSync(cut).size).toBeLessThanOrEqual(limit);
    const { stdout, stderr, status } = await replay(cut);
    expect(status).toBe(125);
    expect(stderr).toMatch(
      / could not be written any further( \(File too large\)| before this program began)\n$/,
    );
    expect(ran.stdout.startsWith(stdout)).toBe(true);
    if (limit === limits[4]) expect(stdout).toMatch(/^0\nof the shell 0\n1\n/);
  }
});

test('a file that may not even begin: nothing is run. What is no file is not limited', async () => {
  const file = join(folder(), 'file');
  const { stdout, stderr, status } = await limited('1000:unlimited', [
    `--record=${file}`,
    '--',
    '/bin/echo',
    'x',
  ]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 125 });
  expect(stderr).toBe('libcr: record: the recording would be longer than a file may be (ulimit -f)\n');
  const { file: whole, ran } = await record('/bin/echo', ['x']);
  expect(await limited('0:unlimited', [`--replay=${whole}`])).toEqual(ran);
  const schedule = ['--schedule=seed:1', '--', '/bin/sh', '-c', 'echo a | cat; sleep 1000'];
  expect(await limited('0:unlimited', schedule)).toMatchObject({ stdout: 'a\n', stderr: '', status: 0 });
  const comm =
    'import threading; threading.Thread(target=lambda: print(open("/proc/self/task/%d/comm" % threading.get_native_id()).read())).start()';
  if (has('python3'))
    expect((await limited('0:unlimited', ['--', 'python3', '-c', comm])).stdout).toMatch(/^\w+\n\n$/);
});

test('the clock', async () => {
  const { stdout } = await recordsAndReplays('/bin/date', ['+%s.%N']);
  expect(stdout).toMatch(/^\d+\.\d{9}\n$/);
});

test('standard input', async () => {
  const { stdout } = await recordsAndReplays('/bin/sh', ['-c', 'read a; read b; echo "$b $a"'], {
    input: 'one\ntwo\n',
  });
  expect(stdout).toBe('two one\n');
});

test('threads: the order in which they ran, clocks, random numbers, addresses', async () => {
  const program = compile('recorded/threads');
  const first = await recordsAndReplays(program);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout).toMatch(/^[a-f]{240}\n\d \d+\.\d{9} \d+ 0x[0-9a-f]+\n$/);
});

test('threads that begin when others have had their turns', async () => {
  const sum = 40 * 5 + 3 * ((39 * 40) / 2);
  expect(await recordsAndReplays(compile('recorded/late'))).toMatchObject({ status: 0, stdout: `${sum}\n` });
});

test('signals: where they came', async () => {
  const ran = await recordsAndReplays(compile('recorded/signals'));
  expect(ran).toMatchObject({ status: null, signal: 'SIGTERM', stderr: '' });
  expect(ran.stdout).toMatch(
    /^\d alarms in \d+ rounds\nInterrupted system call with \d+ ns left\n1\nwaited for 12\n7\n-1 Interrupted system call\n14\nfault at 0x8\n$/,
  );
});

test('locks with priority inheritance: words that change while others wait', async () => {
  const ran = await recordsAndReplays(compile('processes/inheriting'), ['3', 'alone']);
  expect(ran).toEqual({ status: 0, signal: null, stdout: 'one process: 0 wrong\n', stderr: '' });
});

test("signals on each other's heels, for threads that compute", async () => {
  expect(await recordsAndReplays(compile('processes/flags'), ['30'])).toMatchObject({
    status: 0,
    stdout: '0 wrong\n',
  });
});

test('what an instruction raises, and nobody handles: the recording has it, and a replay that raises one by itself says so', async () => {
  const { file, ran } = await record(compile('recorded/faults'));
  expect(ran).toMatchObject({ status: null, signal: 'SIGSEGV', stderr: '' });
  expect(await replay(file)).toEqual(ran);
  const { file: other } = await record(compile('recorded/faults', ['-DHARMLESS']));
  const { status, stderr } = await replay(other, [compile('recorded/faults')]);
  expect(status).toBe(125);
  expect(stderr).toMatch(
    /differs: something else happens\n.*recorded: \[\d+\] getppid\(\) = \d+\n.*now: {6}\[\d+\] an instruction has raised a signal\n$/s,
  );
});

test('timers, and clocks of CPU time', async () => {
  const ran = await recordsAndReplays(compile('threads/clocks'));
  expect(ran).toMatchObject({ status: 0, stdout: expect.stringMatching(/a child begins anew: yes\n$/) });
});

test('threads that compute until their process ends', async () => {
  expect(await recordsAndReplays(compile('threads/turns'), ['sleeper'])).toMatchObject({ status: 0 });
});

test("the processor's counter", async () => {
  const ran = await recordsAndReplays(compile('recorded/counter'));
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^(\d+ \d+ \d+ \d+\n){2}$/);
});

test('memory that processes share is said', async () => {
  const { ran } = await record(compile('recorded/shared'));
  expect(ran).toMatchObject({
    status: 0,
    stderr:
      'libcr: record: memory is shared with another process: what that writes there is not in the recording\n',
  });
});

test('buffers, messages, epoll, mapped files, memory that moves', async () => {
  const input = join(folder(), 'input');
  writeFileSync(input, 'abcdefghijklmnopqrstuvwxyz'.repeat(400));
  const { file, ran } = await record(compile('recorded/spread'), [input]);
  rmSync(input);
  expect(ran).toMatchObject({ status: 0 });
  expect(ran.stdout).toMatch(
    /^14 abcde fghijklmn\n!bcdefghij 0\n1 42\npassed \d+ 10400\nkept 0x[0-9a-f]+ 0x[0-9a-f]+\n$/,
  );
  const again = await replay(file);
  expect(again).toEqual({ ...ran, stderr: '' });
});

test('memory calls that failed, where they would not now', async () => {
  const { stdout } = await recordsAndReplays(compile('recorded/limits'));
  expect(stdout).toBe(
    [
      "a file's memory is to be written: Permission denied",
      'a hole is protected: Cannot allocate memory',
      'at no page: Invalid argument',
      'brk: Cannot allocate memory',
      'mmap: Cannot allocate memory',
      'mremap: Cannot allocate memory',
      'the break is where it was: done\n',
    ].join('\n'),
  );
});

test('a pipeline: all of its processes, each replayed by itself', async () => {
  const ran = await recordsAndReplays('/bin/sh', [
    '-c',
    'for i in 1 2 3; do echo $i $$ | cat | tr 0-9 a-j; done; date +%N; (exit 3); echo $?; /bin/ls / | wc -l; exit 4',
  ]);
  expect(ran).toMatchObject({ status: 4, stderr: '' });
});

test('a child that ends with 125 by itself does what was recorded', async () => {
  const ran = await recordsAndReplays('/bin/sh', ['-c', '(exit 125); echo $?; exit 3']);
  expect(ran).toEqual({ status: 3, signal: null, stdout: '125\n', stderr: '' });
});

test('what ran without libcr is said where it is missing', async () => {
  const program = join(folder(), 'set-user-id');
  copyFileSync('/bin/echo', program);
  chmodSync(program, 0o4755);
  const sentence =
    /^libcr: replay: process \d+ ran without libcr from here on: what it did is not in the recording\n$/;
  const { file, ran } = await record('/bin/sh', ['-c', `${program} a; echo b; (exit 4); echo $?; exit 3`]);
  expect(ran).toMatchObject({ status: 3, stdout: 'a\nb\n4\n' });
  const again = await replay(file);
  expect(again).toMatchObject({ status: 3, stdout: 'b\n4\n', stderr: expect.stringMatching(sentence) });
  const { file: itself } = await record('/bin/sh', ['-c', `exec ${program} a`]);
  expect(await replay(itself)).toMatchObject({
    ...{ status: 125, stdout: '' },
    stderr: expect.stringMatching(sentence),
  });
  const tooLong = `${program} "$(head -c 200000 /dev/zero | tr '\\0' a)" 2>/dev/null; echo $?; exit 5`;
  const failed = await record('/bin/sh', ['-c', tooLong]);
  expect(failed.ran).toMatchObject({ status: 5, stdout: '126\n' });
  expect(await replay(failed.file)).toMatchObject({ status: 5, stdout: '126\n', stderr: '' });
});

test('a part of a recording is damaged: what comes of it is what was, or it is said, and at once', async () => {
  const { file, ran } = await record('/bin/sh', [
    '-c',
    'echo one | /bin/cat; (/bin/echo two; exit 4); echo $?; echo three & wait; echo four; exit 3',
  ]);
  expect(ran.status).toBe(3);
  const bytes = readFileSync(file);
  const damaged = `${file}.damaged`;
  let differ = 0;
  for (let at = bytes.indexOf('CR-XTENT'); at > 0; at = bytes.indexOf('CR-XTENT', at + 1)) {
    const size = Number(bytes.readBigUint64LE(at + 8));
    for (const [from, to] of [
      [at, at + 8],
      [at + 48, at + size],
      [at + (size >> 1), at + size],
    ] as const) {
      writeFileSync(damaged, Buffer.from(bytes).fill(0, from, to));
      const again = await replay(damaged);
      if (again.status === 125) expect(again.stderr).toMatch(/^libcr: replay: /);
      else expect(again).toEqual(ran);
      differ += again.status === 125 ? 1 : 0;
    }
  }
  expect(differ).toBeGreaterThan(10);
});

test('a replay that nobody reads ends as any program does', async () => {
  const { file } = await record('/bin/sh', ['-c', '/bin/echo of a child; echo after it']);
  const pipe = join(folder(), 'pipe');
  const script = `mkfifo ${pipe}; exec 4<>${pipe} 3>${pipe} 4<&-; ${launcherPath()} --replay=${file} >&3; echo $?`;
  expect(await natively('/bin/bash', ['-c', script])).toMatchObject({ stdout: '141\n', stderr: '' });
});

test('processes that write at the same time', async () => {
  const ran = await recordsAndReplays('/bin/sh', [
    '-c',
    'for i in 1 2 3 4; do (for k in 1 2 3 4 5; do echo $i $k; sleep 0.00$i; done) & done; wait',
  ]);
  expect(ran.stdout.split('\n')).toHaveLength(21);
});

test('processes that were killed: while they waited, while they computed, as soon as they were made', async () => {
  const ran = await recordsAndReplays('/bin/sh', [
    '-c',
    `echo a; (echo b; sleep 100) & sleep 0.2; kill -KILL $!; wait $!; echo $?
    (while :; do :; done) & sleep 0.2; kill -KILL $!; wait $!; echo $?
    sleep 100 & kill -KILL $!; wait $!; echo $?
    sh -c 'echo c; kill -KILL $$'; echo $?`,
  ]);
  expect(ran).toMatchObject({ status: 0, stdout: 'a\nb\n137\n137\n137\nc\n137\n' });
});

test('a recording that is larger than its window, up to where its program was killed', async () => {
  const { file, ran } = await record('/bin/sh', [
    '-c',
    'i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); echo $i; done; kill -KILL $$',
  ]);
  expect(ran).toMatchObject({ signal: 'SIGKILL' });
  expect(ran.stdout).toMatch(/^5000$/m);
  const again = await replay(file);
  expect(again).toMatchObject({ status: 125, stdout: ran.stdout });
  expect(again.stderr).toMatch(/^libcr: replay: the recording of process \d+ ends here, after \d{4,} events/);
});

test('data that is larger than that: read at once, in many parts, and as arguments', async () => {
  const large = 'x'.repeat(100_000);
  const ran = await recordsAndReplays(
    '/bin/sh',
    ['-c', 'head -c 3000000 /dev/urandom | cksum; echo $0 | wc -c', large],
    {
      env: { LARGE: large },
    },
  );
  expect(ran.stdout).toMatch(/^\d+ 3000000\n100001\n$/);
});

test.each([
  ['few', 300],
  ['more than are kept', 17_000],
])('what the program has written itself, and reads again: %s', async (_, blocks) => {
  const { file, ran } = await record(compile('recorded/kept'), [join(folder(), 'data'), `${blocks}`]);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout.split('\n')).toHaveLength(13);
  expect(await replay(file, [], { cwd: '/' })).toEqual(ran);
});

test('what the program has written itself is not in the recording when it is read again', async () => {
  const script = 'head -c 4000000 /dev/urandom > "$0"; exec dd if="$0" of="$0.2" bs=4096 status=none';
  const copy = join(folder(), 'data');
  const { file, ran } = await record('/bin/sh', ['-c', script, copy]);
  expect(ran.status).toBe(0);
  const python = `import os
data = os.urandom(4096 * 500)
fd = os.open('${copy}.3', os.O_RDWR | os.O_CREAT)
for i in range(500): os.pwrite(fd, data[i * 4096:(i + 1) * 4096], i * 4096)
print(sum(sum(os.pread(fd, 4096, i * 4096)) for j in range(4) for i in range(500)))`;
  const again = await record('python3', ['-c', python]);
  expect(again.ran).toMatchObject({ status: 0, stderr: '' });
  const size = (path: string) => statSync(path).size;
  // dd reads what head has written, another process: that is there.
  expect(size(file)).toBeGreaterThan(8_000_000);
  const without = await record('python3', [
    '-c',
    python.replace('os.pread(fd, 4096, i * 4096)', 'data[:4096]'),
  ]);
  expect(Math.abs(size(again.file) - size(without.file))).toBeLessThan(4096 * 250);
  expect(await replay(again.file)).toEqual(again.ran);
});

test.skipIf(!has('python3'))('a call with more buffers than fit into a window', async () => {
  const code = `import os
buffers = [bytearray(60) for _ in range(1000)]
with open('/bin/sh', 'rb') as file:
    print(os.readv(file.fileno(), buffers), sum(map(sum, buffers)), os.readv(file.fileno(), buffers), flush=True)
if not os.fork():
    print(os.preadv(os.open('/bin/sh', 0), buffers, 5), flush=True)
    os._exit(0)
print(os.wait()[1], sum(map(sum, buffers)))`;
  expect(await recordsAndReplays('python3', ['-c', code])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^60000 \d+ 60000\n60000\n0 \d+\n$/),
  });
});

test('a program that another build is replayed in the place of', async () => {
  const { file, ran } = await record(compile('recorded/changed'));
  expect(ran.status).toBe(3);
  expect(await replay(file, [compile('recorded/changed', ['-g'])])).toEqual(ran);
  const { status, stderr, stdout } = await replay(file, [compile('recorded/changed', ['-DCHANGED'])]);
  expect({ status, stdout }).toEqual({ status: 125, stdout: 'one\n' });
  const [first, recorded, now] = stderr.trim().split('\n');
  expect(first).toMatch(/^libcr: replay: event \d+ of process \d+ differs: another call$/);
  expect(recorded).toMatch(/^libcr: replay: {3}recorded: \[\d+\] time\(NULL\) = \d+$/);
  expect(now).toMatch(/^libcr: replay: {3}now: {6}\[\d+\] write\(1, "other\\n", 6\)$/);
});

test('a recording that is cut off goes as far as it was written; what is none is refused', async () => {
  const { file, ran } = await record('/bin/sh', ['-c', 'echo one; kill -KILL $$']);
  expect(ran).toMatchObject({ signal: 'SIGKILL', stdout: 'one\n' });
  const cut = await replay(file);
  expect(cut).toMatchObject({ status: 125, stdout: 'one\n' });
  expect(cut.stderr).toMatch(
    /^libcr: replay: the recording of process \d+ ends here, after \d+ events: .*\n$/,
  );
  const other = join(folder(), 'other');
  copyFileSync(file, other);
  truncateSync(other, 300_000);
  expect((await replay(other)).status).toBe(125);
  writeFileSync(other, readFileSync('/bin/sh'));
  expect(await replay(other)).toEqual({
    status: 125,
    signal: null,
    stdout: '',
    stderr: `libcr: ${other}: is no recording of a program\n`,
  });
});

test('what can not be replayed is said', async () => {
  const { file, ran } = await record(compile('recorded/changed'));
  expect(ran.stderr).toBe('');
  expect(await underLibcr('/bin/true', [], { options: [`--record=${file}`, '--rforks=2'] })).toMatchObject({
    status: 2,
    stderr: 'libcr: --rforks: a program is recorded and replayed on one rfork\n',
  });
});

const PYTHON = `
import os, random, threading, time
done = []
def work(i):
    for k in range(20):
        time.sleep(random.random() * 0.001)
        done.append((i, k, time.time()))
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(done, os.getpid(), sorted(os.listdir('/tmp')))
`;

test.skipIf(!has('python3'))('python with threads', async () => {
  expect(await recordsAndReplays('python3', ['-c', PYTHON])).toMatchObject({ status: 0, stderr: '' });
});

const source = (name: string) => fileURLToPath(new URL(`../programs/recorded/${name}`, import.meta.url));

test.skipIf(!has('go'))('go: its goroutines', async () => {
  const program = join(folder(), 'goroutines');
  const env = { GO111MODULE: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '' };
  execFileSync('go', ['build', '-o', program, source('goroutines.go')], { env: { ...process.env, ...env } });
  const ran = await recordsAndReplays(program);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^(\d+ ){20}\d+ \d+ \d+ \d+\n$/);
});

test.skipIf(!has('java') || !has('javac'))('java: a pool of threads', async () => {
  const at = folder();
  execFileSync('javac', ['-d', at, source('Pool.java')]);
  const { file, ran } = await record('java', ['-XX:-UsePerfData', '-cp', at, 'Pool']);
  expect(ran).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+ \d+ [-0-9a-f]+ \d+\n$/) });
  expect(await replay(file)).toMatchObject({ status: 0, stdout: ran.stdout });
});

test.skipIf(!has('make') || !has('gcc'))('make, with two jobs at a time', async () => {
  const at = folder();
  const names = ['one', 'two', 'three', 'four'];
  for (const name of names)
    writeFileSync(
      join(at, `${name}.c`),
      `#include <stdio.h>\nint ${name}(void) { return puts("${name}"); }\n`,
    );
  writeFileSync(
    join(at, 'Makefile'),
    `lib.a: ${names.map((name) => `${name}.o`).join(' ')}\n\tar rc $@ $^\n%.o: %.c\n\tgcc -O1 -c -o $@ $<\n`,
  );
  const { file, ran } = await record('make', ['-j2', '-C', at]);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  rmSync(at, { recursive: true });
  expect(await replay(file)).toEqual(ran);
});

test.skipIf(!has('sqlite3'))('sqlite', async () => {
  const sql = 'create table t(a); insert into t values (random()), (random()); select * from t;';
  const ran = await recordsAndReplays('sqlite3', [join(folder(), 'database'), sql]);
  expect(ran.stdout).toMatch(/^-?\d+\n-?\d+\n$/);
});

test('node', async () => {
  const code =
    "console.log(Math.random(), Date.now(), process.hrtime(), process.pid, os.loadavg(), fs.readdirSync('/'))";
  expect(await recordsAndReplays(process.execPath, ['-e', code])).toMatchObject({ status: 0 });
});

test.skipIf(!has('redis-server') || !has('redis-cli'))('redis: its clients are gone', async () => {
  const at = folder();
  const socket = join(at, 'socket');
  const file = join(at, 'file');
  const server = underLibcr(
    'redis-server',
    ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', at],
    {
      options: [`--record=${file}`],
    },
  );
  const ask = (input: string) => natively('redis-cli', ['-s', socket], { input });
  while (!(await ask('ping\n')).stdout.includes('PONG'))
    await new Promise((resolve) => setTimeout(resolve, 50));
  const asked = await ask(`${'incr n\nset a b\n'.repeat(200)}get n\n`);
  expect(asked.stdout).toMatch(/200\n$/);
  await ask('shutdown nosave\n');
  const ran = await server;
  expect(ran).toMatchObject({ status: 0 });
  expect(await replay(file)).toEqual(ran);
});

test('a file that can not be made', async () => {
  const { stderr, status } = await underLibcr('/bin/true', [], { options: ['--record=/nosuch/file'] });
  expect({ stderr, status }).toEqual({
    stderr: 'libcr: /nosuch/file: there is no such directory\n',
    status: 125,
  });
});
