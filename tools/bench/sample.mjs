// What subjects share: warming up, sampling, and telling the runner.
//
// Invariant: a sample is one uninterrupted stretch of at least some milliseconds, so that reading the clock does not count; a subject's figure is
// the median of its samples after the warm-up.
const WARMUPS = 3;
const SAMPLES = 7;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints the last line that child.mjs reads. */
export function report(ns, output) {
  console.log(JSON.stringify({ ns, output }));
}

/** The same for several figures: { name: nanoseconds or bytes }. */
export function reportFigures(figures) {
  console.log(JSON.stringify({ figures }));
}

/**
 * Samples stretch(), which does `operations` operations, on the event loop or (if it is synchronous) wherever it is called. Prints the median
 * nanoseconds of one.
 */
export async function sampleAsync(operations, stretch, { warmups = WARMUPS, samples = SAMPLES } = {}) {
  const figures = [];
  for (let i = 0; i < warmups + samples; i++) {
    const start = process.hrtime.bigint();
    await stretch();
    const figure = Number(process.hrtime.bigint() - start) / operations;
    if (i >= warmups) figures.push(figure);
  }
  report(median(figures));
}

/** The same for a blocking stretch: nothing is awaited, so it can run on a userthread. */
export function sampleBlocking(operations, stretch, { warmups = WARMUPS, samples = SAMPLES } = {}) {
  const figures = [];
  for (let i = 0; i < warmups + samples; i++) {
    const start = process.hrtime.bigint();
    stretch();
    const figure = Number(process.hrtime.bigint() - start) / operations;
    if (i >= warmups) figures.push(figure);
  }
  report(median(figures));
}
