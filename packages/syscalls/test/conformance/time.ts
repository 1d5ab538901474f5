/** time.ts: conformance of clocks, timers and sleeping. */
import { constants as c, sys } from '../../src/index.ts';
import { type Cases, raw } from './case.ts';

/** Whether a time in seconds is between two of Date's. */
const isNow = (read: () => number): boolean => {
  const before = Math.floor(Date.now() / 1000);
  const seconds = read();
  return seconds >= before - 1 && seconds <= Date.now() / 1000 + 1;
};
const timer = (): number => sys.timer_create(c.CLOCK_MONOTONIC, { signal: 0 });

export const time: Cases = {
  nanosleep: {
    works: () => {
      const before = performance.now();
      sys.nanosleep(5);
      return [performance.now() - before >= 5, true];
    },
    fails: {
      EINVAL: () => sys.nanosleep({ sec: 0, nsec: 1e9 }),
      ERR_INVALID_ARG_TYPE: () => sys.nanosleep('1' as never),
    },
  },
  clock_nanosleep: {
    works: () => [sys.clock_nanosleep(c.CLOCK_MONOTONIC, c.TIMER_ABSTIME, { sec: 0, nsec: 1 }), undefined],
    fails: { EINVAL: () => sys.clock_nanosleep(99, 0, 1) },
  },
  time: { works: () => [isNow(() => sys.time()), true] },
  gettimeofday: { works: () => [isNow(() => sys.gettimeofday().sec), true] },
  settimeofday: {
    why: "would set the machine's clock",
    fails: { EINVAL: () => sys.settimeofday({ sec: 0, nsec: 2e9 }) },
  },
  clock_gettime: {
    works: () => {
      const before = process.hrtime.bigint();
      const { sec, nsec } = sys.clock_gettime(c.CLOCK_MONOTONIC);
      const now = BigInt(sec) * 1_000_000_000n + BigInt(nsec);
      return [now >= before && now <= process.hrtime.bigint(), true];
    },
    fails: { EINVAL: () => sys.clock_gettime(99) },
  },
  clock_settime: {
    why: "would set the machine's clock",
    fails: { EINVAL: () => sys.clock_settime(c.CLOCK_MONOTONIC, 1) },
  },
  clock_getres: {
    works: () => [sys.clock_getres(c.CLOCK_MONOTONIC), { sec: 0, nsec: 1 }],
    fails: { EINVAL: () => sys.clock_getres(99) },
  },
  adjtimex: {
    works: () => [raw('adjtimex', Buffer.alloc(208)) >= 0, true],
    fails: { ERR_OUT_OF_RANGE: () => raw('adjtimex', Buffer.alloc(207)) },
  },
  clock_adjtime: {
    works: () => [raw('clock_adjtime', c.CLOCK_REALTIME, Buffer.alloc(208)) >= 0, true],
    fails: { EINVAL: () => raw('clock_adjtime', 99, Buffer.alloc(208)) },
  },
  getitimer: {
    works: () => [sys.getitimer(c.ITIMER_VIRTUAL).interval, { sec: 0, usec: 0 }],
    fails: { EINVAL: () => sys.getitimer(99) },
  },
  setitimer: {
    works: () => {
      sys.setitimer(c.ITIMER_VIRTUAL, { value: 1e6, interval: 2e6 });
      return [sys.setitimer(c.ITIMER_VIRTUAL, { value: 0 }).interval, { sec: 2000, usec: 0 }];
    },
    fails: { EINVAL: () => sys.setitimer(99, { value: 0 }) },
  },
  alarm: {
    works: () => {
      sys.alarm(1000);
      return [sys.alarm(0), 1000];
    },
    fails: { ERR_INVALID_ARG_TYPE: () => sys.alarm('1' as never) },
  },
  timer_create: {
    works: () => {
      const id = timer();
      return [sys.timer_delete(id), undefined];
    },
    fails: {
      EINVAL: () => sys.timer_create(99),
      ERR_OUT_OF_RANGE: () => sys.timer_create(0, { signal: 99 }),
    },
  },
  timer_settime: {
    works: () => {
      const id = timer();
      sys.timer_settime(id, 0, { value: 1e6, interval: 2e6 });
      const { interval } = sys.timer_settime(id, 0, { value: 0 });
      sys.timer_delete(id);
      return [interval, { sec: 2000, nsec: 0 }];
    },
    fails: { EINVAL: () => sys.timer_settime(9999, 0, { value: 0 }) },
  },
  timer_gettime: {
    works: () => {
      const id = timer();
      const { value } = sys.timer_gettime(id);
      sys.timer_delete(id);
      return [value, { sec: 0, nsec: 0 }];
    },
    fails: { EINVAL: () => sys.timer_gettime(9999) },
  },
  timer_getoverrun: {
    works: () => {
      const id = timer();
      const overrun = sys.timer_getoverrun(id);
      sys.timer_delete(id);
      return [overrun, 0];
    },
    fails: { EINVAL: () => sys.timer_getoverrun(9999) },
  },
  timer_delete: {
    works: () => [sys.timer_delete(timer()), undefined],
    fails: { EINVAL: () => sys.timer_delete(9999) },
  },
  times: {
    works: () => {
      const before = process.cpuUsage();
      const { utime, stime } = sys.times();
      return [(utime + stime) * 10_000 <= before.user + before.system + 1e6, true];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('times', Buffer.alloc(31)) },
  },
};
