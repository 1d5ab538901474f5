// The same with a Worker and postMessage.
import { Worker } from 'node:worker_threads';
import { sampleAsync } from '../../sample.mjs';

const MESSAGES = 20_000;
const IN_FLIGHT = 64;
const payload = process.argv[2] === 'object' ? { id: 1, name: 'x', list: [1, 2, 3] } : 1;
const worker = new Worker(new URL('./echo-worker.mjs', import.meta.url));

await sampleAsync(
  MESSAGES,
  () =>
    new Promise((resolve) => {
      let back = 0;
      const onAnswer = () => {
        if (++back + IN_FLIGHT <= MESSAGES) worker.postMessage(payload);
        if (back < MESSAGES) return;
        worker.off('message', onAnswer);
        resolve();
      };
      worker.on('message', onAnswer);
      for (let i = 0; i < IN_FLIGHT; i++) worker.postMessage(payload);
    }),
);
await worker.terminate();
