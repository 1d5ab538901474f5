/**
 * report.ts: what `lwkt explore` prints of what it has found.
 *
 * Invariant: a command that is printed can be pasted into a shell as it is.
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { launcherPath } from '@libcr/posix-compat/spawn';
import { sentences } from './decisions.ts';
import { redirections } from './given.ts';
import type { Subject } from './run.ts';
import type { Shrunk } from './shrink.ts';
import type { Difference } from './verify.ts';

/** A longer list is no argument for a shell, and nobody reads it. */
const LIST_MAX = 200;

/** What went wrong with a seed. */
export interface Finding {
  seed: number;
  what: string;
  output: string;
}

const quoted = (word: string): string =>
  /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

const programOf = ({ program }: Subject): string => ['--', ...program].map(quoted).join(' ');

function again(subject: Subject, schedule: string): string {
  const launcher = launcherPath();
  const script = join(dirname(launcher), 'libcr-gdb.py');
  const handling = `-iex 'set confirm off' -iex 'handle SIGTRAP SIGSEGV SIGSYS nostop noprint pass' -x ${quoted(script)}`;
  const program = programOf(subject) + redirections(subject.given, quoted);
  const { preemptIn } = subject;
  const options = `--schedule=${schedule}${preemptIn === '' ? '' : ` --preempt-in=${quoted(preemptIn)}`}`;
  return `again: lwkt run ${options} ${program}\nin gdb: gdb ${handling} --args ${quoted(launcher)} ${options} ${program}\n`;
}

export function reportFinding(subject: Subject, strategy: string, { seed, what, output }: Finding): void {
  process.stdout.write(`seed ${seed}: ${what}\n`);
  process.stdout.write(output === '' || output.endsWith('\n') ? output : `${output}\n`);
  process.stdout.write(again(subject, `seed:${seed}${strategy}`));
}

/** Where a shell finds it. */
function pathOf(name: string): string {
  if (name.includes('/')) return name;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}

export function reportShrunk(subject: Subject, seed: number, shrunk: Shrunk | string): void {
  if (typeof shrunk === 'string') {
    process.stdout.write(`${shrunk}\n`);
    return;
  }
  const { decisions, of, tries, isLeast, outcome } = shrunk;
  const so = isLeast ? '' : ', not to the least';
  process.stdout.write(
    `shrunk to ${decisions.length} of ${of} decisions by ${tries} runs${so}: ${outcome.what}\n`,
  );
  if (decisions.length > LIST_MAX) return;
  if (decisions.length === 0) process.stdout.write('  by itself it goes wrong, too\n');
  for (const line of sentences(pathOf(subject.program[0] as string), decisions))
    process.stdout.write(`  ${line}\n`);
  process.stdout.write(again(subject, `seed:${seed},list:${decisions.map(({ text }) => text).join(',')}`));
}

export function reportDifference({ seed, first, second }: Difference): void {
  process.stdout.write(`seed ${seed}: two runs differ\n- ${first}\n+ ${second}\n`);
}
