// Userthreads that do next to nothing, 1,000 at once: nanoseconds for one, from create() until it has ended.
import { create } from '@libcr/core';
import { sampleAsync } from '../../sample.mjs';

const BATCH = 1_000;
const BATCHES = 50;

function batch() {
  return new Promise((resolve) => {
    let left = BATCH;
    const main = () => {
      if (--left === 0) resolve();
    };
    for (let i = 0; i < BATCH; i++) create(main);
  });
}

await sampleAsync(BATCH * BATCHES, async () => {
  for (let i = 0; i < BATCHES; i++) await batch();
});
