// Step 1 of the tour: treesum of a folder on userthreads, and with fs.promises at 16, 128 and 1 in flight, each in a process of its own. Ours is
// the better of two runs, as the first one brings the files into memory. Usage: treesum.mjs FOLDER
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SUBJECTS = join(import.meta.dirname, '..', '..', 'bench', 'subjects', 'treesum');
const ENOUGH = 9; // seconds for all of it

const [folder] = process.argv.slice(2);

/** Seconds, and the digest of all lines. */
function measure(file, ...args) {
  const command = [join(SUBJECTS, file), folder, ...args, '--once'];
  const { status, signal, stdout } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${file}: ${signal ?? `exit code ${status}`}`);
  const { ns, output } = JSON.parse(stdout);
  return { seconds: ns / 1e9, output };
}

const text = (seconds) => `${seconds.toFixed(2)} s`;

/** Whether a run that takes half as long again as `seconds` is done in time: a slow or busy machine has fewer of them. */
const timeFor = (seconds) => performance.now() / 1000 + 1.5 * seconds < ENOUGH;

let ours = measure('userthreads.mjs');
let slowest = ours.seconds;
const peers = [];
for (const n of [16, undefined, 128, 1]) {
  if (!timeFor(slowest)) break;
  const run = n === undefined ? measure('userthreads.mjs') : measure('promises.mjs', String(n));
  if (run.output !== ours.output) throw new Error('the sums differ');
  slowest = Math.max(slowest, run.seconds);
  if (n !== undefined) peers.push({ n, ...run });
  else if (run.seconds < ours.seconds) ours = run; // the first one may have had to bring the files into memory
}

console.log(`userthreads               ${text(ours.seconds)}`);
if (peers.length > 0) {
  const best = peers.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  const all = peers.map(({ n, seconds }) => `${n}: ${text(seconds)}`).join(', ');
  console.log(`fs.promises               ${text(best.seconds)}   at ${best.n} in flight (${all})`);
  console.log(`fs.promises / userthreads ${(best.seconds / ours.seconds).toFixed(1)}`);
} else console.log('fs.promises               –        no time left to measure it');
