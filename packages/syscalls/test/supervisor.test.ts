/** supervisor.test.ts: shims in front of programs' calls: the protocol, message by message. Programs that are real are in supervised.test.ts of @libcr/posix-compat. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sleep } from '@libcr/core';
import { afterEach, describe, expect, test } from 'vitest';
import * as ch from '../src/generated/channel.ts';
import { constants as c, defineShim, type Shim, sys } from '../src/index.ts';
import { fault } from '../src/shims/fault/index.ts';
import { metrics } from '../src/shims/metrics/index.ts';
import { policy } from '../src/shims/policy/index.ts';
import { trace } from '../src/shims/trace/index.ts';
import { Supervisor, type SupervisorOptions } from '../src/supervisor/index.ts';
import { FakeLwp, usedSlots } from './fake-lwp.ts';
import { runProgram, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
let supervisor: Supervisor | undefined;
const children: ChildProcess[] = [];

afterEach(() => {
  supervisor?.close();
  supervisor = undefined;
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that does nothing, to stand for a program. */
function idle(): number {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  children.push(child);
  return child.pid as number;
}

function supervise(shims: Shim[], options: Partial<SupervisorOptions> = {}): Supervisor {
  supervisor = new Supervisor({ shims, onExit: 'detach', ...options });
  return supervisor;
}

async function program(shims: Shim[], options: Partial<SupervisorOptions> = {}): Promise<FakeLwp> {
  const lwp = new FakeLwp(supervise(shims, options), idle());
  await lwp.begin('/bin/fake');
  return lwp;
}

const shimOf = (on: Shim['on'], shim: Shim['shim']): Shim => defineShim({ name: 'test', on, shim });

