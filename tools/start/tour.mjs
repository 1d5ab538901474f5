// The tour: what libcr is good for, in a few steps, each with the code that runs and what it measures on this machine. Plain text, to a terminal or not.
//
// It takes half a minute at most: a step that is not done by its time (steps.mjs) is cut off, and that is said. Exit code 1 if a step fails, and
// stderr says which; 128 and the signal's number if it is interrupted; 141 if nobody reads any more.
//
// Invariant: each step is a process group of its own, and none outlives the tour.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from '../bench/machine.mjs';
import { excerpt } from './excerpt.mjs';
import { steps } from './steps.mjs';

const EPIPE = 141; // what a shell shows for SIGPIPE

const root = join(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false }, // less of everything
    patience: { type: 'string', default: '1' }, // how much more time than usual a step may take
  },
});
const patience = Number(options.patience);
const begun = performance.now();

let running;
/** Ends the step that runs, with everything it has started. */
function stop() {
  if (running?.exitCode === null && running.signalCode === null) {
    try {
      process.kill(-running.pid, 'SIGKILL');
    } catch {
      // it has just ended by itself
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
process.on('exit', stop);
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') console.error(`tour: ${error.message}`);
  process.exit(error.code === 'EPIPE' ? EPIPE : 1);
});

const print = (...lines) => process.stdout.write(`${lines.join('\n')}\n`);
const indented = (lines) => lines.map((line) => (line === '' ? '' : `     ${line}`));

/** Runs a step's program and shows what it prints, line by line: "done", "cut off", or how it failed. */
function run(command, until) {
  return new Promise((resolve) => {
    let left = '';
    let cut = false;
    running = spawn(process.execPath, command, {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => {
      cut = true;
      stop();
    }, until - performance.now());
    running.stdout.setEncoding('utf8').on('data', (piece) => {
      const lines = (left + piece).split('\n');
      left = lines.pop();
      for (const line of lines) print(`   ${line}`);
    });
    running.on('error', (error) => resolve(error.message));
    running.on('close', (status, signal) => {
      clearTimeout(timer);
      if (cut) resolve('cut off');
      else resolve(status === 0 ? 'done' : (signal ?? `exit code ${status}`));
    });
  });
}

print(
  'libcr: blocking code on its own stack, for Node.js. A few steps, half a minute at most; the figures are of',
  'this machine, as it is now:',
  '',
  ...indented(await machine()),
);
for (const [i, step] of steps(options).entries()) {
  print('', `${i + 1}. ${step.title}`, '', ...step.about.map((line) => `   ${line}`), '');
  let outcome;
  try {
    print(...indented(excerpt(join(root, step.code))), '', `   (${step.code})`, '');
    outcome = await run(step.command, begun + step.until * patience * 1000);
  } catch (error) {
    outcome = error.message;
  }
  if (outcome === 'cut off')
    print(`   Cut off: the tour has no more time for it on this machine, as it is now.`);
  else if (outcome !== 'done') {
    console.error(`tour: step ${i + 1} (${step.title}) failed: ${outcome}`);
    process.exit(1);
  }
}
print(
  '',
  'Where to go on:',
  '   README.md               what it is, what it asks of your code, and what it does not do',
  '   apps/examples           these programs and more, a page each; npx lwkt run FILE runs your own',
  '   npx lwkt --help         trace a program, look at a running one, examine the machine',
);
