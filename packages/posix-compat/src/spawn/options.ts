/** options.ts: what can be said of a program's run, checked, as the launcher's options. */
import { invalidType, invalidValue, outOfRange } from './errors.ts';
import { type ProgramRule, policyText } from './policy.ts';

/** The most rforks that the launcher takes. */
export const RFORKS_MAX = 64;

const SCHEDULE = /^seed:\d+(,(random|pct:\d+|round-robin|mixed))?$/;

/** How libcr runs a program. */
export interface ProgramOptions {
  /** Kernel threads that run the program's threads, 1 to 64; 1 if absent. The processes that it starts have as many each. */
  rforks?: number | undefined;
  /**
   * true: each system call of the program and of those that it starts is an object of `child.trace`. A string: the file that gets
   * what `strace -f` would write; it is made, or emptied.
   */
  trace?: boolean | string | undefined;
  /** What was caught and what became of threads, printed when a process ends by itself: to its stderr, or into a file. */
  stats?: boolean | string | undefined;
  /** What the program, and those that it starts, may do: a call that is denied fails with the rule's errno, and does not reach the kernel. */
  policy?: readonly ProgramRule[] | undefined;
  /** Native shims (`libcr_shim.h`, beside the launcher), the outermost first: shared objects through which its system calls go, and those of the processes that it starts. */
  nativeShims?: readonly string[] | undefined;
  /** The file that gets, when the program ends, how often it made which system call, how that ended and how long it took; FILE.PID for each process that it starts. */
  metrics?: string | undefined;
  /** true: what differs from run to run is the same: addresses, random numbers, when threads are interrupted. Not with several rforks. */
  deterministic?: boolean | undefined;
  /** 'virtual': and time moves only when no thread can run, then to the first timer. A deadlock ends the program, with exit status 13 and a report on stderr. */
  time?: 'real' | 'virtual' | undefined;
  /** `seed:N[,STRATEGY]`: and which thread runs, and where it is interrupted, comes from N. STRATEGY: random, pct:D, round-robin or mixed. */
  schedule?: string | undefined;
  /** With `schedule`: libraries, by their files' names, that are interrupted between instructions as the program's own code is. `libmine.so` is `libmine.so.1.2`, too. */
  preemptIn?: readonly string[] | undefined;
  /** false: the program's code is left alone; each call is caught by a signal. true if absent. */
  patch?: boolean | undefined;
}

/** A file whose name is a number is no descriptor. */
const fileName = (file: string): string => (/^\d+$/.test(file) ? `./${file}` : file);

function switchOrFile(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw invalidType(name, 'a boolean, or the name of a file', value);
}

function filesOf(name: string, value: unknown): readonly string[] {
  const files: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [undefined];
  for (const file of files)
    if (typeof file !== 'string' || file === '' || file.includes('\0'))
      throw invalidType(name, "an array of files' names", value);
  return files as string[];
}

/** What the launcher would refuse, or one option would take from another. */
function checkTogether({ rforks = 1, deterministic, time, schedule, preemptIn = [] }: ProgramOptions): void {
  const [fixed] =
    Object.entries({ schedule, time: time === 'virtual', deterministic }).find(([, on]) => on) ?? [];
  if (rforks > 1 && fixed !== undefined)
    throw invalidValue(`The "${fixed}" option is for one rfork, and "rforks" is ${rforks}`);
  if (schedule !== undefined && time === 'real')
    throw invalidValue(`The "schedule" option is for virtual time, and "time" is 'real'`);
  if (preemptIn.length > 0 && schedule === undefined)
    throw invalidValue('The "preemptIn" option is for a "schedule", and there is none');
}

/**
 * The launcher's options. traceFd: the descriptor in the child that gets the objects of `trace: true`. Throws TypeError
 * (ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE for options that don't go together) and RangeError (ERR_OUT_OF_RANGE).
 */
export function launcherOptions(
  {
    rforks,
    trace,
    stats,
    policy,
    nativeShims,
    metrics,
    patch,
    deterministic,
    time,
    schedule,
    preemptIn,
  }: ProgramOptions,
  traceFd?: number,
): string[] {
  if (rforks !== undefined && typeof rforks !== 'number') throw invalidType('rforks', 'a number', rforks);
  if (rforks !== undefined && !(Number.isInteger(rforks) && rforks >= 1 && rforks <= RFORKS_MAX))
    throw outOfRange('rforks', `an integer from 1 to ${RFORKS_MAX}`, rforks);
  switchOrFile('trace', trace);
  switchOrFile('stats', stats);
  for (const [name, value] of Object.entries({ patch, deterministic }))
    if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
  if (time !== undefined && time !== 'real' && time !== 'virtual')
    throw outOfRange('time', "'real' or 'virtual'", time);
  if (schedule !== undefined && !(typeof schedule === 'string' && SCHEDULE.test(schedule)))
    throw outOfRange('schedule', 'seed:N or seed:N,STRATEGY', schedule);
  const libraries = filesOf('preemptIn', preemptIn);
  if (libraries.some((name) => /[,/]/.test(name)))
    throw outOfRange('preemptIn', "files' names without their folders", preemptIn);
  checkTogether({ rforks, deterministic, time, schedule, preemptIn });
  const options: string[] = [];
  if (typeof trace === 'string') options.push(`--trace=${fileName(trace)}`);
  else if (traceFd !== undefined) options.push(`--trace=${traceFd}`, '--trace-format=json');
  if (stats) options.push(typeof stats === 'string' ? `--stats=${fileName(stats)}` : '--stats');
  if (rforks !== undefined) options.push(`--rforks=${rforks}`);
  if (policy !== undefined) options.push(`--policy=${policyText(policy)}`);
  for (const file of filesOf('nativeShims', nativeShims)) options.push(`--native-shim=${file}`);
  for (const file of filesOf('metrics', metrics === undefined ? undefined : [metrics]))
    options.push(`--metrics=${file}`);
  if (deterministic) options.push('--deterministic');
  if (time !== undefined) options.push(`--time=${time}`);
  if (schedule !== undefined) options.push(`--schedule=${schedule}`);
  if (libraries.length > 0) options.push(`--preempt-in=${libraries.join(',')}`);
  if (patch === false) options.push('--no-patch');
  return options;
}
