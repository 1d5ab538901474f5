// Light requests beside two clients of a handler that computes 200 ms (apps/examples/busy): nanoseconds from asking to the whole answer, the
// median and the 99th percentile. Usage: light.mjs loop|userthread|preemptible
import { spawnSync } from 'node:child_process';
import { reportFigures } from '../../sample.mjs';

const SECONDS = 5;
const MILLION = 1e6; // nanoseconds in a millisecond

const command = ['apps/lwkt/dist/cli.js', 'run', 'apps/examples/busy/measure.ts'];
const args = [...command, '--json', '--seconds', String(SECONDS), process.argv[2]];
const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
if (status !== 0 || stdout === '') throw new Error(`measure.ts: exit code ${status}\n${stderr}`);
const { p50, p99 } = JSON.parse(stdout);
reportFigures({ p50: p50 * MILLION, p99: p99 * MILLION });
