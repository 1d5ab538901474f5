/**
 * compute.ts: work that does nothing but compute: it waits for nothing, calls nothing of Node's, and knows nothing of userthreads. It stands
 * for a page that is rendered, a document that is parsed, a price that is found.
 */

/** How long the heavy handler is to compute: milliseconds. */
export const HEAVY = 200;

/** How many prime numbers there are below `below`. All numbers stay small integers: so it takes the same time whatever V8 has seen before. */
export function primes(below: number): number {
  let count = 0;
  for (let n = 2; n < below; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return count;
}

/** Milliseconds of CPU time: whatever else the machine does at the moment does not count. */
function milliseconds(below: number): number {
  const before = process.cpuUsage();
  primes(below);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The work grows faster than the numbers: by about n^1.4. */
const scaled = (below: number, factor: number): number => Math.max(1000, Math.round(below * factor ** 0.7));

/**
 * The argument with which primes takes about `ms` milliseconds of CPU time on this machine; at least 1,000. Found with a quarter of the
 * work, which takes half a second or so.
 */
export function fit(ms: number): number {
  const quarter = ms / 4;
  let below = 10_000;
  for (let round = 0; round < 12; round++) {
    const took = Math.min(milliseconds(below), milliseconds(below));
    if (took > quarter * 0.95 && took < quarter * 1.05) break;
    below = scaled(below, Math.min(10, Math.max(0.5, quarter / Math.max(took, 0.01))));
  }
  return scaled(below, 4);
}
