// Signals from two other processes and between userthreads, of which a thousand wait in every kind of call and some compute. See storm.test.ts.
// LIBCR_SENDER is sender.c, compiled. Arguments: COUNT (from outside), THREADS, SEED.
import { spawn } from 'node:child_process';
import { create, curthread, MsgPort, run, sleep, Token, wait } from '@libcr/core';
import { Cond, Mutex, Semaphore } from '@libcr/posix-compat';
import { sigaction, sigprocmask, sigsuspend, sigwait, threadKill } from '@libcr/signals';
import { constants as c, sys } from '@libcr/syscalls';

const [COUNT, THREADS, seed] = process.argv.slice(2).map(Number);
const faults = [];
const fault = (text) => faults.length < 20 && faults.push(text);
let state = seed;
const random = (n) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};

await run(() => {
  // From outside: a handler for one, sigwait for the other.
  const seen = { handler: 0, wait: 0, standard: 0 };
  sigaction('SIGRTMIN', ({ value }) => {
    if (value !== seen.handler++) fault(`handler: ${value} as number ${seen.handler}`);
    if (value % 1000 === 0) sleep(1); // the rest queues up meanwhile
  });
  for (const signal of ['SIGUSR2', 'SIGURG', 'SIGWINCH', 'SIGIO'])
    sigaction(signal, () => void seen.standard++);
  sigprocmask('block', 'SIGRTMIN+1');
  const waiter = create(() => {
    while (seen.wait < COUNT / 2) {
      const { value } = sigwait('SIGRTMIN+1');
      if (value !== seen.wait++) fault(`sigwait: ${value} as number ${seen.wait}`);
    }
  });

  // Between threads: each is sent numbers, and its handler must see them in their order, on that thread.
  const got = new Map();
  sigaction('SIGRTMIN+2', ({ value }) => {
    const me = curthread();
    const of = got.get(me) ?? got.get(computing.get(value >> 20));
    if (of === undefined) fault(`a handler on ${me}`);
    else if ((value & 0xfffff) !== of.next++) fault(`${me}: ${value & 0xfffff} as number ${of.next}`);
  });
  let over = false;
  const [token, mutex, cond, semaphore] = [new Token('storm'), new Mutex(), new Cond(), new Semaphore(0)];
  const pipes = Array.from({ length: 20 }, () => sys.pipe2(0));
  const byte = () => Buffer.alloc(1);
  const eventfd = sys.eventfd2(0, c.EFD_SEMAPHORE);
  const [receives, sends] = sys.socketpair(c.AF_UNIX, c.SOCK_DGRAM);
  const timerfd = sys.timerfd_create(c.CLOCK_MONOTONIC);
  sys.timerfd_settime(timerfd, 0, { value: 1, interval: 1 });
  const epoll = sys.epoll_create1();
  for (const [r] of pipes.slice(0, 5))
    sys.epoll_ctl(epoll, c.EPOLL_CTL_ADD, r, { events: c.EPOLLIN, data: r });
  /** Of what is given away, each thing comes to one thread. */
  const given = { events: 0, messages: 0 };
  const taken = { events: 0, messages: 0 };
  const give = () => {
    sys.write(eventfd, Buffer.from(new BigUint64Array([1n]).buffer), 8);
    given.events++;
    try {
      sys.sendto(sends, Buffer.from('z'), c.MSG_DONTWAIT);
      given.messages++;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  };
  const kinds = [
    () => sleep(random(20)),
    () => wait(new Promise((resolve) => setTimeout(resolve, random(20)))),
    () => sys.read(pipes[random(pipes.length)][0], byte(), 1),
    () => sys.poll([{ fd: pipes[random(pipes.length)][0], events: c.POLLIN }], random(20)),
    () => sys.nanosleep({ sec: 0, nsec: random(20_000_000) }),
    () => semaphore.wait(),
    () => {
      mutex.lock();
      try {
        cond.timedWait(mutex, Date.now() + random(20));
      } finally {
        mutex.unlock();
      }
    },
    () => {
      const hold = token.get();
      sleep(0);
      hold.release();
    },
    () => sigsuspend(undefined, { timeout: random(20) }),
    () => new MsgPort().waitport({ timeout: random(20) }),
    () => sigwait('SIGRTMIN+9', { timeout: random(20) }),
    () => {
      const value = Buffer.alloc(8);
      if (sys.read(eventfd, value, 8) !== 8 || value.readBigUInt64LE() !== 1n) fault('an eventfd');
      taken.events++;
    },
    () => {
      const message = byte();
      if (sys.recvfrom(receives, message).length !== 1 || message[0] !== 0x7a) fault('a message');
      taken.messages++;
    },
    () => {
      const value = Buffer.alloc(8);
      if (sys.read(timerfd, value, 8) !== 8 || value.readBigUInt64LE() === 0n) fault('a timerfd');
    },
    () => sys.epoll_wait(epoll, 4, random(20)),
    () => sys.select({ read: pipes.slice(0, 3).map(([r]) => r) }, random(20)),
  ];
  const expected = new Set(['EINTR', 'EAGAIN', 'ETIMEDOUT', 'ERR_LWKT_TIMEOUT']);
  let alive = THREADS;
  const threads = Array.from({ length: THREADS }, (_, i) =>
    create(() => {
      for (let n = i; !over; n++) {
        try {
          kinds[n % kinds.length]();
        } catch (error) {
          if (!expected.has(error.code)) throw error;
        }
      }
      alive--;
    }),
  );
  /** By number: those that compute. Their handlers run on others in their place. */
  const computing = new Map();
  for (let n = 1; n <= 2; n++) {
    const td = create(
      () => {
        while (!over);
      },
      { preemptible: true, slice: 1 },
    );
    computing.set(n, td);
  }
  for (const td of [...threads, ...computing.values()]) got.set(td, { next: 0, sent: 0 });

  const senders = ['34', '35'].map((signo, i) =>
    spawn(process.env.LIBCR_SENDER, [process.pid, signo, COUNT / 2, seed + i].map(String), {
      stdio: 'inherit',
    }),
  );
  const exits = senders.map((child) => new Promise((resolve) => child.on('exit', resolve)));

  const targets = [...threads.map((td) => [td, 0]), ...[...computing].map(([n, td]) => [td, n])];
  let between = 0;
  while (between < COUNT / 4 || seen.handler < COUNT / 2 || seen.wait < COUNT / 2) {
    for (let i = 0; i < 200 && between < COUNT / 4; i++, between++) {
      const [td, n] = targets[random(targets.length)];
      threadKill(td, 'SIGRTMIN+2', (n << 20) | got.get(td).sent++);
    }
    for (const [, w] of pipes) sys.write(w, Buffer.alloc(5), 5);
    for (let i = 0; i < 100; i++) semaphore.post();
    for (let i = 0; i < 20; i++) give();
    sleep(0);
  }
  for (const exit of exits) if (wait(exit) !== 0) fault('a sender failed');
  waiter.join();
  // All that has been sent to threads has come before they end.
  while (
    [...got].some(([td, { next, sent }]) => computing.get(1) !== td && computing.get(2) !== td && next < sent)
  ) {
    semaphore.post();
    give();
    sleep(1);
  }
  over = true;
  for (let i = 0; i < THREADS; i++) semaphore.post();
  for (const [, w] of pipes) sys.write(w, Buffer.alloc(THREADS), THREADS);
  while (alive > 0) {
    for (let i = 0; i < 10; i++) give();
    sleep(1);
  }
  for (const td of threads) td.join();
  for (const td of computing.values()) td.join();
  for (; sys.poll([{ fd: eventfd, events: c.POLLIN }], 0) > 0; taken.events++)
    sys.read(eventfd, Buffer.alloc(8), 8);
  for (; sys.poll([{ fd: receives, events: c.POLLIN }], 0) > 0; taken.messages++)
    sys.recvfrom(receives, byte());
  for (const what of Object.keys(given))
    if (given[what] !== taken[what]) fault(`${taken[what]} of ${given[what]} ${what}`);
  sleep(5);
  for (const [td, { next, sent }] of got) if (next !== sent) fault(`${td}: ${next} of ${sent}`);
  console.log(JSON.stringify({ faults, ...seen, standard: seen.standard > 0, between }));
});