/** Waits for a condition. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

test('the layout is channel.h’s', () => {
  const lines: string[] = [];
  const expected: [string, number][] = [
    ['CHANNEL_CALLS', ch.CALLS],
    ['CHANNEL_SLOTS', ch.SLOTS],
    ['CHANNEL_SLOTS_AT', ch.SLOTS_AT],
    ['SLOT_SIZE', ch.SLOT_SIZE],
    ['SLOT_DATA', ch.SLOT_DATA],
    ['SLOT_POSTED', ch.SLOT_POSTED],
    ['SLOT_ASLEEP', ch.SLOT_ASLEEP],
    ['EVENT_CALL', ch.EVENT_CALL],
    ['EVENT_RETURN', ch.EVENT_RETURN],
    ['EVENT_BEGIN', ch.EVENT_BEGIN],
    ['EVENT_FORKED', ch.EVENT_FORKED],
    ['COMMAND_PASS', ch.COMMAND_PASS],
    ['COMMAND_DONE', ch.COMMAND_DONE],
    ['COMMAND_CALL', ch.COMMAND_CALL],
    ['ARGUMENT_NUMBER', ch.KIND_NUMBER],
    ['ARGUMENT_PATH', ch.KIND_PATH],
    ['ARGUMENT_BUFFER', ch.KIND_BUFFER],
    ['ARGUMENT_BUFFERS', ch.KIND_BUFFERS],
    ['ARGUMENT_MESSAGE', ch.KIND_MESSAGE],
    ['ARGUMENT_NULL', ch.KIND_NULL],
    ['ARGUMENT_IN', ch.FLAG_IN],
    ['ARGUMENT_OUT', ch.FLAG_OUT],
    ['ARGUMENT_CHANGED', ch.FLAG_CHANGED],
    ['ARGUMENT_SHORT', ch.FLAG_SHORT],
    ['GONE_KILL', ch.GONE_KILL],
    ['GONE_DETACH', ch.GONE_DETACH],
    ['CHANNEL_SIZE', ch.CHANNEL_SIZE],
    ['CHANNEL_ROWS_AT', ch.CHANNEL_ROWS_AT],
    ['sizeof(struct row_fault)', ch.ROW_FAULT_SIZE],
    ['sizeof(struct row_counts)', ch.ROW_COUNTS_SIZE],
    ['sizeof(struct row_flight)', ch.ROW_FLIGHT_SIZE],
    ['sizeof(struct rows) <= ROWS_FREE', 1],
    ['sizeof(struct slot_argument)', ch.ARGUMENT_SIZE],
    ['sizeof(struct slot_part)', ch.PART_SIZE],
    ['sizeof(struct slot_message)', ch.MESSAGE_SIZE],
  ];
  const structs: [string, string, Record<string, number>][] = [
    ['channel', 'ch', ch.CHANNEL],
    ['slot', 'sl', ch.SLOT],
    ['slot_argument', 'ar', ch.ARGUMENT],
    ['slot_message', 'ms', ch.MESSAGE],
    ['rows', 'rh', ch.ROWS],
    ['row_about', 'ra', ch.ROW_ABOUT],
    ['row_list', 'rl', ch.ROW_LIST],
    ['row', 'ro', ch.ROW],
    ['row_fault', 'fa', ch.ROW_FAULT],
    ['row_latency', 'la', ch.ROW_LATENCY],
    ['row_policy', 'po', ch.ROW_POLICY],
    ['row_metrics', 'me', ch.ROW_METRICS],
    ['row_counts', 'rc', ch.ROW_COUNTS],
    ['row_figures', 'rf', ch.ROW_FIGURES],
    ['row_flight', 'fl', ch.ROW_FLIGHT],
  ];
  const inner: Record<string, string> = { 'ar.at': 'ar_data.pa_at', 'ar.length': 'ar_data.pa_length' };
  for (const [struct, prefix, offsets] of structs)
    for (const [key, offset] of Object.entries(offsets)) {
      const field =
        inner[`${prefix}.${key}`] ?? `${prefix}_${key.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`)}`;
      expected.push([`offsetof(struct ${struct}, ${field})`, offset]);
    }
  for (const [what] of expected) lines.push(`printf("%ld\\n", (long)(${what}));`);
  const source = join(folder, 'layout.c');
  const header = join(import.meta.dirname, '../native/program/script/rows.h');
  writeFileSync(
    source,
    `#include <stddef.h>\n#include <stdio.h>\n#include "${header}"\nint main(void) {\n${lines.join('\n')}\n}\n`,
  );
  execFileSync('gcc', ['-o', join(folder, 'layout'), source]);
  const values = execFileSync(join(folder, 'layout'), { encoding: 'utf8' }).trim().split('\n').map(Number);
  expect(Object.fromEntries(expected.map(([what], i) => [what, values[i]]))).toEqual(
    Object.fromEntries(expected),
  );
});

describe('messages', () => {
  test('paths, numbers and who makes the call; a changed path, the reply unchanged', async () => {
    const seen: unknown[] = [];
    const lwp = await program([
      shimOf(['openat'], (next) => (msg) => {
        seen.push([msg.name, msg.path, msg.fd, msg.args, msg.pid, msg.program, msg.td.id, msg.td.name]);
        return next(msg.with({ path: '/other' }));
      }),
    ]);
    // AT_FDCWD as C has it in a register: the upper half is nothing.
    const told = await lwp.call(c.SYS_openat, 0xffffff9c, { path: '/etc/hosts' }, c.O_RDONLY, 0);
    expect(told).toMatchObject({ command: 'call', number: c.SYS_openat });
    expect(lwp.bytes(1).toString()).toBe('/other');
    expect(lwp.isChanged(1)).toBe(true);
    expect(await lwp.returns(21)).toMatchObject({ command: 'done', result: 21 });
    const args = [c.AT_FDCWD, '/etc/hosts', 0, 0, undefined, undefined];
    expect(seen).toEqual([['openat', '/etc/hosts', c.AT_FDCWD, args, lwp.pid, '/bin/fake', lwp.tid, 'fake']]);
    expect(usedSlots(supervisor as Supervisor)).toBe(0);
  });

  test('a shim answers read itself, and changes what was read', async () => {
    const lwp = await program([
      shimOf(['read'], (next) => (msg) => {
        const buffer = msg.args[1] as Buffer;
        if (msg.fd === 9) return buffer.write('mine');
        const n = next(msg);
        for (let i = 0; i < n; i++) buffer[i] = (buffer[i] as number) - 32;
        return n;
      }),
    ]);
    expect(await lwp.call(c.SYS_read, 9, { out: 100 }, 100)).toMatchObject({ command: 'done', result: 4 });
    expect(lwp.bytes(1).toString()).toBe('mine');
    expect(lwp.isChanged(1)).toBe(true);
    expect((await lwp.call(c.SYS_read, 0, { out: 100 }, 100)).command).toBe('call');
    expect(lwp.isChanged(1)).toBe(false);
    expect(await lwp.returns(5, { 1: 'hello' })).toMatchObject({ command: 'done', result: 5 });
    expect(lwp.bytes(1).toString()).toBe('HELLO');
  });

  test('data of its own for a write; a buffer of its own for a read', async () => {
    const lwp = await program([
      shimOf(['write', 'read'], (next) => (msg) => {
        if (msg.name === 'write') return next(msg.with({ data: Buffer.from('longer data'), length: 11 }));
        const own = Buffer.alloc(10);
        const n = next(msg.with({ buffer: own, length: 10 }));
        return (msg.args[1] as Buffer).write(own.toString('utf8', 0, n).toUpperCase());
      }),
    ]);
    expect(await lwp.call(c.SYS_write, 1, { in: 'x' }, 1)).toMatchObject({
      command: 'call',
      args: [1, 0, 11, 0, 0, 0],
    });
    expect(lwp.bytes(1).toString()).toBe('longer data');
    expect(await lwp.returns(11)).toMatchObject({ command: 'done', result: 11 });
    await lwp.call(c.SYS_read, 0, { out: 100 }, 100);
    expect(lwp.bytes(1).length).toBe(10);
    expect(lwp.isChanged(1)).toBe(true);
    expect(await lwp.returns(3, { 1: 'abc' })).toMatchObject({ command: 'done', result: 3 });
    expect(lwp.bytes(1).toString()).toBe('ABC');
  });

  test('iovecs, messages, 64 bits, NULL', async () => {
    const seen: unknown[] = [];
    const lwp = await program([
      shimOf('all', (next) => (msg) => {
        const isRead = msg.name === 'readv'; // whatever was in the slot before
        seen.push(
          msg.args.map((value) =>
            Array.isArray(value) ? value.map((part) => (isRead ? part.length : String(part))) : value,
          ),
        );
        return next(msg);
      }),
    ]);
    await lwp.call(c.SYS_writev, 1, { parts: ['one', 'two'] }, 2);
    expect(lwp.parts(1)).toEqual(['one', 'two']);
    await lwp.returns(6);
    await lwp.call(c.SYS_readv, 0, { room: [4, 4] }, 2);
    await lwp.returns(5);
    expect(lwp.parts(1).map(({ length }) => length)).toEqual([4, 1]);
    await lwp.call(c.SYS_sendmsg, 3, { message: { parts: ['data'], name: Buffer.from([1, 0, 47]) } }, 0);
    await lwp.returns(4);
    await lwp.call(c.SYS_lseek, 3, -5, 1);
    await lwp.returns(-22);
    await lwp.call(c.SYS_nanosleep, { in: 'x'.repeat(16) }, null);
    await lwp.returns(0);
    expect(seen.map((args) => (args as unknown[]).slice(0, 3))).toEqual([
      [1, ['one', 'two'], 2],
      [0, [4, 4], 2],
      [3, ['\u0001\0/', 'data', 'null', '\0'.repeat(16)], 0],
      [3, -5, 1],
      [Buffer.from('x'.repeat(16)), null, undefined],
    ]);
  });

  test('a shim’s own calls are the program’s', async () => {
    const lwp = await program([shimOf(['getppid'], () => () => sys.getpid() + 1)]);
    expect(await lwp.call(c.SYS_getppid)).toMatchObject({ command: 'call', number: c.SYS_getpid });
    expect(await lwp.returns(41)).toMatchObject({ command: 'done', result: 42 });
  });

  test('a call that nobody wants any more passes', async () => {
    const lwp = await program([]);
    const guard = (supervisor as Supervisor).shim(shimOf(['getppid'], () => () => 7));
    expect(await lwp.call(c.SYS_getppid)).toMatchObject({ command: 'done', result: 7 });
    guard.remove();
    expect(await lwp.call(c.SYS_getppid)).toMatchObject({ command: 'pass' });
  });
});

describe('ready-made shims', () => {
  test('policy, with the program’s working directory; metrics; trace with pid and tid', async () => {
    const lines: string[] = [];
    const counted = metrics();
    const lwp = await program([
      trace({ output: (line) => lines.push(line.replace(/<[\d.]+>/, '<>')), stringLimit: 33 }), // programs write it themselves with 32
      counted,
      policy([{ action: 'deny', on: ['open'], path: '/etc/shadow', errno: 'EPERM' }]),
    ]);
    const told = await lwp.call(c.SYS_openat, c.AT_FDCWD, { path: 'shadow' }, 0, 0);
    expect(told).toMatchObject({ command: 'call', number: c.SYS_getcwd });
    expect(await lwp.returns(5, { 0: '/etc\0' })).toMatchObject({ command: 'done', result: -c.EPERM });
    // One line, or two where this machine is slow.
    expect(lines[0]).toContain(`${String(lwp.tid).padEnd(5)} openat(AT_FDCWD, "shadow", O_RDONLY`);
    expect(lines.at(-1)).toMatch(/\) = -1 EPERM \(Operation not permitted\) <>$/);
    expect(counted.snapshot().map(({ call }) => call)).toEqual(['openat']);
  });

  test('fault: the third write', async () => {
    const lwp = await program([fault([{ on: ['write'], errno: 'EIO', nth: 3 }])]);
    const results: number[] = [];
    for (let i = 0; i < 4; i++) {
      let told = await lwp.call(c.SYS_write, 1, { in: 'x' }, 1);
      if (told.command === 'call') told = await lwp.returns(1);
      results.push(told.result);
    }
    expect(results).toEqual([1, 1, -c.EIO, 1]);
  });
});

describe('many at once', () => {
  test('a thousand threads wait in next()', async () => {
    const THREADS = 1000;
    const s = supervise([shimOf(['read'], (next) => (msg) => next(msg) + 1)]);
    const pid = idle();
    const lwps = Array.from({ length: THREADS }, (_, i) => new FakeLwp(s, pid, i + 1));
    await (lwps[0] as FakeLwp).begin('/bin/fake');
    const told = await Promise.all(lwps.map((lwp) => lwp.call(c.SYS_read, 0, { out: 8 }, 8)));
    expect(new Set(told.map(({ command }) => command))).toEqual(new Set(['call']));
    expect(s.stats().busy).toBe(THREADS);
    const results = await Promise.all(lwps.map((lwp, i) => lwp.returns(i % 8)));
    expect(results.map(({ result }) => result)).toEqual(lwps.map((_, i) => (i % 8) + 1));
    await until(() => s.stats().busy === 0);
    expect(usedSlots(s)).toBe(0);
    await until(() => s.stats().userthreads < 40);
  });

  test('while one shim waits, others are served; a sleeping shim holds nobody up', async () => {
    let release = false;
    const s = supervise([
      shimOf(['getppid', 'getpid'], () => (msg) => {
        if (msg.name === 'getppid') while (!release) sleep(1);
        return 5;
      }),
    ]);
    const pid = idle();
    const [one, two] = [new FakeLwp(s, pid, 1), new FakeLwp(s, pid, 2)];
    await one.begin('/bin/fake');
    const first = one.call(c.SYS_getppid);
    expect(await two.call(c.SYS_getpid)).toMatchObject({ command: 'done', result: 5 });
    release = true;
    expect(await first).toMatchObject({ command: 'done', result: 5 });
  });

  test('a hundred thousand calls through three shims: nothing grows', async () => {
    const pass = (): Shim => shimOf(['getppid'], (next) => (msg) => next(msg));
    const lwp = await program([pass(), pass(), shimOf(['getppid'], () => () => 3)]);
    const descriptors = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 100_000; i++) {
      const { result } = await lwp.call(c.SYS_getppid);
      if (result !== 3) throw new Error(`call ${i}: ${result}`);
    }
    const s = supervisor as Supervisor;
    expect(s.stats()).toEqual({ calls: 100_000, busy: 0, userthreads: s.stats().userthreads });
    expect(s.stats().userthreads).toBeLessThan(4);
    expect(usedSlots(s)).toBe(0);
    expect(readdirSync('/proc/self/fd').length).toBe(descriptors);
  });
});

describe('what goes wrong', () => {
  test('a shim that throws: EIO, and the diagnostics channel', async () => {
    const errors: unknown[] = [];
    const note = (event: unknown): void => void errors.push((event as { error: Error }).error.message);
    subscribe('libcr:syscalls:shim-error', note);
    const lwp = await program([
      shimOf(['getpid'], () => () => {
        throw new Error('broken');
      }),
    ]);
    expect(await lwp.call(c.SYS_getpid)).toMatchObject({ command: 'done', result: -c.EIO });
    unsubscribe('libcr:syscalls:shim-error', note);
    expect(errors).toEqual(['broken']);
  });

  test('arguments that no call can have: EIO, and no call is made', async () => {
    const lwp = await program([
      shimOf(['write'], (next) => (msg) => next(msg.with({ data: Buffer.alloc(200_000) }))),
    ]);
    expect(await lwp.call(c.SYS_write, 1, { in: 'x' }, 1)).toMatchObject({ command: 'done', result: -c.EIO });
  });

  test('never answers: ETIMEDOUT, and a warning with shim and call; time in next() does not count', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', note);
    const lwp = await program(
      [
        shimOf(['getpid', 'getppid'], (next) => (msg) => {
          if (msg.name === 'getppid') return next(msg);
          for (;;) sleep(1000);
        }),
      ],
      { timeout: 40 },
    );
    expect(await lwp.call(c.SYS_getpid)).toMatchObject({ command: 'done', result: -c.ETIMEDOUT });
    await lwp.call(c.SYS_getppid);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await lwp.returns(8)).toMatchObject({ command: 'done', result: 8 });
    await setImmediate();
    process.off('warning', note);
    expect(warnings).toEqual([
      expect.stringMatching(/^shim "test" has not answered getpid of process \d+ within 40 ms/),
    ]);
  });

  test('cancelled: the shim’s wait throws, and the call is answered as ERESTARTSYS', async () => {
    let name = '';
    const lwp = await program([
      shimOf(['getpid'], () => () => {
        try {
          for (;;) sleep(1000);
        } catch (error) {
          name = (error as Error).name;
          throw error;
        }
      }),
    ]);
    const call = lwp.call(c.SYS_getpid);
    await until(() => (supervisor as Supervisor).stats().busy === 1);
    lwp.cancel();
    expect(await call).toMatchObject({ command: 'done', result: -512 });
    expect(name).toBe('AbortError');
  });

  test('killed when it takes a slot, or before it has ever said anything: the slot is free', async () => {
    const s = supervise([]);
    const pid = idle();
    const lwp = new FakeLwp(s, pid);
    await lwp.begin('/bin/fake');
    const other = idle();
    FakeLwp.takeAndDie(s, 100, pid);
    FakeLwp.takeAndDie(s, 200, spawnSync('true').pid);
    FakeLwp.takeAndDie(s, 300, other); // it runs, and may be about to speak
    FakeLwp.takeAndDie(s, 400, -1); // it can't be known
    expect(usedSlots(s)).toBe(4);
    process.kill(pid, 'SIGKILL');
    await until(() => s.processes.length === 0);
    expect(usedSlots(s)).toBe(2);
  });

  test('the process is killed: its slots are free, its shims’ waits end', async () => {
    const ended: string[] = [];
    const s = supervise([
      shimOf(['getpid', 'read'], (next) => (msg) => {
        try {
          if (msg.name === 'read') return next(msg);
          for (;;) sleep(1000);
        } catch (error) {
          ended.push(`${msg.name} ${(error as Error).name}`);
          throw error;
        }
      }),
    ]);
    const pid = idle();
    const [one, two, three] = [1, 2, 3].map((tid) => new FakeLwp(s, pid, tid)) as [FakeLwp, FakeLwp, FakeLwp];
    await one.begin('/bin/fake');
    void one.call(c.SYS_getpid);
    await two.call(c.SYS_read, 0, { out: 8 }, 8);
    await until(() => s.stats().busy === 2);
    expect(usedSlots(s)).toBe(2);
    children[0]?.kill('SIGKILL');
    await once(children[0] as ChildProcess, 'exit');
    await until(() => usedSlots(s) === 0 && s.stats().busy === 0);
    expect(ended.sort()).toEqual(['getpid AbortError', 'read AbortError']);
    expect(s.processes).toEqual([]);
    void three;
  });

  test('aborted while the program makes its call, or after: what that has answered is the answer, as it has been made', async () => {
    const threads: { abort(reason?: unknown): void }[] = [];
    const s = supervise([
      shimOf(['read', 'getpid', 'stat'], (next) => (msg) => {
        threads.push(msg.td);
        if (msg.name === 'stat') sys.access('/own', 0);
        const reply = next(msg);
        if (msg.name === 'getpid') sleep(1e6);
        return reply;
      }),
    ]);
    const lwp = new FakeLwp(s, idle());
    await lwp.begin('/bin/fake');
    const abort = async (): Promise<void> => {
      await until(() => s.stats().busy === 1);
      threads.at(-1)?.abort();
      await setImmediate();
    };
    await lwp.call(c.SYS_read, 0, { out: 8 }, 8);
    await abort();
    expect(await lwp.returns(5, { 1: 'hello' })).toMatchObject({ command: 'done', result: 5 });
    expect(lwp.bytes(1).toString()).toBe('hello');
    await lwp.call(c.SYS_getpid);
    const answered = lwp.returns(42);
    await setImmediate();
    await abort();
    expect(await answered).toMatchObject({ command: 'done', result: 42 });
    expect(await lwp.call(c.SYS_stat, { path: '/x' }, { out: 144 })).toMatchObject({ number: c.SYS_access });
    await abort(); // in a call of the shim's own: the program's has not been made
    expect(await lwp.returns(0)).toMatchObject({ command: 'done', result: -512 });
    expect(usedSlots(s)).toBe(0);
  });

  test('the process is killed while its shim has given up and its call is still under way: others are served', async () => {
    const s = supervise([
      shimOf(['read', 'getpid'], (next) => (msg) => (msg.name === 'read' ? next(msg) : 7)),
    ]);
    const lwp = new FakeLwp(s, idle());
    await lwp.begin('/bin/fake');
    await lwp.call(c.SYS_read, 0, { out: 8 }, 8);
    const { desk } = s as unknown as { desk: { busy: Iterable<{ interrupt(reason: unknown): void }> } };
    for (const asking of desk.busy) asking.interrupt('as msg.td.abort() does');
    await setImmediate();
    children[0]?.kill('SIGKILL');
    await once(children[0] as ChildProcess, 'exit');
    await until(() => usedSlots(s) === 0 && s.stats().busy === 0);
    const other = new FakeLwp(s, idle());
    await other.begin('/bin/fake');
    expect(await other.call(c.SYS_getpid)).toMatchObject({ command: 'done', result: 7 });
  });

  test('execve: next() answers 0, its slot is free, the process has another program', async () => {
    const replies: number[] = [];
    const lwp = await program([
      shimOf(['execve'], (next) => (msg) => {
        const reply = next(msg);
        replies.push(reply);
        return reply;
      }),
    ]);
    expect((await lwp.call(c.SYS_execve, { path: '/bin/ls' }, 0, 0)).command).toBe('call');
    const after = new FakeLwp(supervisor as Supervisor, lwp.pid);
    expect(await after.begin('/bin/ls')).toMatchObject({ command: 'pass' });
    await until(() => usedSlots(supervisor as Supervisor) === 0);
    expect(replies).toEqual([0]);
    expect((supervisor as Supervisor).processes).toEqual([
      { pid: lwp.pid, program: '/bin/ls', parent: undefined },
    ]);
  });

  test('exit does not come back: the slot is the lwp’s', async () => {
    const lwp = await program([shimOf('all', (next) => (msg) => next(msg))]);
    expect(await lwp.call(c.SYS_exit, 3)).toMatchObject({ command: 'pass' });
    await until(() => (supervisor as Supervisor).stats().busy === 0);
    expect(usedSlots(supervisor as Supervisor)).toBe(0);
  });
});

test('calls() is an async iterator, and ends with the supervisor', async () => {
  const lwp = await program([]);
  const calls = (supervisor as Supervisor).calls();
  await lwp.call(c.SYS_write, 1, { in: 'text' }, 4);
  await lwp.returns(4);
  const { value } = await calls.next();
  expect(value).toEqual({
    pid: lwp.pid,
    program: '/bin/fake',
    tid: lwp.tid,
    name: 'write',
    args: [1, Buffer.from('text'), 4],
    reply: 4,
  });
  (supervisor as Supervisor).close();
  expect(await calls.next()).toEqual({ done: true, value: undefined });
});

test('end() closes it when no process runs any more', async () => {
  await program([]);
  const s = supervisor as Supervisor;
  let closed = false;
  const end = s.end().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(closed).toBe(false);
  children[0]?.kill('SIGKILL');
  await end;
});

test('it does not keep its environment, and ends with it', async () => {
  expect(await runProgram('supervisor-ends.mjs')).toMatchObject({ status: 0, stdout: 'ended\n', stderr: '' });
});

test('wrong options', () => {
  expect(() => new Supervisor({ shims: 5 as never })).toThrow(TypeError);
  expect(() => new Supervisor({ shims: [{} as never] })).toThrow(TypeError);
  expect(() => new Supervisor({ shims: [], onExit: 'x' as never })).toThrow(TypeError);
  expect(() => new Supervisor({ shims: [], timeout: 0 })).toThrow(RangeError);
});
