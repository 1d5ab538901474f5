/**
 * limits.test.ts: twenty thousand threads at once, endless recursion, a C stack that is too small, no memory
 * for more stacks.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcome, programPath, runProgram, stressed } from './run.ts';

const limits = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('limits.mjs', { args: [name], flags: ['--expose-gc'], timeout: 300_000 });

const timeout = 310_000;

describe('many threads', () => {
  describe('suspended in the middle of JavaScript', () => {
    let seen: Record<string, number>;
    beforeAll(async () => {
      seen = await limits<Record<string, number>>('many');
      console.log(
        `limits.test.ts: ${seen.each.toFixed(1)} KiB of RSS for each of ${seen.n} suspended threads`,
      );
    }, timeout);

    test('all are there, and all finish', () => {
      expect(seen).toMatchObject({ alive: true, seen: true, right: true, again: 'works' });
    });

    test('each takes 20 KiB of memory at most', () => {
      // under stress flags there are few of them, and V8's own heap counts in
      expect(seen.each).toBeLessThanOrEqual(stressed ? 60 : 20);
    });

    test('the memory of the finished ones goes back', () => {
      expect(seen.pooled).toBeLessThan(seen.n / 10);
      expect(seen.retired).toBeGreaterThan(0.5);
      // The rest is what V8 and malloc keep of their own: a stack is no larger a part of it all since it has no TLS block.
      if (!stressed) expect(seen.left).toBeLessThan(0.65);
    });
  });

  test('one after the other use the same stacks', { timeout }, async () => {
    expect(await limits('createAndFinish')).toEqual({ all: true, stacks: true, alive: 0 });
  });
});

describe('the stack', () => {
  test('endless recursion is a RangeError, also where the runtime recurses', {
    timeout: 310_000,
  }, async () => {
    const { uncaught, afterwards, ...seen } = await limits<Record<string, string[]>>('recursion');
    expect({ uncaught, afterwards }).toEqual({ uncaught: 'RangeError', afterwards: 'fine' });
    const always = ['recurse', 'sorts', 'replaces', 'parses', 'proxies'];
    for (const name of always)
      expect({ [name]: seen[name] }).toEqual({ [name]: Array(3).fill('RangeError') });
    // what the others do depends on the version of V8; they answer or throw
    for (const results of Object.values(seen))
      for (const result of results) expect(['returned', 'RangeError', 'SyntaxError']).toContain(result);
  });

  test('recursion that waits on its way down', { timeout }, async () => {
    expect(await limits('recursionWithWaits')).toEqual({ name: 'RangeError', deep: true });
  });

  describe('of C', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'libcr-overrun-'));
      const args = ['-shared', '-fPIC', '-O1', '-o', join(folder, 'overrun.node'), programPath('overrun.c')];
      const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' });
      if (status !== 0) throw error ?? new Error(stderr);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('an overrun hits the guard page, and the message names the thread', async () => {
      const args = ['overrun', join(folder, 'overrun.node')];
      const { signal, stdout, stderr } = await runProgram('limits.mjs', { args });
      expect({ signal, stdout }).toEqual({ signal: 'SIGSEGV', stdout: 'fits true\n' });
      expect(stderr).toMatch(
        /^libcr: userthread \d+ "grünspan" overran its C stack of 2048 KiB; create it with a larger/m,
      );
    });
  });
});

test('no memory for more stacks: those threads fail with ERR_LWKT_NO_STACK, the rest goes on', async () => {
  expect(await limits('noStack')).toMatchObject({
    some: true,
    all: true,
    error: {
      code: 'ERR_LWKT_NO_STACK',
      message: expect.stringMatching(/^userthread #\d+ "big \d+" could not/),
    },
    codes: ['ERR_LWKT_NO_STACK'],
    states: true,
    again: 'works again',
  });
});
