// Runs one subject in a child process of its own and brings back what it measured.
//
// A subject prints, as its last line, what sample.mjs' report() makes: nanoseconds for one operation and, where it has a result to compare, a
// digest of it. One that measures memory prints { bytes } instead, and one that measures several things at once { figures }, by name. A subject
// with `wholeProcess` prints its result only: its time is that of the process, from spawn to exit.
//
// What a subject's command() returns are arguments of this node; of a subject with `native` they begin with the program.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that would make one run unlike another. */
function environment() {
  const {
    NODE_OPTIONS: _1,
    NODE_DEBUG: _2,
    UV_THREADPOOL_SIZE: _3,
    NODE_EXTRA_CA_CERTS: _4, // Node 20 reads it at each start
    ...env
  } = process.env;
  return env;
}

/** The same as subjects/treesum/measure.mjs makes: of the lines in order, whatever order they were printed in. */
function digestOfLines(text) {
  return createHash('sha256').update(text.trimEnd().split('\n').sort().join('\n')).digest('hex');
}

/**
 * What it measured: { figures, output }; the figure of a subject that has only one is named ''. Its output goes to a file in `scratch`: a
 * reader at the other end of a pipe would be part of what is measured.
 */
export function runChild(subject, context, { root, scratch }) {
  const command = subject.command(context);
  const [program, ...args] = subject.native ? command : [process.execPath, ...command];
  const path = join(scratch, 'stdout');
  const fd = openSync(path, 'w');
  const before = process.hrtime.bigint();
  const child = spawnSync(program, args, {
    cwd: root,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', fd, 'pipe'],
  });
  const whole = Number(process.hrtime.bigint() - before);
  closeSync(fd);
  const stdout = readFileSync(path, 'utf8');

  if (child.error) throw child.error;
  if (child.status !== 0)
    throw new Error(
      `${[program, ...args].join(' ')}: ${child.signal ?? `exit code ${child.status}`}\n${child.stderr}`,
    );
  if (subject.wholeProcess) return { figures: { '': whole }, output: digestOfLines(stdout) };
  const { ns, bytes, figures, output } = JSON.parse(stdout.trimEnd().split('\n').at(-1));
  return { figures: figures ?? { '': ns ?? bytes }, output };
}
