/** native-shim.test.ts: shared objects in front of a program's calls (libcr_shim.h): the examples, the chain, threads, signals, children, and what is refused. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../src/spawn/index.ts';
import { compile, has, natively, scratch, shim, underLibcr } from '../programs.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const withShims = (shims: string[], program: string, args: string[], options: string[] = []) =>
  underLibcr(program, args, {
    options: [...options, ...shims.map((file) => `--native-shim=${file}`)],
    env: { LC_ALL: 'C' },
  });

const shimmed = compile('shimmed');

describe('the examples', () => {
  test('count.c: by name, of each process that ends', async () => {
    const { stdout, stderr, status } = await withShims([shim('../examples/count.c', ['-O2'])], 'sh', [
      '-c',
      '/bin/echo one; (exit 2); exit 5',
    ]);
    expect([stdout, status]).toEqual(['one\n', 5]);
    expect(stderr.match(/^exit status \d+$/gm)).toEqual(['exit status 0', 'exit status 2', 'exit status 5']);
    expect(stderr).toMatch(/^ +\d+ execve$/m);
    expect(stderr.match(/^ +1 exit_group$/gm)).toHaveLength(3);
  });

  test('no-unlink.c: an errno, for children too', async () => {
    const folder = mkdtempSync(join(scratch, 'kept-'));
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), '');
    const { stderr, status } = await underLibcr('sh', ['-c', 'rm "$KEEP/a"; exec mv "$KEEP/b" "$KEEP/c"'], {
      options: [`--native-shim=${shim('../examples/no-unlink.c')}`],
      env: { KEEP: folder, LC_ALL: 'C' },
    });
    expect(status).toBe(1);
    expect(stderr).toContain(`${folder}/a is kept`);
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(2);
    expect(existsSync(join(folder, 'a')) && existsSync(join(folder, 'b'))).toBe(true);
  });

  test('motd.c: a file of the shim’s', async () => {
    const motd = shim('../examples/motd.c');
    expect(await withShims([motd], 'cat', ['/etc/motd', '/etc/passwd'])).toEqual({
      stdout: `There is no motd but this one.\n${readFileSync('/etc/passwd')}`,
      stderr: '',
      status: 0,
      signal: null,
    });
    expect(await withShims([motd], 'sh', ['-c', 'echo x > /etc/motd'])).toMatchObject({
      stderr: expect.stringContaining('Read-only file system'),
    });
  });
});

test('the document’s', async () => {
  const text = readFileSync(join(HERE, '../../../../docs/shims/native.md'), 'utf8');
  const secrets = shim(/```c\n([^`]*)```/.exec(text)?.[1] ?? '');
  expect(await withShims([secrets], 'cat', ['/secret/key', '/nosuch'])).toMatchObject({
    stderr: 'cat: /secret/key: Permission denied\ncat: /nosuch: No such file or directory\n',
  });
});

test('several: in order, each with what the one before has made of the call; next twice', async () => {
  const [a, b] = ['a', 'b'].map((name) => shim('shims/order.c', [`-DNAME="${name}"`]));
  const { stdout, stderr } = await withShims([a as string, b as string], shimmed, ['order']);
  expect(stdout).toBe('1\n1\n');
  const lines = stderr.trim().split('\n');
  expect(lines.map((line) => line.replace(/\(\d+\)/, ''))).toEqual([
    ...['a: getpgid', 'b: getpgid', 'b: ok', 'b: getpgid', 'b: ok', 'a: ok'],
    ...['a: getpgid', 'b: getpgid', 'b: ESRCH', 'a: ESRCH'],
  ]);
  const [first, second] = lines.map((line) => Number(/\((\d+)\)/.exec(line)?.[1]));
  expect(second).toBe((first as number) + 1);
});

test.each([1, 2, 4])('a shim that waits blocks its lwp alone, on %i rforks', async (rforks) => {
  const { stdout } = await withShims([shim('shims/wait.c')], shimmed, ['threads'], [`--rforks=${rforks}`]);
  expect(Number(stdout)).toBeGreaterThan(1);
});

test('the program’s memory, its names and paths', async () => {
  const { stdout, stderr } = await withShims([shim('shims/memory.c')], shimmed, ['memory']);
  expect([stdout, stderr]).toEqual(['Accessing a corrupted shared library\n4 shim\n-1 1\n', '']);
});

const ALL = `#include "libcr_shim.h"
long shim(struct sysmsg *msg, sysmsg_next next) { return next(msg); }
`;

test('all calls by way of a shim: signals, threads, children, large results', async () => {
  for (const flags of [[], ['-DSHIM_VECTORS', '-O2']]) {
    const all = shim(ALL, flags);
    expect(await withShims([all, all], shimmed, ['signals'])).toMatchObject({ stdout: '-1 1 14\n1 x 14\n' });
    expect(await withShims([all], shimmed, ['results'])).toMatchObject({ stdout: '0 3\n0\n', stderr: '' });
    const threads = await withShims([all], compile('threads/threads'), [], ['--rforks=2']);
    const order = /^sleeps .*$/m; // who wakes first is the machine's load, too
    const native = await natively(compile('threads/threads'));
    expect(threads.stdout.replace(order, '')).toBe(native.stdout.replace(order, ''));
    expect(threads.status).toBe(native.status);
  }
});

test.skipIf(!has('python3'))(`python3 with a shim${has('python3') ? '' : ' (it is not here)'}`, async () => {
  const script = `
import subprocess, threading
def run(): print(subprocess.run(['cat', '/etc/motd'], capture_output=True, text=True).stdout, end='')
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()`;
  const { stdout } = await withShims([shim('../examples/motd.c')], 'python3', ['-c', script]);
  expect(stdout).toBe('There is no motd but this one.\n'.repeat(3));
});

test.each([1, 2])('vector registers are the program’s: a shim that uses them, %i rforks', async (rforks) => {
  const vectors = shim('shims/vectors.c', ['-O2']);
  const options = [`--rforks=${rforks}`];
  expect(await withShims([vectors, shim(ALL)], compile('traps/vectors'), [], options)).toMatchObject({
    stdout: 'kept\n',
    status: 0,
  });
});

test('the header keeps gcc from them', () => {
  const copies = `#include "libcr_shim.h"
struct big { char bytes[256]; };
struct big from, to;
long shim(struct sysmsg *msg, sysmsg_next next) { to = from; memset(&from, 1, sizeof(from)); return next(msg); }
`;
  const code = (flags: string[]) =>
    execFileSync('objdump', ['-d', '--no-show-raw-insn', shim(copies, ['-O3', ...flags])], {
      encoding: 'utf8',
    });
  expect(code(['-DSHIM_VECTORS'])).toMatch(/%[xyz]mm/); // else this would say nothing
  expect(code([])).not.toMatch(/%[xyz]mm/);
  expect(code(['-mavx2'])).not.toMatch(/%[xyz]mm/);
});

test('the end of a thread or process is not for a shim to prevent; sigreturn does not come to it', async () => {
  const denies = shim(`#include "libcr_shim.h"
const char shim_on[] = "exit exit_group rt_sigreturn";
long shim(struct sysmsg *msg, sysmsg_next next) { (void)msg, (void)next; return -EPERM; }
`);
  const script = 'trap "echo t" USR1; kill -USR1 $$; exit 7';
  expect(await withShims([denies], 'sh', ['-c', script])).toMatchObject({ stdout: 't\n', status: 7 });
});

test('what would run without libcr does not run', async () => {
  const setuid = join(scratch, 'shim-setuid');
  copyFileSync('/bin/true', setuid);
  chmodSync(setuid, 0o4755);
  const { stderr } = await withShims([shim(ALL)], 'sh', ['-c', `"${setuid}"; echo $? >&2`]);
  expect(stderr).toContain(`libcr: ${setuid} runs with its owner's rights`);
  expect(stderr).toContain(': no shim would be in front of it\n');
  expect(stderr).toMatch(/\n126\n$/);
});

test('a shim that was named by a relative path is found after chdir', async () => {
  const { stdout } = await underLibcr('sh', ['-c', 'cd /; cat /etc/motd'], {
    options: ['--native-shim', `./${shim('../examples/motd.c').split('/').pop()}`],
    cwd: scratch,
  });
  expect(stdout).toBe('There is no motd but this one.\n');
});

describe('what is no shim', () => {
  const SHIM = 'long shim(struct sysmsg *msg, sysmsg_next next)';
  test.each<[string, string, string[], RegExp]>([
    [
      'needs a C library',
      `{ return next(msg) + getpid(); }`,
      [],
      /a shim has no C library .* needs getpid\n$/,
    ],
    [
      'is called otherwise',
      `; long shim_(struct sysmsg *m, sysmsg_next n) { return n(m); }`,
      [],
      /exports no function `shim`\n$/,
    ],
    [
      'has thread-local variables',
      `{ static __thread int n; return next(msg) + n++; }`,
      [],
      /thread-local variables\n$/,
    ],
    [
      'wants a call that there is not',
      `{ return next(msg); }\nconst char shim_on[] = "open nosuch";`,
      [],
      /not, in shim_on: nosuch\n$/,
    ],
    [
      'is for another version',
      `{ return next(msg); }`,
      ['-DSHIM_INTERNAL', '-Dshim_clock=shim_version'],
      /compiled without libcr_shim.h\n$/,
    ],
    [
      'makes a call by itself',
      `{ long n; __asm__ volatile("syscall" : "=a"(n) : "0"(39) : "rcx", "r11"); return next(msg); }`,
      ['-Wno-unused'],
      /a shim makes no system call by itself; it has shim_call\n$/,
    ],
  ])('%s', async (_what, body, flags, message) => {
    const object = shim(`#include <unistd.h>\n#include "libcr_shim.h"\n${SHIM}${body}\n`, flags);
    const { stderr, stdout, status } = await withShims([object], '/bin/echo', ['x']);
    expect(stderr).toMatch(message);
    expect(stderr.startsWith(`libcr: ${object}: `)).toBe(true);
    expect([stdout, status]).toEqual(['', /by itself/.test(stderr) ? 125 : 2]);
  });

  test('a file that is not there, or no shared object', async () => {
    expect(await withShims(['/nosuch.so'], 'true', [])).toMatchObject({
      status: 2,
      stderr: "libcr: /nosuch.so: the shim can't be read: No such file or directory\n",
    });
    expect((await withShims(['/etc/passwd'], 'true', [])).stderr).toMatch(
      /no shared object for this machine/,
    );
    expect((await withShims(Array(17).fill('/x.so'), 'true', [])).stderr).toMatch(/more than 16\n$/);
  });

  test('a fault of its own is said to be its', async () => {
    const faulty = shim(`#include "libcr_shim.h"
const char shim_on[] = "write";
long shim(struct sysmsg *msg, sysmsg_next next) { *(volatile char *)8 = 1; return next(msg); }
`);
    const { stderr, signal } = await withShims([faulty], '/bin/echo', ['x']);
    expect(stderr).toContain(`libcr: ${faulty}: a fault of its own in process `);
    expect(stderr).toContain(', write: signal 11 at ');
    expect(signal).toBe('SIGSEGV');
  });
});

test('what a shim says goes where stderr was, in a child of fork that has another one too', async () => {
  const speaking = shim(`#include "libcr_shim.h"
const char shim_on[] = "chdir";
long shim(struct sysmsg *msg, sysmsg_next next) { shim_print("it moves\\n"); return next(msg); }
`);
  const { stderr, status } = await withShims([speaking], '/bin/sh', [
    '-c',
    '(exec 2>/dev/null; cd /); exec 2>/dev/null; cd /',
  ]);
  expect([stderr, status]).toEqual(['it moves\nit moves\n', 0]);
});

test('spawn: nativeShims', async () => {
  const child = spawn('cat', ['/etc/motd'], { nativeShims: [shim('../examples/motd.c')] });
  expect(await text(child.stdout)).toBe('There is no motd but this one.\n');
  expect(() => spawn('true', [], { nativeShims: 'x' as never })).toThrow('"nativeShims" option must be');
  expect(() => spawn('true', [], { nativeShims: [''] })).toThrow('"nativeShims" option must be');
});
