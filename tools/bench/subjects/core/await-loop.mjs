// One async function that awaits nothing: nanoseconds for one turn of the microtask queue.
import { sampleAsync } from '../../sample.mjs';

const TURNS = 1_000_000;

await sampleAsync(TURNS, async () => {
  for (let i = 0; i < TURNS; i++) await 0;
});
