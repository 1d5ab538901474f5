/**
 * others.ts: whether there are processes that have a supervisor's memory and have not said so yet: a child may have been made, and not have run, when its parent ends.
 *
 * Invariant: where there is one, the answer is true: it has its parent's memory from its first moment on.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc/PID/stat, behind the name in parentheses: the fields from the third on. */
const START = 22 - 3;

function startOf(pid: number | string): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[START]);
  } catch {
    return -1; // it has ended
  }
}

function hasMapped(pid: string, inode: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1').includes(` ${inode} `);
  } catch {
    return false; // ended, or somebody else's
  }
}

/** since: when the memory was made, as now() answers. inode: the memory's. */
export function areThereOthers(since: number, inode: number): boolean {
  return readdirSync('/proc').some(
    (name) =>
      /^\d+$/.test(name) && name !== String(process.pid) && startOf(name) >= since && hasMapped(name, inode),
  );
}

/** The present, in the unit of a process' start: that of a clock's tick. */
export function now(): number {
  const [uptime] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.floor(Number(uptime) * 100) - 100; // what begins in this tick, and a second more for clocks that differ
}
