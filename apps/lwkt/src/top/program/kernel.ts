/** kernel.ts: what the kernel knows of a program and of its kernel threads, of which each runs lwps: /proc. */
import { readFileSync } from 'node:fs';

/** The fields of stat behind the name, from the third on (proc(5)). */
function stat(path: string): string[] {
  const text = readFileSync(`${path}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

export interface Process {
  /** Its command line, as it is now. */
  command: string;
  /** As it is now: the main lwp's, too. */
  name: string;
  /** Seconds. */
  uptime: number;
  rss: number;
}

export function processOf(pid: number): Process {
  const fields = stat(`/proc/${pid}`);
  const up = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return {
    command: words.slice(0, -1).join(' '),
    name: readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd(),
    uptime: Math.max(0, up - Number(fields[19]) / 100), // in ticks of 10 ms, on every Linux
    rss: Number(fields[21]) * 4096,
  };
}

export interface KernelThread {
  /** Whether it sleeps in the kernel. */
  sleeps: boolean;
  /** Nanoseconds of CPU time. */
  cpuTime: number;
}

export function threadOf(pid: number, tid: number): KernelThread {
  const path = `/proc/${pid}/task/${tid}`;
  const [state, ...fields] = stat(path);
  let cpuTime: number;
  try {
    cpuTime = Number(readFileSync(`${path}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    cpuTime = (Number(fields[10]) + Number(fields[11])) * 1e7; // a kernel without CONFIG_SCHED_INFO
  }
  return { sleeps: state !== 'R', cpuTime };
}
