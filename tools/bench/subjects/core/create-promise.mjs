// Callbacks of setImmediate that settle a promise, 1,000 at once: nanoseconds for one, from new Promise until it has run. It is the nearest
// thing that plain Node has to "start this later, tell me when it is done".
import { sampleAsync } from '../../sample.mjs';

const BATCH = 1_000;
const BATCHES = 50;

function batch() {
  let left = BATCH;
  const main = () => {
    left--;
  };
  const start = () =>
    new Promise((resolve) => {
      setImmediate(() => {
        main();
        resolve();
      });
    });
  return Promise.all(Array.from({ length: BATCH }, start)).then(() => {
    if (left !== 0) throw new Error(`${left} callbacks did not run`);
  });
}

await sampleAsync(BATCH * BATCHES, async () => {
  for (let i = 0; i < BATCHES; i++) await batch();
});
