/**
 * sieve.ts: a C function on a userthread, beside one of JavaScript's. They share a buffer, and one kernel thread, in turns.
 */
import { create, createNative, yieldNow } from '@libcr/core';

const SIZE = 10_000_000;

const primes = new Uint8Array(SIZE);
const library = new URL('./build/sieve.so', import.meta.url);
const sieve = createNative({ library, symbol: 'sieve' }, { arg: primes });

let turns = 0;
const watcher = create(() => {
  for (; sieve.state !== 'finished'; turns++) yieldNow();
});

const count = sieve.join(); // what the function left as its result, a bigint
watcher.join();
console.log(`${count} primes below ${SIZE}; the last is ${primes.lastIndexOf(1)}`);
console.log(turns > 100 ? 'JavaScript had its turns meanwhile' : `JavaScript had ${turns} turns only`);

try {
  createNative({ library, symbol: 'sieve' }, { arg: new Uint8Array(1) }).join();
} catch (error) {
  console.log((error as Error).message); // it answered EINVAL
}
