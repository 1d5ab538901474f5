// What it costs to count a program's system calls: a dd that copies bytes one by one, as it is, under the launcher with --stats, and under strace -f -c. Both
// overheads over the plain run, nanoseconds.
import { join } from 'node:path';
import { reportFigures } from '../../sample.mjs';
import { run, under } from './under.mjs';

const BYTES = 200_000; // two calls each
const scratch = process.argv[3];
const dd = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${BYTES}`, 'status=none'];
const [launcher, rforks, end] = under('1');
const ways = {
  plain: dd,
  libcr: [launcher, rforks, '--stats', end, ...dd],
  strace: ['strace', '-f', '-c', '-o', join(scratch, 'counts'), ...dd],
};

function time(command) {
  const begun = process.hrtime.bigint();
  run(command);
  return Number(process.hrtime.bigint() - begun);
}

/** The best of some: what else goes on makes it longer, never shorter. */
const best = { plain: Infinity, libcr: Infinity, strace: Infinity };
for (let i = 0; i < 5; i++)
  for (const [way, command] of Object.entries(ways))
    if (way !== 'strace' || i < 2) best[way] = Math.min(best[way], time(command));
reportFigures({ libcr: best.libcr - best.plain, strace: best.strace - best.plain });
