/** latency.test.ts: what latency.test.ts of @libcr/syscalls expects, of the calls of a program. How long a delay is, is asked of the timers it sets, not of the clock. */
import { sleep, wait } from '@libcr/core';
import { defineShim, sys } from '@libcr/syscalls';
import { type Delay, type LatencyRule, latency } from '@libcr/syscalls/shims/latency';
import { afterEach, expect, test, vi } from 'vitest';
import { onUserthread } from '../../../syscalls/test/support.ts';
import { ToldProgram, underProgram } from './made-by-program.ts';

afterEach(() => vi.restoreAllMocks());

/** Timers are over at once, and noted. */
function timers(note: (ms: number) => void): void {
  const real = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
    note(ms);
    return real(fn, 0);
  }) as never);
}

test(
  'distributions: the same seed, the same delays',
  onUserthread(() => {
    const program = new ToldProgram([]);
    /** What n calls of getpid are delayed by, in milliseconds. */
    const delays = (rules: LatencyRule[] | Delay, n: number, seed = 1): number[] => {
      const list: number[] = [];
      using _ = program.shim(latency(rules, { seed }));
      timers((ms) => list.push(ms));
      program.inside(() => Array.from({ length: n }, () => sys.getpid()));
      vi.restoreAllMocks();
      return list;
    };
    program.inside(() => sys.getpid()); // it is there
    const only = (ms: Delay): LatencyRule[] => [{ on: ['getpid'], ms }];
    expect(delays(only(5), 3)).toEqual([5, 5, 5]);
    expect(delays(only(0), 3)).toEqual([]);
    const uniform = delays(only({ uniform: [2, 4] }), 200);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...uniform)).toBeLessThan(4);
    expect(delays(only({ uniform: [2, 4] }), 200)).toEqual(uniform);
    expect(delays(only({ uniform: [2, 4] }), 200, 2)).not.toEqual(uniform);
    wait(program.end());
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
      on: ['getppid', 'getpid'],
      shim: (next) => (msg) => {
        const reply = next(msg);
        order.push(msg.name);
        return reply;
      },
    });
    const program = new ToldProgram([latency(rules), watch]);
    program.inside(() => sys.gettid()); // it is there
    order.length = 0;
    timers((ms) => order.push(`wait ${ms}`));
    program.inside(() => [sys.getppid(), sys.getpid()]);
    vi.restoreAllMocks();
    expect(order).toEqual(['getppid', 'getpid', 'wait 3']);
    wait(program.end());
  }),
);

test(
  'who waits is the program’s thread, and nobody else',
  onUserthread(() => {
    let asked = 0;
    const when = (): boolean => {
      asked++;
      return true;
    };
    const program = new ToldProgram([latency([{ on: ['getpid'], ms: 1e8, when }])]);
    const td = program.create(() => {
      try {
        return sys.getpid();
      } catch {
        return 'ended';
      }
    });
    while (asked === 0) sleep(1);
    expect(program.inside(() => sys.getppid())).toBe(process.pid);
    expect(td.state).toBe('blocked');
    process.kill(program.pid, 'SIGKILL');
    expect(td.join()).toBe('ended');
    wait(program.end());
    expect(underProgram([], () => sys.getppid())).toBe(process.pid);
  }),
);
