/**
 * traps.test.ts: the traps that lie in running any program's threads above its system calls, one test each. What another test has at length is named here, and this looks that it is
 * there. The numbers are those of the experiments with which this began; 27 and on are of shims above programs.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile, natively, underLibcr } from './programs.ts';

const RFORKS = [1, 2, 4];

/** `PROGRAM NAME` prints and answers what it does natively, with each number of rforks. */
async function same(program: string, name: string, output: string): Promise<void> {
  const native = await natively(program, [name]);
  expect(native.stdout).toBe(output);
  for (const n of RFORKS)
    expect(await underLibcr(program, [name], { options: [`--rforks=${n}`] }), `${n} rforks`).toEqual(native);
}

const state = (name: string, output: string) => same(compile('traps/trap-state', ['-mavx']), name, output);
const events = (name: string, output: string) => same(compile('traps/trap-events'), name, output);

/** A test of another file, or a behaviour of a conformance program. */
function elsewhere(file: string, title: string): void {
  const source = readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');
  const at = file.endsWith('.c')
    ? source.indexOf(`BEHAVIOUR(${title},`)
    : source.search(new RegExp(`\\(\\s*['"]${title.replace(/[().%/]/g, '\\$&')}['"],`));
  expect(at, `${title}, in ${file}`).toBeGreaterThan(0);
}

describe('registers and memory', () => {
  test('1: a call keeps all registers but rax, rcx and r11, and the vectors', () =>
    state('registers', 'changed: 0 0\n'));
  test('2: each thread has its own %fs, after a preemption too', () =>
    state('storage', "another thread's storage: 0\n"));
  test('3: the calls that the vDSO makes itself are caught', () => events('vdso', 'wrong: 0\n'));
  test('15: bad pointers answer EFAULT', () =>
    elsewhere('processes/bad-pointers.test.ts', 'with %s rforks, %s'));
  test("17: a thread begins with its creator's rounding mode", () =>
    state('rounding', 'a thread: 3, a child: 3\n'));
  test('19: a program without a C library has no thread-local storage', async () => {
    const program = compile('traps/bare', ['-nostdlib', '-static', '-ffreestanding', '-fno-stack-protector']);
    expect((await natively(program)).stdout).toBe('thread\n');
    for (const n of RFORKS)
      expect(await underLibcr(program, [], { options: [`--rforks=${n}`] })).toEqual({
        ...{ status: 38, signal: null },
        ...{ stdout: 'thread\n', stderr: '' },
      });
  });
  test('24: kernel stacks hold the vectors of who was preempted, and calls in nested handlers', async () => {
    await state('vectors', "another thread's vectors: 0\n");
    await state('stacks', 'handlers: 54\n');
  });
  test('25: a signal on the way out of a handler interrupts code that has flags', () =>
    state('flags', 'flags lost: 0\n'));
});

describe('processes', () => {
  test("4: what a child of vfork does to its signals is not its parent's, and is so for the program that it runs", () =>
    events(
      'vfork-signals',
      'SigBlk:\t0000000008000200\nSigIgn:\t0000000000000001\nhandlers lost: 2, blocked: 0\n',
    )); // KILL's and STOP's are none
  test("5: a fork's child catches, preempts and waits anew", async () => {
    const program = compile('traps/trap-events');
    const native = await natively(program, ['fork-anew']);
    expect(native).toMatchObject({ status: 9, stdout: 'three generations\n' });
    for (const n of RFORKS)
      expect(
        await underLibcr(program, ['fork-anew'], { options: [`--rforks=${n}`, '--nothing-escapes'] }),
      ).toEqual(native);
  });
  test('10: /proc/self tells of the program', () =>
    elsewhere('processes/front-door.test.ts', 'name, command line, path, auxiliary vector'));
  test('18: a fork while other rforks are busy', () =>
    elsewhere('threads/threads.test.ts', 'threads that fork at the same time, beside one that computes'));
  test('23: where a child of vfork ends by SIGTRAP, nothing is being patched', () =>
    events('patching', 'wrong: 0, children that have failed: 0\n'));
  test('27: a child of vfork is caught too, and so is what it runs', () =>
    elsewhere(
      'processes/escapes.test.ts',
      'no call does by its number, its place or its process, with %s rforks',
    ));
  test("28: libcr's descriptors are out of the program's reach, also of a child of vfork", () =>
    elsewhere('processes/own-descriptors.test.ts', '%s, with %s rforks'));
  test('29: what can not be under libcr says so', () => {
    elsewhere('processes/front-door.test.ts', 'a set-user-ID program; once for each time that it is run');
    elsewhere('processes/front-door.test.ts', 'what the kernel has another program for (binfmt_misc)');
  });
});

describe('signals', () => {
  test("6: the program's handlers for SIGSEGV, SIGTRAP and SIGSYS come behind libcr's; 21: one that is reset has run before", () =>
    events('handlers', 'segv 200 trap 200 sys 200\nonce: 1, then 1\n'));
  test('11: signals for threads that end', () => events('ending', 'sent: 2000\n'));
  test('12: a signal between the look and the sleep', () =>
    elsewhere('threads/threads.test.ts', 'descriptors of all kinds, in pieces, ended by signals (%s)'));
  test('20: a signal ends the sleep of a process in which nothing runs', async () => {
    for (const n of RFORKS)
      expect(
        (await underLibcr('timeout', ['0.2', 'sleep', '50'], { options: [`--rforks=${n}`] })).status,
      ).toBe(124);
  });
});

describe('waiting', () => {
  test('7: what lies in shared memory is waited for across processes', () =>
    elsewhere('threads/threads.test.ts', 'what lies in memory of several processes with threads'));
  test('8: no wake-up is lost between a store and a look', () => events('wakes', 'turns: 20000\n'));
  test('9, 22: rseq is not there, and the C library lives with that; a robust list is walked', async () => {
    const env = { GLIBC_TUNABLES: 'glibc.pthread.rseq=1' };
    expect(await underLibcr('/bin/echo', ['x'], { env })).toMatchObject({
      status: 0,
      stdout: 'x\n',
      stderr: '',
    });
    elsewhere('conformance/sync/robust.c', 'robust_lock');
  });
  test("13: a wait in one rfork's queue ends there", () =>
    elsewhere('threads/threads.test.ts', 'descriptors of all kinds, in pieces, ended by signals (%s)'));
  test('14: what is known of a descriptor is a hint: another process may make it non-blocking', () =>
    events('nonblocking', 'read: -1 Resource temporarily unavailable\n'));
  test('16: a program has as many processors as rforks', () =>
    elsewhere(
      'threads/threads.test.ts',
      'other rforks are there from the second thread on; a child of fork begins alone, and has its own',
    ));
  test('26: timers come though a thread computes', () => events('timers', 'slept\n'));
  test('30: reads of files are never short', () => events('files', 'written: 1\nwhole: 10\n'));
});
