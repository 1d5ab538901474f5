/**
 * library.test.ts: the native half as a C library, without Node: the programs of native/test, optimised, with AddressSanitizer and UBSan, each with io_uring and
 * without, and with ThreadSanitizer; what it is installed as; and that it stands on libcr alone. What the programs check is in them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const native = fileURLToPath(new URL('../native', import.meta.url));
const core = fileURLToPath(new URL('../../core/native', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'libcr-library-'));
const programs = readdirSync(join(native, 'test'))
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.slice(0, -2));

afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs a command; throws with all that it has said unless it succeeds. */
function run(command: string, args: string[], env = {}): string {
  const options = { encoding: 'utf8', maxBuffer: 64 << 20, env: { ...process.env, ...env } } as const;
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, options);
  if (error) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${signal ?? status}\n${stdout}\n${stderr}`);
  return stdout;
}
const make = (folder: string, ...args: string[]) =>
  run('make', ['-s', `-j${availableParallelism()}`, '-C', folder, ...args]);

describe.each(['plain', 'sanitized', 'races'])('C programs, %s', (flavour) => {
  beforeAll(() => {
    make(join(native, 'test'), flavour);
  }, 900_000);

  it.each(programs)('%s', { timeout: 900_000 }, (program) => {
    make(join(native, 'test'), `check-${flavour}-${program}`);
  });
});

it('the README has a program, with the commands that build it', { timeout: 900_000 }, ({ skip }) => {
  if (spawnSync('pkg-config', ['--version']).error) skip('there is no pkg-config');
  const readme = readFileSync(join(native, '..', 'README.md'), 'utf8');
  const [, commands, printed] =
    /^```sh\n(prefix[\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  expect(commands).toContain('native/example');
  const { stdout, stderr } = spawnSync('sh', ['-eu', '-c', commands as string], {
    encoding: 'utf8',
    cwd: join(native, '..'),
    env: { ...process.env, MAKEFLAGS: `-j${availableParallelism()}` },
  });
  expect({ stdout, stderr }).toEqual({ stdout: printed, stderr: '' });
});

it('is found by pkg-config, with libcr.a and with libcr.so', { timeout: 900_000 }, ({ skip }) => {
  if (spawnSync('pkg-config', ['--version']).error) skip('there is no pkg-config');
  make(core, 'install', `PREFIX=${scratch}`, 'BUILD=../build-lib');
  make(native, 'install', `PREFIX=${scratch}`, 'BUILD=../build-lib');
  const flags = run('pkg-config', ['--cflags', '--libs', 'libcr_syscalls'], {
    PKG_CONFIG_PATH: join(scratch, 'lib/pkgconfig'),
  });
  const source = join(scratch, 'program.c');
  writeFileSync(
    source,
    `#include <libcr_syscalls.h>
     #include <stdio.h>
     static void body(void *arg) { printf("%d\\n", sysmsg_call(SYS_getppid) == *(long *)arg); }
     int main(void) {
       struct lwkt_create_args args = {.flags = TDF_JOINABLE};
       lwkt_thread_t td;
       long parent;
       lwkt_cpu_init();
       parent = sysmsg_call(SYS_getppid);
       return lwkt_create(body, &parent, &td, &args) || sysmsg_join(td);
     }`,
  );
  for (const how of [[], ['-static']]) {
    const program = join(scratch, 'program');
    run('gcc', [...how, '-o', program, source, ...flags.trim().split(/\s+/)]);
    expect(run(program, [], { LD_LIBRARY_PATH: join(scratch, 'lib') })).toBe('1\n');
  }
});

it('stands on libcr alone', { timeout: 900_000 }, () => {
  make(core, 'FREESTANDING=1');
  make(native, 'FREESTANDING=1');
  const archives = [join(native, '..', 'build-lib'), join(core, '..', 'build-lib')];
  const [ours, libcr] = archives.map((folder, i) =>
    join(folder, 'freestanding', i ? 'libcr.a' : 'libcr_syscalls.a'),
  );
  const said = run(join(native, 'test', 'library.sh'), [ours as string, libcr as string]);
  expect(said).toMatch(/^[1-9]\d* functions of libcr\.a, nothing else\n$/);
});
