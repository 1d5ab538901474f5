/**
 * program.ts: `lwkt run PROGRAM`: gives way to @libcr/posix-compat's launcher. This process becomes the launcher, and nothing is between the
 * program and its shell: exit status, signals, terminal, job control. Where that can't be done (a Node before 22.15 that posix-compat has no native half
 * for), the launcher is a child, and this process is for the shell what the program would be; but Node gives the terminal back as it was. So it is with shims of TypeScript, too,
 * which run in this process (supervise.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { become, launcherPath, policyText } from '@libcr/posix-compat/spawn';
import { UsageError } from '../errors.ts';
import { type Given, givenDescriptors, stdioOf } from './descriptors.ts';
import { supervise } from './supervise.ts';

/** What comes to lwkt is the program's. What a terminal sends (Ctrl-C, Ctrl-\) goes to both of them anyhow. */
const FORWARDED = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;
const OF_TERMINALS = ['SIGINT', 'SIGQUIT'] as const;

/** What a terminal stops a job by: each process of it, of which the shell knows one. */
const STOPPING = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/** ms, for the signal to be told that has stopped the program: another kernel thread of this process may have taken it, and been slower than the one that took SIGCHLD. */
const TOLD_WITHIN = 100;

const RFORKS_MAX = 64;

/** Before anything is opened. */
const given: Given = givenDescriptors();

/** A recording, to be written or replayed. */
export interface ProgramRecording {
  /** The launcher's option: --record=FILE, --replay=FILE. */
  option: string;
  /** Of a replay: 2 for stderr, or a file. */
  trace?: string | 2 | undefined;
}

export interface ProgramOptions {
  /** 2 for stderr, or a file. */
  trace?: string | 2 | undefined;
  stats: boolean;
  /** A file with rules, in JSON. */
  policy?: string | undefined;
  /** How many rforks; as it was given. */
  rforks?: string | undefined;
  /** The file for what was counted. */
  metrics?: string | undefined;
  /** Shared objects, the outermost first. */
  nativeShims: readonly string[];
  /** Shims that run in this process: --shim's values, and --config's. */
  shims: string[];
  config?: string | undefined;
  /** What becomes of the program when this process ends before it; as it was given. */
  onSupervisorExit?: string | undefined;
  /** Milliseconds that shims may take for a call; as it was given. */
  shimTimeout?: string | undefined;
  deterministic: boolean;
  /** virtual or real. */
  time?: string | undefined;
  /** seed:N[,STRATEGY]. */
  schedule?: string | undefined;
  /** Names of libraries. */
  preemptIn: string[];
}

