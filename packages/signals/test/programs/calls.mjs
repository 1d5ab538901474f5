// What the standard, and signal(7), say of system calls that a handler interrupts. See conformance.test.ts.
import { create, MsgPort, sleep, wait } from '@libcr/core';
import { Mutex, Semaphore } from '@libcr/posix-compat';
import { alarm, kill, sigaction, threadKill } from '@libcr/signals';
import { constants as c, sys } from '@libcr/syscalls';
import { assert, conform, fails, fromOutside, noted, settle, started, throwsCode, until } from './cases.mjs';

/** What a thread that is sent SIGUSR1 while it is in fn comes to; finish() ends its wait otherwise. */
function interrupted(options, fn, finish) {
  const infos = noted('SIGUSR1', options);
  const td = started(() => {
    try {
      return fn();
    } catch (error) {
      return error.code;
    }
  });
  assert.equal(td.state, 'blocked');
  threadKill(td, 'SIGUSR1');
  until(() => infos.length === 1);
  settle();
  finish?.(td);
  return td.join();
}

const pipe = () => sys.pipe2(0);
const byte = () => Buffer.alloc(1);

await conform({
  'read: it goes on where the action says restart': () => {
    const [r, w] = pipe();
    const result = interrupted(
      {},
      () => sys.read(r, byte(), 1),
      (td) => {
        assert.equal(td.state, 'blocked');
        sys.write(w, Buffer.from('x'), 1);
      },
    );
    assert.equal(result, 1);
  },

  'read: EINTR where it does not, and nothing is lost': () => {
    const [r, w] = pipe();
    assert.equal(
      interrupted({ restart: false }, () => sys.read(r, byte(), 1)),
      'EINTR',
    );
    sys.write(w, Buffer.from('x'), 1);
    assert.equal(sys.read(r, byte(), 1), 1);
  },

  'write: what has been written so far is the answer': () => {
    const [r, w] = pipe();
    const size = 1 << 20;
    const written = interrupted({ restart: false }, () => sys.write(w, Buffer.alloc(size), size));
    assert.ok(written > 0 && written < size, String(written));
    sys.fcntl(r, c.F_SETFL, c.O_NONBLOCK);
    assert.equal(sys.read(r, Buffer.alloc(size), size), written);
  },

  'a socket: recv and accept end with EINTR, or go on': () => {
    const server = sys.socket(c.AF_UNIX, c.SOCK_STREAM, 0);
    sys.bind(server, { family: 'unix', path: `\0libcr-signals-${process.pid}` });
    sys.listen(server, 1);
    assert.equal(
      interrupted({ restart: false }, () => sys.accept4(server, 0)),
      'EINTR',
    );
    const [a, b] = sys.socketpair(c.AF_UNIX, c.SOCK_STREAM, 0);
    assert.equal(
      interrupted({ restart: false }, () => sys.recvfrom(a, byte())),
      'EINTR',
    );
    interrupted(
      {},
      () => sys.recvfrom(a, byte()),
      () => sys.write(b, Buffer.from('x'), 1),
    );
  },

  'poll and nanosleep end with EINTR whatever the action says': () => {
    const [r] = pipe();
    assert.equal(
      interrupted({}, () => sys.poll([{ fd: r, events: c.POLLIN }], 60_000)),
      'EINTR',
    );
    assert.equal(
      interrupted({}, () => sys.nanosleep({ sec: 60, nsec: 0 })),
      'EINTR',
    );
    assert.equal(
      interrupted({}, () => sys.clock_nanosleep(c.CLOCK_MONOTONIC, 0, { sec: 60, nsec: 0 })),
      'EINTR',
    );
  },

  'an ignored or a blocked signal interrupts nothing': () => {
    const [r, w] = pipe();
    sigaction('SIGUSR1', 'ignore');
    const td = started(() => sys.read(r, byte(), 1));
    threadKill(td, 'SIGUSR1');
    threadKill(td, 'SIGWINCH');
    settle();
    assert.equal(td.state, 'blocked');
    sys.write(w, Buffer.from('x'), 1);
    assert.equal(td.join(), 1);
  },

  'the call of the thread that has set the handler is the one that a signal for the process interrupts':
    () => {
      const [r] = pipe();
      const results = {};
      const reads = (name) => () => {
        try {
          sys.read(r, byte(), 1);
        } catch ({ code }) {
          results[name] = code;
        }
      };
      const others = [1, 2].map((n) => started(reads(n)));
      const setter = started(() => {
        sigaction('SIGUSR1', () => {}, { restart: false });
        reads('setter')();
      });
      fromOutside('SIGUSR1');
      setter.join();
      assert.deepEqual(results, { setter: 'EINTR' });
      fromOutside('SIGUSR1');
      until(() => Object.keys(results).length === 2);
      for (const td of others) td.abort();
    },

  'alarm() ends a read that takes too long': () => {
    const [r] = pipe();
    sigaction('SIGALRM', () => {}, { restart: false });
    alarm(5);
    fails('EINTR', 'read', () => sys.read(r, byte(), 1));
  },

  'without restart a handler is still no error for what is no system call': () => {
    const infos = noted('SIGUSR1', { restart: false });
    const [mutex, semaphore, port] = [new Mutex(), new Semaphore(0), new MsgPort()];
    mutex.lock();
    let resolve;
    const promise = new Promise((fulfil) => {
      resolve = fulfil;
    });
    const waits = [
      () => sleep(60_000),
      () => wait(promise),
      () => port.waitport(),
      () => mutex.lock(),
      () => semaphore.wait(),
    ];
    const tds = waits.map((fn) => started(fn));
    for (const td of tds) threadKill(td, 'SIGUSR1');
    until(() => infos.length === tds.length);
    settle();
    for (const td of tds) assert.equal(td.state, 'blocked');
    resolve();
    mutex.unlock();
    semaphore.post();
    for (const n of [1, 3, 4]) tds[n].join();
    tds[0].abort();
    tds[2].abort();
  },

  'a semaphore that is posted while its waiter is in a handler is that waiter\u2019s': () => {
    const semaphore = new Semaphore(0);
    let go = false;
    const infos = noted('SIGUSR1', {}, () => until(() => go));
    const td = started(() => semaphore.wait());
    threadKill(td, 'SIGUSR1');
    until(() => infos.length === 1);
    semaphore.post();
    go = true;
    td.join();
    assert.equal(semaphore.value, 0);
  },

  'a call that a handler makes is interrupted itself, and then the one below': () => {
    const [r] = pipe();
    const log = [];
    sigaction('SIGUSR2', () => log.push('inner'), { restart: false });
    sigaction(
      'SIGUSR1',
      () => {
        throwsCode('EINTR', () => sys.read(r, byte(), 1));
        log.push('outer');
      },
      { restart: false },
    );
    const td = started(() => throwsCode('EINTR', () => sys.read(r, byte(), 1)));
    threadKill(td, 'SIGUSR1');
    settle();
    threadKill(td, 'SIGUSR2');
    td.join();
    assert.deepEqual(log, ['inner', 'outer']);
  },

  'a thread that is aborted in a handler does not come back to its call': () => {
    const [r] = pipe();
    noted('SIGUSR1', {}, () => sleep(60_000));
    const td = create(() => sys.read(r, byte(), 1));
    settle();
    threadKill(td, 'SIGUSR1');
    settle();
    td.abort('enough');
    assert.throws(() => td.join(), { name: 'AbortError' });
    kill(process.pid, 0);
  },
});
