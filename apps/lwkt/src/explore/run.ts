/**
 * run.ts: one run of `lwkt explore`: the launcher with a schedule, what came of it, and whether that is wrong.
 *
 * Invariant: whoever stops exploring ends all that runs (endAll), with the processes that it has made.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { launcherPath } from '@libcr/posix-compat/spawn';
import { UsageError } from '../errors.ts';
import { stdioOf } from '../program/descriptors.ts';
import { type GivenFile, openGiven } from './given.ts';

/** What the launcher says of a deadlock, and its exit status then. */
const DEADLOCK = /^libcr: deadlock in process /m;
const DEADLOCK_STATUS = 13;

/** Exit status of the launcher's own: nothing has been run. */
const NOT_RUN = [2, 125, 126, 127];

/** What is run, and what is wrong of a run. */
export interface Subject {
  program: string[];
  /** s. */
  timeout: number;
  /** A shell's. */
  check: string | undefined;
  /** Descriptors above 2. */
  given: readonly GivenFile[];
  /** Names of libraries, with commas between; '': none. */
  preemptIn: string;
}

/** Files of a run under way. */
export interface Files {
  output: string;
  /** Where the launcher writes its decisions, if it is to. */
  log?: string;
  /** Where it writes the calls. */
  trace?: string;
}

export interface Outcome {
  /** How the run ended: '0', an exit status, or a signal. */
  end: string;
  /** undefined: nothing is wrong. */
  what: string | undefined;
  /** stdout and stderr, as they came. */
  output: string;
}

/** How the run ended: exit status or signal, or that it did not. */
type End = { status: number | null; signal: NodeJS.Signals | null; hangs: boolean };

const running = new Set<ChildProcess>();

/** Its processes, too: they are a group. */
function killAll(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}

/** Ends whatever runs. */
export function endAll(): void {
  for (const child of running) killAll(child);
}

async function launch(subject: Subject, schedule: string, { output, log, trace }: Files): Promise<End> {
  const given = await openGiven(subject.given);
  const fd = openSync(output, 'w');
  if (log !== undefined) writeFileSync(log, '');
  const args = [
    `--schedule=${schedule}`,
    ...(subject.preemptIn === '' ? [] : [`--preempt-in=${subject.preemptIn}`]),
    ...(log === undefined ? [] : [`--schedule-log=${log}`]),
    ...(trace === undefined ? [] : [`--trace=${trace}`]),
    '--',
    ...subject.program,
  ];
  return new Promise((resolve, reject) => {
    const stdio = stdioOf<'ignore' | number>(['ignore', fd, fd], given);
    const child = spawn(launcherPath(), args, { stdio, detached: true });
    let hangs = false;
    for (const each of [fd, ...given.map(([, file]) => file)]) closeSync(each);
    running.add(child);
    const timer = setTimeout(() => {
      hangs = true;
      killAll(child);
    }, subject.timeout * 1000);
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ status, signal, hangs });
    });
  });
}

/** What --check says to the output; undefined: nothing. */
function checkOutput(check: string, seed: number, output: string): string | undefined {
  const env = { ...process.env, LIBCR_SEED: String(seed) };
  const { status, signal } = spawnSync('/bin/sh', ['-c', check], {
    input: output,
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  return status === 0 ? undefined : `--check fails (${signal ?? `exit status ${status}`})`;
}

function judge({ check, timeout }: Subject, seed: number, end: End, output: string): string | undefined {
  if (end.hangs) return `hangs: killed after ${timeout} s`;
  if (end.signal !== null) return `ended by ${end.signal}`;
  if (end.status === DEADLOCK_STATUS && DEADLOCK.test(output)) return 'deadlock';
  if (end.status !== 0) return `exit status ${end.status}`;
  return check === undefined ? undefined : checkOutput(check, seed, output);
}

/** Runs it once. `more`: what follows the seed in --schedule. Throws a UsageError where the launcher could not run it. */
export async function runOnce(subject: Subject, seed: number, more: string, files: Files): Promise<Outcome> {
  const ended = await launch(subject, `seed:${seed}${more}`, files);
  const output = readFileSync(files.output, 'utf8');
  if (NOT_RUN.includes(ended.status ?? 0) && output.startsWith('libcr: '))
    throw new UsageError(output.slice('libcr: '.length).trim());
  return {
    end: ended.hangs ? 'hangs' : String(ended.signal ?? ended.status),
    what: judge(subject, seed, ended, output),
    output,
  };
}
