// Named semaphores, shared with C programs. LIBCR_SEM_C is named-semaphore.c, compiled. See named.test.ts.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { create, sleep, wait } from '@libcr/core';
import { pthread, Semaphore } from '@libcr/posix-compat';
import { assert, conform, fails, onThread0, settle, started, throwsCode } from './cases.mjs';

const program = process.env.LIBCR_SEM_C;
const NAME = `/libcr-test-${process.pid}`;
const BACK = `${NAME}-back`;
const file = (name) => `/dev/shm/sem.${name.slice(1)}`;

process.on('exit', () => {
  for (const name of [NAME, BACK]) if (existsSync(file(name))) Semaphore.unlink(name);
});

/** Runs it to its end; the last line that it prints. */
const c = (...args) =>
  wait(promisify(execFile)(program, args.map(String)))
    .stdout.trim()
    .split('\n')
    .at(-1);

/** Starts `wait`, and returns when it is about to; what it returns waits for its end. */
function waiterInC(n = 1) {
  const child = spawn(program, ['wait', NAME, String(n)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  wait(new Promise((resolve) => child.stdout.once('data', resolve)));
  return { child, ended: () => wait(exited) };
}

await conform({
  'what is made here has the bytes that glibc writes, and its mode': () => {
    Semaphore.open(NAME, { create: true, value: 7 });
    const ours = readFileSync(file(NAME));
    assert.equal(statSync(file(NAME)).mode & 0o777, 0o600);
    Semaphore.unlink(NAME);
    c('create', NAME, 7);
    assert.deepEqual(ours, readFileSync(file(NAME)));
    assert.deepEqual(
      readdirSync('/dev/shm').filter((name) => name.startsWith(`sem.new-${process.pid}-`)),
      [],
      'nothing temporary',
    );
  },

  'a C program takes what is posted here, and the other way round': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    assert.equal(c('post', NAME, 3), '3');
    semaphore.wait();
    assert.equal(semaphore.tryWait(), true);
    assert.equal(semaphore.value, 1);
    semaphore.post();
    assert.equal(c('wait', NAME, 2), '0');
    assert.equal(semaphore.tryWait(), false);
  },

  'one that C has made is opened here': () => {
    c('create', NAME, 5);
    const semaphore = Semaphore.open(NAME);
    assert.equal(semaphore.value, 5);
    assert.equal(String(semaphore), `NamedSemaphore ${NAME} 5`);
    c('unlink', NAME);
    fails('ENOENT', 'sem_open', () => Semaphore.open(NAME));
    semaphore.post();
    assert.equal(semaphore.value, 6, 'who has it open keeps it');
  },

  'a thread that waits is woken by a C program, and the event loop turns meanwhile': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const tds = [1, 2, 3].map(() => started(() => semaphore.wait()));
    const seenByC = () => readFileSync(file(NAME)).readUInt32LE(4); // how many wait: the kernel thread that does it for all
    while (ticks < 3 || seenByC() === 0) sleep(1);
    clearInterval(timer);
    for (const td of tds) assert.equal(td.state, 'blocked');
    assert.equal(seenByC(), 1);
    c('post', NAME, 3);
    for (const td of tds) td.join();
    assert.equal(semaphore.value, 0);
  },

  'a C program that waits is woken from here': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    const waiter = waiterInC(2);
    semaphore.post();
    semaphore.post();
    assert.equal(waiter.ended(), 0);
  },

  'ping-pong with a C program, and nothing is lost': () => {
    const [there, back] = [NAME, BACK].map((name) => Semaphore.open(name, { create: true }));
    const n = process.env.LIBCR_STRESSED ? 20 : 500;
    const answered = create(() => c('answer', NAME, n, BACK));
    for (let i = 0; i < n; i++) {
      there.post();
      back.wait();
    }
    assert.equal(answered.join(), '0');
  },

  'who gives up takes no wake-up along: timeouts, cancellation, abort': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    const waiter = waiterInC(1);
    fails('ETIMEDOUT', 'sem_wait', () => semaphore.wait({ timeout: 5 }));
    const deadline = Date.now() + 10;
    fails('ETIMEDOUT', 'sem_timedwait', () => semaphore.timedWait(deadline));
    assert.ok(Date.now() >= deadline);
    const cancelled = pthread.create(() => semaphore.wait());
    const aborted = started(() => throwsCode('ABORT_ERR', () => semaphore.wait()));
    pthread.cancel(cancelled);
    aborted.abort();
    semaphore.post();
    assert.equal(waiter.ended(), 0);
    assert.equal(pthread.join(cancelled), pthread.CANCELED);
    aborted.join();
    assert.equal(semaphore.value, 0);
  },

  'when nobody waits any more, nobody is counted as a waiter': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    fails('ETIMEDOUT', 'sem_wait', () => semaphore.wait({ timeout: 2 }));
    while (readFileSync(file(NAME)).readUInt32LE(4) !== 0) sleep(1);
    const td = started(() => semaphore.wait());
    while (readFileSync(file(NAME)).readUInt32LE(4) !== 1) sleep(1);
    td.abort();
    throwsCode('ABORT_ERR', () => td.join());
    while (readFileSync(file(NAME)).readUInt32LE(4) !== 0) sleep(1);
  },

  'a Worker that ends while it waits leaves no waiter behind': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    const worker = new Worker(
      `import { create } from '@libcr/core';
       import { Semaphore } from '@libcr/posix-compat';
       const semaphore = Semaphore.open(${JSON.stringify(NAME)});
       create(() => semaphore.wait());`,
      { eval: true },
    );
    while (readFileSync(file(NAME)).readUInt32LE(4) !== 1) sleep(1);
    wait(worker.terminate());
    assert.equal(readFileSync(file(NAME)).readUInt32LE(4), 0);
    semaphore.post();
    semaphore.wait();
  },

  'a semaphore that nobody has closed goes with the garbage': () => {
    Semaphore.open(NAME, { create: true });
    for (let i = 0; i < 50; i++) {
      const semaphore = Semaphore.open(NAME);
      const td = started(() => throwsCode('ABORT_ERR', () => semaphore.wait()));
      td.abort();
      td.join();
      if (i % 10 === 0) {
        sleep(1);
        globalThis.gc?.();
      }
    }
  },

  'exclusive, missing, no name': () => {
    Semaphore.open(NAME, { create: true, value: 1 });
    fails('EEXIST', 'sem_open', () => Semaphore.open(NAME, { create: true, exclusive: true }));
    assert.equal(Semaphore.open(NAME, { create: true, value: 9 }).value, 1);
    assert.equal(Semaphore.open(NAME.slice(1)).value, 1);
    fails('ENOENT', 'sem_unlink', () => Semaphore.unlink(`${NAME}-not`));
    for (const name of ['', '/', 'a/b', 'a\0b']) fails('EINVAL', 'sem_open', () => Semaphore.open(name));
    fails('ENAMETOOLONG', 'sem_open', () => Semaphore.open('x'.repeat(252)));
    writeFileSync(file(BACK), 'short');
    fails('EINVAL', 'sem_open', () => Semaphore.open(BACK));
    throwsCode('ERR_INVALID_ARG_TYPE', () => Semaphore.open(5));
    throwsCode('ERR_INVALID_ARG_TYPE', () => Semaphore.open(NAME, 5));
    throwsCode('ERR_OUT_OF_RANGE', () => Semaphore.open(NAME, { value: -1 }));
    throwsCode('ERR_OUT_OF_RANGE', () => Semaphore.open(NAME, { mode: 0o7777 }));
  },

  'EOVERFLOW, as in C': () => {
    const semaphore = Semaphore.open(NAME, { create: true, value: 2 ** 31 - 1 });
    fails('EOVERFLOW', 'sem_post', () => semaphore.post());
    assert.equal(semaphore.value, 2 ** 31 - 1);
  },

  'closed it is of no use: EINVAL; with a waiter it is not closed: EBUSY': () => {
    const semaphore = Semaphore.open(NAME, { create: true });
    const td = started(() => semaphore.wait());
    fails('EBUSY', 'sem_close', () => semaphore.close());
    semaphore.post();
    td.join();
    semaphore.close();
    for (const [what, use] of Object.entries({
      sem_wait: () => semaphore.wait(),
      sem_post: () => semaphore.post(),
      sem_trywait: () => semaphore.tryWait(),
      sem_getvalue: () => semaphore.value,
      sem_close: () => semaphore.close(),
    }))
      fails('EINVAL', what, use);
    semaphore[Symbol.dispose]();
  },

  'on thread0 it takes where there is one, else it would block': () => {
    const semaphore = Semaphore.open(NAME, { create: true, value: 1 });
    onThread0(() => {
      semaphore.wait();
      throwsCode('ERR_LWKT_WOULD_BLOCK', () => semaphore.wait());
      semaphore.post();
    });
    settle();
    assert.equal(semaphore.value, 1);
  },
});
