// What preemption costs a userthread that computes: nanoseconds for one round of the same work, by a thread that can't be preempted, by one that
// can and is alone, and by ten that share the processor, against ten one after the other.
//
// Invariant: all of them run the same compiled code, in turns in one process, as two processes' code may differ by more than what is looked for. The
// best of the samples counts: what else the machine does only ever adds.
import { create, run } from '@libcr/core';
import { reportFigures } from '../../sample.mjs';

const PREEMPTIBLE = { preemptible: true, slice: 10 }; // ms
const SHARERS = 10;
const ROUNDS = 40_000_000; // some fifty milliseconds
const PIECE = 100_000;
const WARMUPS = 2;

function piece(seed) {
  let x = seed;
  for (let i = 0; i < PIECE; i++) x = (Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + i) | 0;
  return x;
}

function compute() {
  let x = 1;
  for (let done = 0; done < ROUNDS; done += PIECE) x = piece(x);
  return x;
}

/** Nanoseconds for a round, where each of the threads that start() makes and joins does all rounds. */
function sample(threads, start) {
  const begun = process.hrtime.bigint();
  const results = start();
  const ns = Number(process.hrtime.bigint() - begun);
  if (results.length !== threads || results.some((x) => x !== results[0]))
    throw new Error('the results differ');
  return ns / threads / ROUNDS;
}

const single = (options) => () => [create(compute, options).join()];
const oneByOne = () => Array.from({ length: SHARERS }, () => create(compute, PREEMPTIBLE).join());
const atOnce = () => {
  const threads = Array.from({ length: SHARERS }, () => create(compute, PREEMPTIBLE));
  const results = threads.map((td) => td.join());
  if (threads.some((td) => td.preemptions === 0)) throw new Error('not all were preempted');
  return results;
};

/** The best of so many samples of each, in turns. */
function best(count, threads, starts) {
  const figures = Object.fromEntries(Object.keys(starts).map((name) => [name, Infinity]));
  for (let i = 0; i < WARMUPS + count; i++)
    for (const [name, start] of Object.entries(starts)) {
      const ns = sample(threads, start);
      if (i >= WARMUPS) figures[name] = Math.min(figures[name], ns);
    }
  return figures;
}

await run(() =>
  reportFigures({
    ...best(20, 1, { plain: single(), alone: single(PREEMPTIBLE) }),
    ...best(3, SHARERS, { 'one by one': oneByOne, 'at once': atOnce }),
  }),
);
