// How programs end that have to do with signals: each case says what is left of it. See ends.test.ts.
import { close, url } from 'node:inspector';
import { create, MsgPort, run, sleep } from '@libcr/core';
import {
  abortOn,
  CLOCK_MONOTONIC,
  kill,
  onsignal,
  sigaction,
  signals,
  sigprocmask,
  sigsuspend,
  sigwait,
  threadKill,
  timer,
} from '@libcr/signals';

const say = (text) => console.log(text);
const alive = () => sigaction('SIGUSR1', () => {}, { ref: true });

const cases = {
  /** Nothing keeps it alive. */
  idle() {
    sigaction('SIGUSR1', () => {});
    sigaction('SIGUSR2', 'ignore');
    abortOn('SIGHUP');
    signals('SIGHUP').next();
    onsignal(new MsgPort(), 'SIGHUP');
    timer(CLOCK_MONOTONIC, { first: 60_000 });
    create(() => sigwait('SIGTERM'), { daemon: true });
    say('idle');
  },
  /** It ends when the handler has been replaced. */
  ref() {
    sigaction('SIGUSR1', () => sigaction('SIGUSR1', 'default') && say('handled'), { ref: true });
    say('ready');
  },
  unref() {
    alive().unref();
    alive().unref().ref().unref();
    say('unref');
  },
  once() {
    sigaction('SIGUSR1', () => say('once'), { ref: true, once: true });
    say('ready');
  },
  /** A userthread that waits keeps it alive. */
  sigwait() {
    run(() => {
      sigprocmask('block', 'SIGUSR1');
      say('ready');
      say(sigwait('SIGUSR1').signal);
    });
  },
  sigsuspend() {
    run(() => {
      sigaction('SIGUSR1', () => {});
      say('ready');
      sigsuspend();
      say('over');
    });
  },
  timer() {
    sigaction('SIGALRM', () => {
      say('expired');
      t.delete();
    });
    const t = timer(CLOCK_MONOTONIC, { first: 5, ref: true });
  },
  /** Default actions end it, as without this package. */
  term() {
    sigaction('SIGTERM', () => {});
    sigaction('SIGTERM', 'default');
    alive();
    say('ready');
  },
  blocked() {
    run(() => {
      sigprocmask('block', 'SIGTERM');
      kill(process.pid, 'SIGTERM');
      say('pending');
      sigprocmask('unblock', 'SIGTERM');
      sleep(60_000);
    });
  },
  /** Read here, as somebody has waited for it. */
  waited() {
    run(() => {
      try {
        sigwait('SIGPWR', { timeout: 1 });
      } catch {
        say('ready');
      }
      sleep(60_000);
    });
  },
  thread() {
    run(() => {
      const td = create(() => sleep(60_000));
      sleep(1);
      threadKill(td, 'SIGQUIT');
    });
  },
  fault() {
    run(() => {
      sigaction('SIGSEGV', () => say('caught'), { once: true });
      kill(process.pid, 'SIGSEGV');
      kill(process.pid, 'SIGSEGV');
    });
  },
  resetting() {
    run(() => {
      sigaction('SIGUSR2', () => say('caught'), { once: true });
      kill(process.pid, 'SIGUSR2');
      kill(process.pid, 'SIGUSR2');
    });
  },
  second() {
    const signal = abortOn('SIGINT');
    signal.addEventListener('abort', () => say('aborted'));
    run(() => sleep(60_000));
    say('ready');
  },
  /** 'default' is Node's own. */
  inspector() {
    sigaction('SIGUSR1', () => say('mine'));
    sigaction('SIGUSR1', 'default');
    const look = setInterval(() => {
      if (url() === undefined) return;
      clearInterval(look);
      close();
    }, 1);
    say('ready');
  },
  thrown() {
    sigaction('SIGUSR1', () => {
      throw new RangeError('mine');
    });
    sleepLong();
    say('ready');
  },
};

function sleepLong() {
  setTimeout(() => {}, 60_000);
}

cases[process.argv[2]]();
