// Two userthreads that wait for each other at a condition variable: nanoseconds for one turn. Argument: local or shared, both on one rfork.
import { create, run } from '@libcr/core';
import { Cond, Mutex } from '@libcr/posix-compat';
import { sampleBlocking } from '../../sample.mjs';

const options = { shared: process.argv[2] === 'shared' };
const TURNS = options.shared ? 20_000 : 200_000;
const mutex = new Mutex(options);
const cond = new Cond(options);
let turn = 0;

const player = (me) => () => {
  mutex.lock();
  for (let i = 0; i < TURNS / 2; i++) {
    while (turn !== me) cond.wait(mutex);
    turn = 1 - me;
    cond.signal();
  }
  mutex.unlock();
};

await run(() =>
  sampleBlocking(TURNS, () => {
    const players = [create(player(0)), create(player(1))];
    for (const td of players) td.join();
  }),
);
