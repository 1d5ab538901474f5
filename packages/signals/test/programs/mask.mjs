// What the standard says of masks, pending signals, and who takes what is for the process. See conformance.test.ts.
import { execFileSync } from 'node:child_process';
import { create, curthread, sleep } from '@libcr/core';
import {
  kill,
  SigSet,
  sigaction,
  sigpending,
  sigprocmask,
  sigqueue,
  sigwait,
  threadKill,
} from '@libcr/signals';
import {
  assert,
  byKernel,
  conform,
  fromOutside,
  noted,
  onThread0,
  settle,
  started,
  throwsCode,
  until,
} from './cases.mjs';

await conform({
  'a blocked signal stays pending, and is delivered before the call returns that unblocks it': () => {
    const infos = noted('SIGUSR1');
    sigprocmask('block', ['SIGUSR1']);
    kill(process.pid, 'SIGUSR1');
    kill(process.pid, 'SIGUSR1');
    settle();
    assert.deepEqual([...sigpending()], ['SIGUSR1']);
    assert.equal(infos.length, 0);
    sigprocmask('unblock', ['SIGUSR1']);
    assert.equal(infos.length, 1, 'one, as standard signals are merged');
    assert.deepEqual([...sigpending()], []);
  },

  'so is one that another process has sent': () => {
    const infos = noted('SIGUSR1');
    sigprocmask('block', 'SIGUSR1');
    execFileSync('/bin/sh', ['-c', `kill -USR1 ${process.pid}`]);
    assert.ok(sigpending().has('SIGUSR1'));
    sigprocmask('unblock', 'SIGUSR1');
    assert.equal(infos.length, 1);
  },

  'so is one that a thread has been sent': () => {
    const log = [];
    sigaction('SIGUSR1', () => log.push(curthread().name));
    let go = false;
    const td = create(
      () => {
        sigprocmask('block', 'SIGUSR1');
        until(() => go);
        log.push([...sigpending()].join());
        sigprocmask('unblock', 'SIGUSR1');
        log.push('returned');
      },
      { name: 'mine' },
    );
    settle();
    threadKill(td, 'SIGUSR1');
    settle();
    assert.deepEqual([...sigpending()], [], 'it is pending for that one');
    go = true;
    td.join();
    assert.deepEqual(log, ['SIGUSR1', 'mine', 'returned']);
  },

  'block adds, unblock takes away, setmask replaces; each answers what was before': () => {
    assert.deepEqual([...sigprocmask('block', ['SIGUSR1', 'SIGHUP'])], []);
    assert.deepEqual([...sigprocmask('block', 'SIGUSR2')], ['SIGHUP', 'SIGUSR1']);
    assert.deepEqual([...sigprocmask('unblock', ['SIGHUP', 'SIGTERM'])], ['SIGHUP', 'SIGUSR1', 'SIGUSR2']);
    const before = sigprocmask('setmask', [64, 'SIGINT']);
    assert.deepEqual([...before], ['SIGUSR1', 'SIGUSR2']);
    assert.deepEqual([...sigprocmask()], ['SIGINT', 'SIGRTMAX']);
    sigprocmask('setmask', before);
    assert.deepEqual([...sigprocmask()], ['SIGUSR1', 'SIGUSR2']);
  },

  'what it answers makes it the mask again, at the end of a block': () => {
    const previous = sigprocmask('block', 'SIGUSR1');
    previous[Symbol.dispose]();
    assert.equal(sigprocmask().size, 0);
  },

  'SIGKILL and SIGSTOP cannot be blocked, and that is no error': () => {
    sigprocmask('block', SigSet.all());
    const mask = sigprocmask();
    assert.deepEqual(
      [mask.has('SIGKILL'), mask.has('SIGSTOP'), mask.has('SIGTERM'), mask.size],
      [false, false, true, 60],
    );
  },

  'a userthread inherits the mask of the one that creates it, and then has its own': () => {
    sigprocmask('block', ['SIGUSR1', 'SIGRTMIN']);
    const seen = [];
    const td = create(() => {
      seen.push([...sigprocmask()]);
      sigprocmask('setmask', []);
      sleep(1);
      seen.push([...sigprocmask()]);
    });
    sigprocmask('unblock', 'SIGUSR1');
    td.join();
    assert.deepEqual(seen, [['SIGUSR1', 'SIGRTMIN'], []]);
    assert.deepEqual([...sigprocmask()], ['SIGRTMIN']);
  },

  'what is pending for a thread is not inherited': () => {
    const infos = noted('SIGUSR1');
    sigprocmask('block', 'SIGUSR1');
    threadKill(curthread(), 'SIGUSR1');
    create(() => {
      assert.deepEqual([...sigpending()], []);
      sigprocmask('unblock', 'SIGUSR1');
    }).join();
    assert.equal(infos.length, 0);
    sigprocmask('unblock', 'SIGUSR1');
    assert.equal(infos.length, 1);
  },

  'a signal for the process is taken as soon as one thread does not block it': () => {
    const infos = noted('SIGUSR1');
    sigprocmask('block', 'SIGUSR1');
    let go = false;
    const other = started(() => {
      until(() => go);
      sigprocmask('unblock', 'SIGUSR1');
      sleep(1);
    });
    byKernel('SIGUSR1');
    sleep(5);
    assert.equal(infos.length, 0);
    go = true;
    other.join();
    assert.equal(infos.length, 1);
  },

  'one that has a thread that does not block it is not held by another that does': () => {
    const infos = noted('SIGUSR1');
    const other = started(() => sleep(60_000));
    sigprocmask('block', 'SIGUSR1');
    byKernel('SIGUSR1');
    until(() => infos.length === 1);
    other.abort();
  },

  'when the threads have ended that block it, the event loop takes it': () => {
    const infos = noted('SIGUSR1');
    const td = create(() => {
      sigprocmask('block', 'SIGUSR1');
      sleep(5);
    });
    sigprocmask('block', 'SIGUSR1');
    settle();
    byKernel('SIGUSR1');
    td.join();
    assert.equal(infos.length, 0);
    // This thread is the last one. Where nobody takes it, the program never ends.
    const clock = setInterval(() => infos.length === 1 && clearInterval(clock), 1);
  },

  'the event loop takes what has been set on it, whatever userthreads block': () => {
    const infos = onThread0(() => noted('SIGUSR1'));
    sigprocmask('block', 'SIGUSR1');
    byKernel('SIGUSR1');
    until(() => infos.length === 1);
  },

  'its own mask is inherited, too, and holds it back': () => {
    const infos = onThread0(() => {
      sigprocmask('block', 'SIGUSR1');
      return noted('SIGUSR1');
    });
    sigprocmask('block', 'SIGUSR1');
    onThread0(() =>
      create(() => {
        assert.deepEqual([...sigprocmask()], ['SIGUSR1']);
      }),
    );
    byKernel('SIGUSR1');
    sleep(5);
    assert.equal(infos.length, 0);
    onThread0(() => sigprocmask('unblock', 'SIGUSR1'));
    until(() => infos.length === 1);
  },

  'a blocked signal whose action ends the process is pending, too': () => {
    sigprocmask('block', ['SIGTERM', 'SIGALRM', 'SIGRTMIN+5']);
    kill(process.pid, 'SIGTERM');
    threadKill(curthread(), 'SIGALRM');
    fromOutside('SIGTERM');
    sigqueue(process.pid, 'SIGRTMIN+5', 1);
    assert.deepEqual([...sigpending()], ['SIGALRM', 'SIGTERM', 'SIGRTMIN+5']);
    assert.equal(sigwait('SIGTERM').signal, 'SIGTERM');
    assert.equal(sigwait('SIGALRM').signal, 'SIGALRM');
    assert.equal(sigwait('SIGRTMIN+5').value, 1);
  },

  'what is more than is kept here is kept by the kernel, in its order': () => {
    const infos = noted('SIGRTMIN+2');
    sigprocmask('block', 'SIGRTMIN+2');
    for (let i = 0; i < 5000; i++) sigqueue(process.pid, 'SIGRTMIN+2', i);
    settle();
    sigprocmask('unblock', 'SIGRTMIN+2');
    until(() => infos.length === 5000);
    assert.ok(infos.every(({ value }, i) => value === i));
  },

  'EAGAIN where the queue of threads is full': () => {
    sigprocmask('block', 'SIGRTMIN');
    const limit = Number(execFileSync('/bin/bash', ['-c', 'ulimit -i'], { encoding: 'utf8' }));
    const error = { code: undefined };
    for (let i = 0; i <= limit && error.code === undefined; i++) {
      try {
        threadKill(curthread(), 'SIGRTMIN', i);
      } catch ({ code, syscall }) {
        Object.assign(error, { code, syscall, i });
      }
    }
    assert.deepEqual(error, { code: 'EAGAIN', syscall: 'pthread_sigqueue', i: limit });
    assert.equal(sigwait('SIGRTMIN').value, 0);
    threadKill(curthread(), 'SIGRTMIN', 0);
  },

  'misuse is an error with a code, and changes nothing': () => {
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigprocmask(1, 'SIGUSR1'));
    throwsCode('ERR_INVALID_ARG_VALUE', () => sigprocmask('Block', 'SIGUSR1'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => sigprocmask('block'));
    throwsCode('ERR_UNKNOWN_SIGNAL', () => sigprocmask('block', ['SIGUSR1', 'SIGFOO']));
    throwsCode('EINVAL', () => sigprocmask('block', 65));
    throwsCode('ERR_INVALID_ARG_TYPE', () => new SigSet({}));
    assert.equal(sigprocmask().size, 0);
  },

  'a SigSet is a set': () => {
    const set = new SigSet(['SIGRTMAX', 2, 'SIGRTMIN+1', 'SIGRTMAX-2']);
    assert.deepEqual([...set], ['SIGINT', 'SIGRTMIN+1', 'SIGRTMAX-2', 'SIGRTMAX']);
    assert.deepEqual([...new SigSet(['SIGRTMIN+0', 'SIGRTMAX-0'])], ['SIGRTMIN', 'SIGRTMAX']);
    assert.equal(String(set), 'SigSet { SIGINT SIGRTMIN+1 SIGRTMAX-2 SIGRTMAX }');
    assert.deepEqual([set.has('SIGINT'), set.has(64), set.has('SIGHUP'), set.size], [true, true, false, 4]);
    assert.equal(SigSet.all().size, 64);
    assert.equal(new SigSet().size, 0);
  },
});
