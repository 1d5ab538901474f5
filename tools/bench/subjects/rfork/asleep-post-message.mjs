// The same with a Worker and postMessage.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { median, report } from '../../sample.mjs';

const ROUNDS = 400;
const worker = new Worker(new URL('./echo-worker.mjs', import.meta.url));
const figures = [];

await once(worker, 'online');
for (let i = 0; i < ROUNDS; i++) {
  await delay(2);
  const start = process.hrtime.bigint();
  const answer = new Promise((resolve) => worker.once('message', resolve));
  worker.postMessage(i);
  if ((await answer) !== i) throw new Error('wrong answer');
  figures.push(Number(process.hrtime.bigint() - start));
}
report(median(figures));
await worker.terminate();
