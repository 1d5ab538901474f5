// `npm start`: builds what is out of date, quietly, then gives a tour. `npm start -- ARGS…` runs the example treesum on ARGS instead.
//
// Nothing but what those print goes to stdout.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

const SAID_AFTER = 2000; // ms
const root = join(import.meta.dirname, '..', '..');

let running;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => running?.kill(signal));

/** Runs a program to its end: its exit code as a shell shows it, and what it printed if that is gathered. */
function run(command, args, stdio) {
  return new Promise((resolve, reject) => {
    let output = '';
    running = spawn(command, args, { cwd: root, stdio });
    for (const stream of [running.stdout, running.stderr])
      stream?.setEncoding('utf8').on('data', (piece) => {
        output += piece;
      });
    running.on('error', reject);
    running.on('close', (status, signal) =>
      resolve({ status: status ?? 128 + constants.signals[signal], output }),
    );
  });
}

const note = setTimeout(() => {
  process.stderr.write('start: building; the first time it takes a minute or more\n');
}, SAID_AFTER);
const built = await run('npm', ['run', '--silent', 'build'], ['ignore', 'pipe', 'pipe']);
clearTimeout(note);
if (built.status !== 0) {
  process.stderr.write(`${built.output}\nstart: the build failed\n`);
  process.exit(built.status > 128 ? built.status : 1);
}

const args = process.argv.slice(2);
const treesum = ['apps/lwkt/dist/cli.js', 'run', 'apps/examples/treesum/treesum.ts', ...args];
const { status } = await run(
  process.execPath,
  args.length > 0 ? treesum : ['tools/start/tour.mjs'],
  'inherit',
);
process.exitCode = status;
