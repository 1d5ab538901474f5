/**
 * clock.ts: what programs ask besides system calls: Date, performance.now(), process.hrtime() and Math.random(), asked through a function.
 *
 * Not here: node:crypto and node:perf_hooks' other times; timers, which run by the real clock.
 *
 * Invariant: after the function that is returned has been called, all is as it was.
 */
import { performance } from 'node:perf_hooks';
import type { ClockName } from './lines.ts';

/** Answers a reading: the real one, kept, or one that was kept. */
export type Reading = (name: ClockName, read: () => number | string) => number | string;

const BILLION = 1_000_000_000n;

function wrapDate(now: () => number): () => void {
  const { Date: RealDate } = globalThis;
  const realNow = RealDate.now;
  const wrapped: DateConstructor = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [now()] : args,
        newTarget === wrapped ? target : newTarget,
      ),
    apply: () => new RealDate(now()).toString(),
  });
  RealDate.now = now;
  RealDate.prototype.constructor = wrapped;
  globalThis.Date = wrapped;
  return () => {
    RealDate.now = realNow;
    RealDate.prototype.constructor = RealDate;
    globalThis.Date = RealDate;
  };
}

function wrapHrtime(nanoseconds: () => bigint): () => void {
  const real = process.hrtime;
  const hrtime = (before?: [number, number]): [number, number] => {
    if (before !== undefined) real(before); // throws for what is no such pair
    const [sec, nsec] = before ?? [0, 0];
    const passed = nanoseconds() - BigInt(sec) * BILLION - BigInt(nsec);
    const rest = ((passed % BILLION) + BILLION) % BILLION;
    return [Number((passed - rest) / BILLION), Number(rest)];
  };
  process.hrtime = Object.assign(hrtime, { bigint: nanoseconds });
  return () => {
    process.hrtime = real;
  };
}

/** Puts a function in front of the clocks; what is returned takes it away again. */
export function wrapClock(reading: Reading): () => void {
  const { now, random, bigint } = {
    now: Date.now,
    random: Math.random,
    bigint: process.hrtime.bigint,
  };
  const performanceNow = performance.now;
  const restoreDate = wrapDate(() => reading('Date.now', now) as number);
  const restoreHrtime = wrapHrtime(() => BigInt(reading('process.hrtime', () => String(bigint()))));
  Math.random = () => reading('Math.random', random) as number;
  performance.now = () => reading('performance.now', () => performanceNow.call(performance)) as number;
  return () => {
    restoreDate();
    restoreHrtime();
    Math.random = random;
    performance.now = performanceNow;
  };
}
