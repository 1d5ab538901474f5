// Step 2 of the tour: many userthreads that each wait for fetch, and the same with async functions. Usage: fetch.mjs THREADS
//
// A connection takes two descriptors, as the server is here, too: where the process may not have so many, fewer threads have to do.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { create, run, wait } from '@libcr/core';

const LATE = 100; // ms
const SLOW = 1.5; // seconds
const OTHERS = 100; // descriptors that Node has open besides

const limit = process.report.getReport().userLimits.open_files.soft;
const descriptors = limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
const THREADS = Math.min(Number(process.argv[2]), Math.max(1, Math.floor((descriptors - OTHERS) / 2)));

const server = createServer((req, res) => {
  res.setHeader('connection', 'close'); // or the second run would find the first one's connections
  setTimeout(() => res.end(req.url), LATE);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}/`;

// tour: begin
function userthreads(n) {
  const get = (i) => wait(wait(fetch(base + i)).text());
  const threads = Array.from({ length: n }, (_, i) => create(() => get(i)));
  return threads.map((td) => td.join());
}
// tour: end

function asyncFunctions(n) {
  const get = async (i) => (await fetch(base + i)).text();
  return Promise.all(Array.from({ length: n }, (_, i) => get(i)));
}

/** Seconds. The answers have to be right. */
async function time(n, work) {
  const start = performance.now();
  const answers = await work(n);
  if (answers.length !== n || answers.some((text, i) => text !== `/${i}`)) throw new Error('wrong answers');
  return (performance.now() - start) / 1000;
}

const blocking = (n) => run(() => userthreads(n));
const print = (what, seconds, note = '') => console.log(`${what.padEnd(25)} ${seconds.toFixed(2)} s${note}`);
const late = `   (one after the other: more than ${(THREADS * LATE) / 1000} s)`;

let ours = await time(THREADS, blocking);
if (ours > SLOW) {
  print(`${THREADS} userthreads`, ours, late);
  print('async and Promise.all', await time(THREADS, asyncFunctions));
} else {
  // The first run is slower, whoever is first: the better of two.
  let theirs = await time(THREADS, asyncFunctions);
  ours = Math.min(ours, await time(THREADS, blocking));
  theirs = Math.min(theirs, await time(THREADS, asyncFunctions));
  print(`${THREADS} userthreads`, ours, late);
  print('async and Promise.all', theirs);
}
server.close();
server.closeAllConnections();
