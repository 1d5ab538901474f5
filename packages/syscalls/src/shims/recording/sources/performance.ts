/**
 * performance.ts: how much time has passed, and where it went: performance, process and os.
 *
 * What is not asked by a call has no stand-in: entries that Node makes by itself, monitorEventLoopDelay(), console.time().
 */
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import type { ClockName } from '../lines.ts';
import { type Any, JSON_TEXT, type Patches, type Reading } from './patches.ts';

const BILLION = 1_000_000_000n;

function patchHrtime(patches: Patches, reading: Reading): void {
  const real = process.hrtime;
  const { bigint } = real;
  const nanoseconds = (): bigint => BigInt(reading('process.hrtime', () => String(bigint())));
  const hrtime = (before?: [number, number]): [number, number] => {
    if (before !== undefined) real(before); // throws for what is no such pair
    const [sec, nsec] = before ?? [0, 0];
    const passed = nanoseconds() - BigInt(sec) * BILLION - BigInt(nsec);
    const rest = ((passed % BILLION) + BILLION) % BILLION;
    return [Number((passed - rest) / BILLION), Number(rest)];
  };
  patches.replace(process, 'hrtime', () => ({ value: Object.assign(hrtime, { bigint: nanoseconds }) }));
}

/** mark() and measure() ask a clock of their own: they are told what it says. */
function patchEntries(patches: Patches, prototype: object, now: () => number): void {
  patches.method(
    prototype,
    'mark',
    (real) =>
      function (this: Any, name: Any, options?: Any) {
        const told = options?.startTime !== undefined;
        return Reflect.apply(real, this, [name, told ? options : { ...options, startTime: now() }]);
      },
  );
  patches.method(
    prototype,
    'measure',
    (real) =>
      function (this: Any, name: Any, start?: Any, end?: Any) {
        const options = typeof start === 'object' && start !== null ? start : { start };
        const told = end !== undefined || options.end !== undefined || options.duration !== undefined;
        if (told) return Reflect.apply(real, this, [name, start, end]);
        const { start: begin, ...rest } = options;
        return Reflect.apply(real, this, [
          name,
          { ...rest, ...(begin !== undefined && { start: begin }), end: now() },
        ]);
      },
  );
}

function patchPerformance(patches: Patches, reading: Reading): void {
  const prototype = Object.getPrototypeOf(performance) as object;
  const real = performance.now;
  const now = (): number => reading('performance.now', () => real.call(performance)) as number;
  patches.method(
    prototype,
    'now',
    () =>
      function (this: Any) {
        if (this !== performance) real.call(this); // throws
        return now();
      },
  );
  patchEntries(patches, prototype, now);
  patches.read(prototype, 'eventLoopUtilization', 'performance.eventLoopUtilization', reading, JSON_TEXT);
  const origin = (read: () => number): number => reading('performance.timeOrigin', read) as number;
  patches.getter(
    prototype,
    'timeOrigin',
    (get) =>
      function (this: Any) {
        const value = Reflect.apply(get, this, []);
        return origin(() => value);
      },
  );
  patches.method(
    prototype,
    'toJSON',
    (toJSON) =>
      function (this: Any) {
        const value = Reflect.apply(toJSON, this, []);
        return { ...value, timeOrigin: origin(() => value.timeOrigin) };
      },
  );
  patchEvents(patches, now);
}

/** When an event was made: when somebody asks first. */
function patchEvents(patches: Patches, now: () => number): void {
  const stamps = new WeakMap<object, number>();
  patches.getter(
    Event.prototype,
    'timeStamp',
    (get) =>
      function (this: Any) {
        Reflect.apply(get, this, []); // throws for what is no event
        const stamp = stamps.get(this) ?? now();
        stamps.set(this, stamp);
        return stamp;
      },
  );
}

export function patchTimes(patches: Patches, reading: Reading): void {
  patchHrtime(patches, reading);
  patchPerformance(patches, reading);
  const numbers: [object, string, ClockName][] = [
    [process, 'uptime', 'process.uptime'],
    [process, 'constrainedMemory', 'process.constrainedMemory'],
    [process, 'availableMemory', 'process.availableMemory'],
    [process.memoryUsage, 'rss', 'process.memoryUsage'],
    [os, 'uptime', 'os.uptime'],
    [os, 'freemem', 'os.freemem'],
  ];
  for (const [object, key, name] of numbers) patches.read(object, key, name, reading);
  const objects: [object, string, ClockName][] = [
    [process, 'cpuUsage', 'process.cpuUsage'],
    [process, 'threadCpuUsage', 'process.threadCpuUsage'],
    [process, 'resourceUsage', 'process.resourceUsage'],
    [process, 'memoryUsage', 'process.memoryUsage'],
    [os, 'loadavg', 'os.loadavg'],
    [os, 'cpus', 'os.cpus'],
  ];
  for (const [object, key, name] of objects) patches.read(object, key, name, reading, JSON_TEXT);
}
