/**
 * preempt.test.ts: userthreads that compute, and from which the CPU is taken. No test measures a time: where nobody were preempted, its program
 * would not end.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outcome, programPath, runProgram } from '../run.ts';

const preempt = <T = unknown>(name: string, flags: string[] = []): Promise<T> =>
  outcome<T>('preempt/preempt.mjs', { args: [name], flags });

test('all kinds of JavaScript come to the right results', async () => {
  expect(await preempt('jobs')).toBe(true);
});

test('optimized loops keep nothing that others have changed', async () => {
  expect(await preempt('optimizedLoops', ['--expose-gc'])).toEqual(['stopped', 'summed']);
});

test('what JSON.stringify calls is not interrupted, however deep', async () => {
  const three = (i: number) => Array(3).fill(`{"i":${i},"deep":true}`).join();
  expect(await preempt('deepStacks')).toEqual([three(1), three(2), three(3)]);
});

describe('while preemptible threads compute', () => {
  test('timers, immediates, I/O and other userthreads go on', async () => {
    expect(await preempt('loopGoesOn')).toEqual(['data', 'fs', 'immediate', 'timer', 'userthread']);
  });

  test('microtasks and ticks do, of which nobody is told', async () => {
    expect(await preempt('microtasks')).toBe(false);
  });

  test("Node's own JavaScript is in order", async () => {
    expect(await preempt('nodeBetween')).toEqual({ heard: true, chunks: 3, turns: true });
  });

  test('they are shown as runnable, with their stacks', async () => {
    expect(await preempt('states')).toEqual(['runnable', null, true, true, 'finished']);
  });

  test('the heap is collected and shown', async () => {
    expect(await preempt('heap', ['--expose-gc'])).toEqual({ values: [100, 101, 102], snapshot: true });
  });
});

describe('a region', () => {
  test('is the extent of a call', async () => {
    expect(await preempt('region')).toEqual({ value: true, during: true, after: 0 });
  });

  test('lies in others', async () => {
    expect(await preempt('nested')).toEqual({ value: 'inner', preemptions: true });
  });

  test('and critical sections', async () => {
    expect(await preempt('uninterrupted')).toEqual({
      inside: true,
      thrown: 'mine',
      waited: 0,
      elsewhere: [1, 2],
    });
  });

  test('begins no new slice where another was just left', async () => {
    expect(await preempt('manyRegions')).toEqual([
      ...['critical sections', 'hardly anything else', 'inner regions', 'one region after the other'],
    ]);
  });

  test('ends by exceptions', async () => {
    expect(await preempt('exceptions')).toEqual({ message: 'outer', cause: 'inner', stack: true });
  });

  test('has waits, messages and sleeps in it', async () => {
    expect(await preempt('waits')).toEqual([9, 15, 21]);
  });

  test('tokens stay with who is preempted', async () => {
    expect(await preempt('tokens')).toBe(true);
  });

  test('misuse', async () => {
    const bad = ['ERR_OUT_OF_RANGE', 'ERR_OUT_OF_RANGE'];
    expect(await preempt('misuse')).toEqual({
      thread0: 'ERR_LWKT_WOULD_BLOCK',
      slices: [bad, bad, bad, bad, bad, ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE']],
      notAFunction: ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE'],
      options: ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE'],
      slice: [10, 5],
      main: true,
    });
  });
});

describe('async context', () => {
  test('AsyncLocalStorage', async () => {
    expect(await preempt('asyncLocalStorage')).toEqual({ bad: [], outside: null });
  });

  test('scopes of resources', async () => {
    expect(await preempt('asyncScopes')).toBe('fine');
  });
});

describe('the end of a thread that computes', () => {
  test('by abort: at its next wait', async () => {
    expect(await preempt('abort')).toEqual({
      seen: ['aborted', 'computed on', 'finally'],
      name: 'AbortError',
    });
  });

  test('by terminate: at once, without finally, its token let go of', async () => {
    expect(await preempt('terminate')).toEqual([
      ...['ERR_LWKT_TERMINATED', 'enough', 'has the token', 'finished', true, 'store'],
    ]);
  });

  test('many of them, anywhere', async () => {
    expect(await preempt('terminateMany')).toEqual([['ERR_LWKT_TERMINATED'], 'fine']);
  });

  test('by terminate, where it waits, has not begun, or catches that', async () => {
    const code = 'ERR_LWKT_TERMINATED';
    expect(await preempt('terminateOthers')).toEqual([
      ...['a wait: finally', code, code, 'caught', code, 'ERR_LWKT_DEADLOCK', null],
    ]);
  });

  test('by terminate, in a region that begins later, and when told twice', async () => {
    expect(await preempt('terminateAgain')).toEqual([
      ...['caught', 'ERR_LWKT_TERMINATED', 'caught', 'caught'],
    ]);
  });

  test("by terminate, but not within Node's own JavaScript", async () => {
    expect(await preempt('terminateNowhereElse')).toBe(3);
  });

  test('by terminate, in a critical section that waits', async () => {
    expect(await preempt('criticalTerminate')).toEqual({ code: 'ERR_LWKT_TERMINATED', left: false, told: 1 });
  });
});

describe('elsewhere', () => {
  test('in an rfork, which takes its messages', async () => {
    expect(await preempt('rfork')).toEqual(['first 1', 'second 2', true]);
  });

  test('in a Worker that is terminated', async () => {
    expect(await preempt('worker')).toEqual({ ready: 'all preempted', code: 1, here: 'goes on' });
  });

  test('in a process that exits', async () => {
    const { status, signal, stdout } = await runProgram('preempt/preempt.mjs', { args: ['exit'] });
    expect({ status, signal, stdout }).toEqual({ status: 3, signal: null, stdout: '"exits"\n' });
  });

  test('in a process that an exception ends', async () => {
    const { status, signal, stderr } = await runProgram('preempt/preempt.mjs', { args: ['uncaught'] });
    expect({ status, signal }).toEqual({ status: 1, signal: null });
    expect(stderr).toContain('nobody joins');
  });
});

const strip = spawnSync('strip', ['--version']).error === undefined;

test.skipIf(!strip)('a Node without a symbol table: userthreads run, and preemption is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'libcr-stripped-'));
  const node = join(folder, 'node');
  try {
    copyFileSync(process.execPath, node);
    expect(spawnSync('strip', [node]).status).toBe(0);
    const { status, stdout, stderr } = spawnSync(node, [programPath('preempt/stripped.mjs')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ way: 'looking', sum: 45, code: 'ERR_LWKT_NO_PREEMPTION' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