/** How many descriptors a process may have, softly. */
function descriptors(of: number | 'self'): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${of}/limits`, 'utf8')) ?? [];
    return Number(soft ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What Node has changed for itself, and the program is to have as the shell has it: Node allows itself all the descriptors that it may have. */
function asBefore(): string[] {
  const soft = descriptors(process.ppid);
  return soft < descriptors('self') ? [`--nofile=${soft}`] : [];
}

function readPolicy(file: string): string {
  try {
    return policyText(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UsageError(`cannot use the policy ${file}: ${(error as Error).message}`);
  }
}

/** A file whose name is a number is no descriptor. */
function traceOption(trace: string | 2 | undefined): string[] {
  const file = typeof trace === 'string' && /^\d+$/.test(trace) ? `./${trace}` : trace;
  return file === undefined ? [] : [`--trace=${file}`];
}

/** The launcher's options. */
function launcherOptions(options: ProgramOptions): string[] {
  const { trace, stats, policy, rforks, metrics, nativeShims, deterministic, time, schedule, preemptIn } =
    options;
  if (rforks !== undefined && !(/^\d+$/.test(rforks) && Number(rforks) >= 1 && Number(rforks) <= RFORKS_MAX))
    throw new UsageError(`--rforks must be 1 to ${RFORKS_MAX}, not ${rforks}`);
  return [
    ...asBefore(),
    ...(stats ? ['--stats'] : []),
    ...traceOption(trace),
    ...(policy === undefined ? [] : [`--policy=${readPolicy(policy)}`]),
    ...(rforks === undefined ? [] : [`--rforks=${rforks}`]),
    ...(metrics === undefined ? [] : [`--metrics=${metrics}`]),
    ...(deterministic ? ['--deterministic'] : []),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(schedule === undefined ? [] : [`--schedule=${schedule}`]),
    ...(preemptIn.length === 0 ? [] : [`--preempt-in=${preemptIn.join(',')}`]),
    ...nativeShims.map((file) => `--native-shim=${file}`),
  ];
}

/** Runs the program to its end; or does not return, as this process is the program's. */
export async function runProgram(name: string, args: string[], options: ProgramOptions): Promise<void> {
  const launcher = launcherPath();
  const said = launcherOptions(options);
  const command = ['--', name, ...args];
  const supervised = await supervise(options, given.all);
  if (supervised !== undefined) {
    const finish = await asChild(
      launcher,
      [...said, ...supervised.options, ...command],
      supervised.descriptors,
    );
    await supervised.end();
    finish();
    return;
  }
  become(launcher, [launcher, '--default-signals', ...said, ...command], given.marked);
  (await asChild(launcher, [...said, ...command]))(); // there is no way to
}

/** Records the program, or replays one: then `command` may name a file to be run in the place of the recorded one, or be empty. */
export async function runRecording(
  command: readonly string[],
  { option, trace }: ProgramRecording,
): Promise<void> {
  const launcher = launcherPath();
  const said = [...asBefore(), option, ...traceOption(trace), '--', ...command];
  become(launcher, [launcher, '--default-signals', ...said], given.marked);
  await asChild(launcher, said);
}

/** Whether a process has been stopped. */
function isStopped(pid: number | undefined): boolean {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false; // it has ended
  }
}

/** Answers, when the program has ended, a function by which this process ends as it has. */
async function asChild(
  launcher: string,
  args: string[],
  own: readonly [number, number][] = [],
): Promise<() => void> {
  // A shell that waits for lwkt is to see that the program has been stopped; what continues lwkt continues the program. Not before it has been: the shell takes the
  // terminal then, and a program that still waits for input would take the next line from it.
  let pid: number | undefined;
  let by: (typeof STOPPING)[number] | undefined;
  const noted = (signal: NodeJS.Signals) => {
    by = signal as typeof by;
    stopSoon();
  };
  const stop = (late = false) => {
    if (pid === undefined || !isStopped(pid)) return;
    if (!by && !late) {
      setTimeout(stop, TOLD_WITHIN, true).unref();
      return;
    }
    if (by) process.off(by, noted);
    process.kill(process.pid, by ?? 'SIGSTOP'); // returns when somebody has continued it
    if (by) process.on(by, noted);
    by = undefined;
    process.kill(pid, 'SIGCONT'); // now, or what is said of the stop once more would stop lwkt again
  };
  // Of signals that have come together the one with the lowest number is told first, and SIGCHLD's is lower than those it may be because of.
  const stopSoon = () => void setImmediate(stop);
  // All of this before there is a child: it may have printed something, and somebody have typed Ctrl-C, before this process runs again.
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => void child?.kill(signal);
  const ofTerminals = (signal: NodeJS.Signals) => void (process.stdin.isTTY || child?.kill(signal));
  process.on('SIGCHLD', stopSoon);
  for (const signal of STOPPING) process.on(signal, noted);
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of OF_TERMINALS) process.on(signal, ofTerminals);
  // What this process was given, at the same numbers, and others of its own. What is not marked a child has anyhow.
  const marked = given.marked.map((fd) => [fd, fd] as const);
  child = spawn(launcher, args, { stdio: stdioOf(['inherit', 'inherit', 'inherit'], [...marked, ...own]) });
  pid = child.pid;
  stop(); // so soon
  const started = child;
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    started.once('error', reject);
    started.once('exit', (...end) => resolve(end));
  });
  process.off('SIGCHLD', stopSoon);
  for (const name of STOPPING) process.off(name, noted);
  for (const name of FORWARDED) process.off(name, forward);
  for (const name of OF_TERMINALS) process.off(name, ofTerminals);
  return () => {
    if (signal === null) process.exitCode = status ?? 1;
    else endBy(signal);
  };
}

/** As the program ended. A signal that does not end Node becomes a shell's exit status. */
function endBy(signal: NodeJS.Signals): void {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}
