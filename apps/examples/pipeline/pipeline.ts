/**
 * pipeline.ts: a producer, some workers and a collector that share nothing but messages. It counts primes:
 * the producer sends ranges to the workers' port, a worker sends what it finds to the collector's port, and
 * each message is answered when it has been dealt with.
 */
import { create, curthread, Msg, MsgPort } from '@libcr/core';

const LIMIT = 100_000;
const STEP = 1_000;
const WORKERS = 4;
const WINDOW = 8; // ranges under way at a time: a fast producer does not fill the memory

interface Range {
  from: number;
  to: number;
}

interface Found {
  worker: string;
  primes: number;
}

const work = new MsgPort<Range, void>('work', { shared: true }); // any worker takes from it
const found = new MsgPort<Found, number>('found');

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

/**
 * Keeps WINDOW messages under way: sends without waiting, and waits for any reply when the window is full.
 */
function produce(): number {
  const replies = curthread().port; // where replies come if a message names no other port
  let sent = 0;
  let answered = 0;
  for (let from = 0; from < LIMIT; from += STEP) {
    if (sent - answered === WINDOW) {
      replies.waitport();
      answered++;
    }
    work.sendmsg(new Msg<Range, void>({ from, to: from + STEP }));
    sent++;
  }
  for (; answered < sent; answered++) replies.waitport();
  work.close(); // ends the workers' loops
  return sent;
}

function worker(): void {
  const { name } = curthread();
  for (const msg of work) {
    let primes = 0;
    for (let n = msg.data.from; n < msg.data.to; n++) if (isPrime(n)) primes++;
    found.domsg(new Msg<Found, number>({ worker: name, primes })); // waits until the collector has it
    msg.replymsg();
  }
}

function collect(): { primes: number; workers: number } {
  let primes = 0;
  const workers = new Set<string>();
  for (const msg of found) {
    primes += msg.data.primes;
    workers.add(msg.data.worker);
    msg.replymsg(undefined, primes);
  }
  return { primes, workers: workers.size };
}

const collector = create(collect, { name: 'collector' });
const workers = Array.from({ length: WORKERS }, (_, i) => create(worker, { name: `worker ${i}` }));
const producer = create(produce, { name: 'producer' });

const ranges = producer.join();
for (const td of workers) td.join();
found.close();
const result = collector.join();
console.log(`${result.primes} primes below ${LIMIT}, from ${ranges} ranges by ${result.workers} workers`);
