// Runs treesum as the command line asks: once, printing its lines (--print), or several times (--once: once), printing nanoseconds and a digest of
// the lines.
//
// Invariant: each run does the whole work and gives the same lines; a run that differs from the one before is an error.
import { createHash } from 'node:crypto';
import { median, report } from '../../sample.mjs';

const WARMUPS = 1;
const SAMPLES = 3;

/** treesum() returns the sorted lines; it may be async. */
export async function measure(treesum) {
  if (process.argv.includes('--print')) {
    process.stdout.write(`${(await treesum()).join('\n')}\n`);
    return;
  }
  const [warmups, samples] = process.argv.includes('--once') ? [0, 1] : [WARMUPS, SAMPLES];
  const figures = [];
  let output;
  for (let i = 0; i < warmups + samples; i++) {
    const start = process.hrtime.bigint();
    const lines = await treesum();
    const figure = Number(process.hrtime.bigint() - start);
    const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
    if (output !== undefined && digest !== output) throw new Error('two runs gave different lines');
    output = digest;
    if (i >= warmups) figures.push(figure);
  }
  report(median(figures), output);
}
