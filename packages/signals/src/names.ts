/**
 * names.ts: the signals, by name and by number (Linux, x86-64).
 */
import { constants } from 'node:os';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { posixError, reserved, unknownSignal } from './errors.ts';

/** The highest signal. */
export const NSIG = 64;
/** The first and the last real-time signal: 34 and 64. glibc keeps 32 and 33 for itself. */
export const SIGRTMIN = 34;
export const SIGRTMAX = 64;

/** A signal: "SIGUSR1", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-1", or its number. */
export type Signal = NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTM${'IN+' | 'AX-'}${number}` | number;

const numbers = new Map<string, number>(Object.entries(constants.signals));
const names: string[] = [];
for (const [name, signo] of numbers) names[signo] ??= name;
names[6] = 'SIGABRT';
names[29] = 'SIGIO';
names[17] = 'SIGCHLD';
for (let signo = SIGRTMIN; signo <= SIGRTMAX; signo++) {
  const up = signo - SIGRTMIN;
  const down = SIGRTMAX - signo;
  numbers.set(`SIGRTMIN+${up}`, signo).set(`SIGRTMAX-${down}`, signo);
  names[signo] =
    up === 0 ? 'SIGRTMIN' : down === 0 ? 'SIGRTMAX' : up <= 15 ? `SIGRTMIN+${up}` : `SIGRTMAX-${down}`;
}
numbers.set('SIGRTMIN', SIGRTMIN).set('SIGRTMAX', SIGRTMAX).set('SIGPOLL', 29).set('SIGCLD', 17);

/** The name of a signal, as bash has it for real-time ones; "32" and "33" have none. */
export function nameOf(signo: number): string {
  return names[signo] ?? String(signo);
}

/** Not SIGKILL, SIGSTOP, nor glibc's: bit n is signal n. */
const impossible = (signo: number): boolean => signo === 9 || signo === 19 || signo === 32 || signo === 33;

/** SIGSEGV and its like. */
export const isFault = (signo: number): boolean =>
  signo === 11 || signo === 7 || signo === 8 || signo === 4 || signo === 5 || signo === 31;

/** Its number. Throws TypeError and RangeError, and EINVAL for an integer that is no signal's; what: C's name of the function. 0 where that is allowed. */
export function numberOf(signal: unknown, what: string, lowest = 1): number {
  if (typeof signal === 'string') {
    const signo = numbers.get(signal);
    if (signo === undefined) throw unknownSignal(signal);
    return signo;
  }
  if (typeof signal !== 'number') throw invalidType('sig', 'of type string or number', signal);
  if (!Number.isInteger(signal)) throw outOfRange('sig', 'an integer', signal);
  if (signal < lowest || signal > NSIG) throw posixError('EINVAL', what);
  return signal;
}

/** Throws for a signal that nobody could hear of if a timer sent it: the kernel's faults are V8's. */
export function checkSendable(signo: number, what: string): void {
  checkCatchable(signo, what);
  if (isFault(signo))
    throw reserved(
      `${nameOf(signo)} of the kernel's is V8's and Node's: a timer that sends it would end the process`,
    );
}

/** Throws EINVAL where no process can have a handler for it, or wait for it, and ERR_LIBCR_SIGNAL_RESERVED for the profiler's. */
export function checkCatchable(signo: number, what: string): void {
  if (impossible(signo)) throw posixError('EINVAL', what);
  if (signo === 27)
    throw reserved(
      "SIGPROF is V8's CPU profiler's: with --cpu-prof, or an inspector that profiles, it would be lost. Use another signal, for timer() too",
    );
}
