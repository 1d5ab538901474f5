// What the standard says of timers and alarm. See conformance.test.ts.
import { sleep } from '@libcr/core';
import {
  alarm,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_THREAD_CPUTIME_ID,
  SI_TIMER,
  sigaction,
  sigpending,
  sigprocmask,
  sigwait,
  timer,
} from '@libcr/signals';
import { assert, conform, fails, noted, throwsCode, until } from './cases.mjs';

await conform({
  'a timer expires once after `first`, and its signal says whose it is': () => {
    sigprocmask('block', 'SIGUSR1');
    const begun = performance.now();
    const t = timer(CLOCK_MONOTONIC, { signal: 'SIGUSR1', first: 10, value: 42 });
    const left = t.left; // 0 where that took so long
    const info = sigwait('SIGUSR1');
    assert.ok(performance.now() - begun >= 10);
    assert.deepEqual([info.code, info.value, info.timer, info.overrun], [SI_TIMER, 42, t.id, 0]);
    assert.ok(left >= 0 && left <= 10);
    assert.deepEqual([t.left, t.interval, t.signal], [0, 0, 'SIGUSR1']);
  },

  'with an interval it expires again and again': () => {
    const infos = noted('SIGALRM');
    const t = timer(CLOCK_MONOTONIC, { interval: 2 });
    until(() => infos.length >= 3);
    t.delete();
    const { length } = infos;
    sleep(10);
    assert.ok(infos.length <= length + 1, 'one may have been under way');
  },

  'expiries while its signal is pending are counted': () => {
    sigprocmask('block', 'SIGALRM');
    const t = timer(CLOCK_MONOTONIC, { interval: 1 });
    const end = performance.now() + 20;
    while (performance.now() < end); // the event loop does not turn, and the clock goes on
    const { overrun } = sigwait('SIGALRM');
    assert.ok(overrun >= 15, String(overrun));
    assert.equal(typeof t.overrun, 'number');
    t.delete();
    sigaction('SIGALRM', 'ignore'); // it may have expired once more, and this thread, which blocks it, ends
  },

  'also those that are read while nobody takes it: a timer has one signal, and the counts add up': () => {
    sigprocmask('block', 'SIGRTMIN+3');
    const begun = performance.now();
    const t = timer(CLOCK_MONOTONIC, { signal: 'SIGRTMIN+3', interval: 1 });
    sleep(30); // the event loop reads them meanwhile
    t.set({ first: 0 });
    const periods = performance.now() - begun;
    const { overrun } = sigwait('SIGRTMIN+3');
    assert.ok(overrun >= 15 && overrun < periods, `${overrun} in ${periods} ms`);
    fails('EAGAIN', 'sigtimedwait', () => sigwait('SIGRTMIN+3', { timeout: 0 }));
    t.delete();
  },

  'set arms it anew, 0 disarms it': () => {
    sigprocmask('block', 'SIGALRM');
    const t = timer(CLOCK_MONOTONIC);
    assert.equal(t.left, 0);
    t.set({ first: 60_000, interval: 5_000 });
    const { left } = t;
    assert.ok(left > 30_000 && left <= 60_000, String(left));
    assert.equal(t.interval, 5_000);
    t.set({ first: 0 });
    assert.equal(t.left, 0);
    t.set({ first: 0.5 });
    sigwait('SIGALRM');
  },

  'a point in time of CLOCK_REALTIME; one that has passed expires at once': () => {
    sigprocmask('block', 'SIGALRM');
    const when = Date.now() + 20;
    using(timer(CLOCK_REALTIME, { first: when, absolute: true }), () => {
      sigwait('SIGALRM');
      assert.ok(Date.now() >= when);
    });
    using(timer(CLOCK_REALTIME, { first: when, absolute: true }), () => sigwait('SIGALRM'));
  },

  'CPU time, of the process and of the thread': () => {
    sigprocmask('block', 'SIGALRM');
    for (const clock of [CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID]) {
      const before = process.cpuUsage();
      const t = timer(clock, { first: 20 });
      while (!sigpending().has('SIGALRM'));
      const { user, system } = process.cpuUsage(before);
      assert.ok(user + system >= 15_000, String(user + system));
      assert.equal(sigwait('SIGALRM').timer, t.id);
      t.delete();
    }
  },

  'EINVAL for a clock that there is not, and for a timer that has been deleted': () => {
    fails('EINVAL', 'timer_create', () => timer(77));
    fails('EINVAL', 'timer_create', () => timer(CLOCK_MONOTONIC, { signal: 'SIGKILL' }));
    const t = timer(CLOCK_MONOTONIC);
    t[Symbol.dispose]();
    t.delete();
    fails('EINVAL', 'timer_settime', () => t.set({ first: 1 }));
    fails('EINVAL', 'timer_gettime', () => t.left);
    fails('EINVAL', 'timer_getoverrun', () => t.overrun);
    assert.equal(String(t), `Timer ${t.id} SIGALRM deleted`);
  },

  'alarm: SIGALRM after that time; it answers what was left of the one before': () => {
    sigprocmask('block', 'SIGALRM');
    assert.equal(alarm(60_000), 0);
    const left = alarm(5);
    assert.ok(left > 30_000 && left <= 60_000, String(left));
    const begun = performance.now();
    sigwait('SIGALRM');
    assert.ok(performance.now() - begun >= 4);
    alarm(60_000);
    assert.ok(alarm(0) > 0);
    assert.equal(alarm(0), 0);
  },

  'misuse is an error with a code': () => {
    throwsCode('ERR_INVALID_ARG_TYPE', () => timer('1'));
    throwsCode('ERR_OUT_OF_RANGE', () => timer(1.5));
    throwsCode('ERR_INVALID_ARG_TYPE', () => timer(CLOCK_MONOTONIC, null));
    throwsCode('ERR_OUT_OF_RANGE', () => timer(CLOCK_MONOTONIC, { first: -1 }));
    throwsCode('ERR_OUT_OF_RANGE', () => timer(CLOCK_MONOTONIC, { first: Number.NaN }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => timer(CLOCK_MONOTONIC, { interval: '1' }));
    throwsCode('ERR_OUT_OF_RANGE', () => timer(CLOCK_MONOTONIC, { value: 2 ** 31 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => timer(CLOCK_MONOTONIC, { ref: 1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => timer(CLOCK_MONOTONIC).set());
    for (const signal of ['SIGPROF', 'SIGSEGV', 'SIGFPE'])
      throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => timer(CLOCK_MONOTONIC, { signal }));
    throwsCode('ERR_OUT_OF_RANGE', () => alarm(-1));
    throwsCode('ERR_INVALID_ARG_TYPE', () => alarm('1'));
  },
});

function using(resource, fn) {
  try {
    fn();
  } finally {
    resource[Symbol.dispose]();
  }
}
