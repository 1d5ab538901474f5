/** signals.ts: the names of signals. */
import { constants } from 'node:os';

const names = new Map<number, string>();
// The first name of a number counts: SIGABRT, not SIGIOT.
for (const [name, number] of Object.entries(constants.signals))
  if (!names.has(number)) names.set(number, name);

/** SIGUSR1, SIGRT_2; a number that is no signal's as it is. */
export function signalName(signal: number): string {
  if (signal >= 32 && signal <= 64) return `SIGRT_${signal - 32}`;
  return names.get(signal) ?? String(signal);
}
