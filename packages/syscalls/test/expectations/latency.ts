/** latency.ts: what is expected of the latency shim, whoever makes the calls. How long a delay is, is asked of the timers it sets, not of the clock. */
import { afterEach, expect, test, vi } from 'vitest';
import { defineShim, sys } from '../../src/index.ts';
import { type Delay, type LatencyRule, latency } from '../../src/shims/latency.ts';
import { onUserthread } from '../support.ts';
import { until, type Way } from './caller.ts';

/** Timers are over at once, and noted. */
function timers(note: (ms: number) => void): void {
  const real = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
    note(ms);
    return real(fn, 0);
  }) as never);
}

const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

export function expectLatency(way: Way): void {
  afterEach(() => vi.restoreAllMocks());

  test(
    'distributions: the same seed, the same delays',
    onUserthread(() => {
      const caller = way.begin([]);
      caller.inside(() => sys.getpid()); // it is there
      /** What n calls of getpid are delayed by, in milliseconds. */
      const delays = (rules: LatencyRule[] | Delay, n: number, seed = 1): number[] => {
        const list: number[] = [];
        using _ = caller.shim(latency(rules, { seed }));
        timers((ms) => list.push(ms));
        caller.inside(() => Array.from({ length: n }, () => sys.getpid()));
        vi.restoreAllMocks();
        return list;
      };
      const many = way.isProgram ? 200 : 500;
      expect(delays(5, 3)).toEqual([5, 5, 5]);
      expect(delays(0, 3)).toEqual([]);
      const uniform = delays({ uniform: [2, 4] }, many);
      expect(Math.min(...uniform)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...uniform)).toBeLessThan(4);
      expect(mean(uniform)).toBeCloseTo(3, 0);
      const normal = delays({ normal: { mean: 50, deviation: 2 } }, many);
      expect(mean(normal)).toBeCloseTo(50, 0);
      const deviation = Math.sqrt(mean(normal.map((ms) => (ms - 50) ** 2)));
      expect(deviation).toBeGreaterThan(1.7);
      expect(deviation).toBeLessThan(2.3);
      const exponential = delays({ exponential: { mean: 10 } }, many);
      expect(mean(exponential)).toBeGreaterThan(8.5);
      expect(mean(exponential)).toBeLessThan(11.5);
      expect(delays({ uniform: [2, 4] }, many)).toEqual(uniform);
      expect(delays({ uniform: [2, 4] }, many, 2)).not.toEqual(uniform);
      caller.end();
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
      const watch = defineShim({
        name: 'watch',
        on: 'all',
        shim: (next) => (msg) => {
          const reply = next(msg);
          order.push(msg.name);
          return reply;
        },
      });
      const caller = way.begin([latency(rules), watch]);
      caller.inside(() => sys.getppid()); // it is there
      order.length = 0;
      timers((ms) => order.push(`wait ${ms}`));
      caller.inside(() => [sys.getppid(), sys.getpid()]);
      vi.restoreAllMocks();
      expect(order).toEqual(['getppid', 'getpid', 'wait 3']);
      caller.end();
    }),
  );

  test(
    'who waits is the thread that calls, and nobody else; what ends it ends the wait',
    onUserthread(() => {
      let asked = 0;
      const when = (): boolean => {
        asked++;
        return true;
      };
      const caller = way.begin([latency([{ on: ['getpid'], ms: 1e8, when }])]);
      const td = caller.create(() => {
        try {
          return sys.getpid();
        } catch {
          return 'ended';
        }
      });
      until(() => asked > 0);
      expect(caller.inside(() => sys.getppid())).toBe(way.isProgram ? process.pid : process.ppid);
      expect(td.state).toBe('blocked');
      caller.interrupt(td);
      expect(td.join()).toBe('ended');
      caller.end();
    }),
  );
}
