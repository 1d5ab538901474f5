// A chain of stat, each begun when the one before has been told, beside an interval of a millisecond: nanoseconds for one stat, or for one tick.
//
// The interval is part of the work, so a subject can't gain by keeping the event loop from turning.
import nodeFs from 'node:fs';
import { report } from '../../sample.mjs';

const [, way, figure] = process.argv.slice(2);
const MS = 1000;
const fs = way === 'libcr' ? (await import('@libcr/syscalls/fs')).default : nodeFs;
const { stat } = fs.promises;

/** How many stats and ticks there are in so many milliseconds. */
async function measure(ms) {
  let [ticks, stats, over] = [0, 0, false];
  const interval = setInterval(() => ticks++, 1);
  const start = process.hrtime.bigint();
  setTimeout(() => {
    over = true;
  }, ms);
  // Should the loop not turn at all, it must end all the same.
  while (!over && stats < ms * 10_000) {
    await stat('/');
    stats++;
  }
  clearInterval(interval);
  const ns = Number(process.hrtime.bigint() - start);
  return { stat: ns / stats, tick: ns / ticks };
}

await measure(MS / 4);
report((await measure(MS))[figure]);
