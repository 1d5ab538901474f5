/** latency.test.ts: the latency shim. How long a delay is, is asked of the timers it sets, not of the clock. */
import { create } from '@libcr/core';
import { afterEach, expect, test, vi } from 'vitest';
import { defineShim, sys } from '../src/index.ts';
import { type Delay, type LatencyRule, latency } from '../src/shims/latency.ts';
import { errorOf, onUserthread } from './support.ts';

afterEach(() => vi.restoreAllMocks());

/** What n calls of getpid are delayed by, in milliseconds. */
function delays(rules: LatencyRule[] | Delay, n: number, seed = 1): number[] {
  const list: number[] = [];
  const real = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
    list.push(ms);
    return real(fn, 0);
  }) as never);
  create(() => Array.from({ length: n }, () => sys.getpid()), {
    syscallPort: sys.with(latency(rules, { seed })),
  }).join();
  vi.restoreAllMocks();
  return list;
}

test(
  'distributions',
  onUserthread(() => {
    expect(delays(5, 3)).toEqual([5, 5, 5]);
    expect(delays(0, 3)).toEqual([]);
    const uniform = delays({ uniform: [2, 4] }, 500);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...uniform)).toBeLessThan(4);
    const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    expect(mean(uniform)).toBeCloseTo(3, 0);
    const normal = delays({ normal: { mean: 50, deviation: 2 } }, 500);
    expect(mean(normal)).toBeCloseTo(50, 0);
    const deviation = Math.sqrt(mean(normal.map((ms) => (ms - 50) ** 2)));
    expect(deviation).toBeGreaterThan(1.7);
    expect(deviation).toBeLessThan(2.3);
    const exponential = delays({ exponential: { mean: 10 } }, 500);
    expect(mean(exponential)).toBeGreaterThan(8.5);
    expect(mean(exponential)).toBeLessThan(11.5);
    expect(delays({ uniform: [2, 4] }, 500)).toEqual(uniform);
    expect(delays({ uniform: [2, 4] }, 500, 2)).not.toEqual(uniform);
  }),
);

test(
  'the first rule that fits decides; before and after the call',
  onUserthread(() => {
    const rules: LatencyRule[] = [
      { on: ['getppid'], ms: 0 },
      { ms: 3, at: 'after' },
    ];
    const order: string[] = [];
    const real = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
      order.push(`wait ${ms}`);
      return real(fn, 0);
    }) as never);
    const watch = defineShim({
      name: 'watch',
      on: 'all',
      shim: (next) => (msg) => {
        const reply = next(msg);
        order.push(msg.name);
        return reply;
      },
    });
    const port = sys.with(latency(rules), watch);
    create(() => [sys.getppid(), sys.getpid()], { syscallPort: port }).join();
    expect(order).toEqual(['getppid', 'getpid', 'wait 3']);
  }),
);

test.each<[unknown, string, RegExp]>([
  ['5', 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.ms/],
  [-1, 'ERR_OUT_OF_RANGE', /rules\[0\]\.ms/],
  [{}, 'ERR_INVALID_ARG_VALUE', /one distribution/],
  [{ uniform: [1] }, 'ERR_INVALID_ARG_TYPE', /uniform/],
  [{ uniform: [2, 1] }, 'ERR_OUT_OF_RANGE', /uniform\[1\]/],
  [{ normal: { mean: 1 } }, 'ERR_INVALID_ARG_TYPE', /normal\.deviation/],
  [{ exponential: { mean: -1 } }, 'ERR_OUT_OF_RANGE', /exponential\.mean/],
  [{ gaussian: 1 }, 'ERR_INVALID_ARG_VALUE', /has no "gaussian"/],
  [[{ on: ['read'] }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.ms/],
  [[{ ms: 1, at: 'end' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.at/],
])('no rules: %j', (rules, code, message) => {
  expect(errorOf(() => latency(rules as Delay))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
