// A Worker that does nothing: nanoseconds from new Worker until it has exited.
import { Worker } from 'node:worker_threads';
import { sampleAsync } from '../../sample.mjs';

const WORKERS = 5;

await sampleAsync(
  WORKERS,
  async () => {
    for (let i = 0; i < WORKERS; i++) {
      const worker = new Worker('0', { eval: true });
      await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
    }
  },
  { warmups: 1, samples: 3 },
);
