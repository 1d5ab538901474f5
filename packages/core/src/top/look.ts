/**
 * look.ts: this rfork as snapshot() shows it. How the others are asked is in snapshot.ts.
 *
 * CPU time is counted from the first look on, as counting costs something at each switch, and no longer once nobody has looked for a while.
 */

import { remotePorts } from '../msg/elsewhere.ts';
import { listedPorts } from '../msg/port-list.ts';
import { native } from '../node/native.ts';
import { ownTimers } from '../node/own-timers.ts';
import { self } from '../rfork/self.ts';
import { curthread, thread0 } from '../thread/block.ts';
import { userthreads } from '../thread/scheduler.ts';
import type { UserThread } from '../thread/userthread.ts';
import type { TopPort, TopRforkRunning, TopThread } from './types.ts';

/** Of threads, and of ports: a look must not keep the event loop for long. */
const ROWS_MAX = 1000;
/** Milliseconds after the last look. */
const COUNTING = 60_000;

let stopCounting: NodeJS.Timeout | undefined;

/** For how many nanoseconds CPU time has been counted. It is from now on. */
function countCputime(): number {
  const counted = native.countCputime(true);
  if (stopCounting !== undefined) {
    stopCounting.refresh();
    return counted;
  }
  stopCounting = ownTimers.setTimeout(() => {
    stopCounting = undefined;
    native.countCputime(false);
  }, COUNTING);
  stopCounting.unref();
  return counted;
}

/** A thread, and the figures of it that cost little. */
interface Looked {
  td: UserThread;
  slot: number;
  switches: number;
  cpuTime: number;
  stackSize: number;
  onRunQueue: boolean;
}

function figuresOf(td: UserThread): Looked[] {
  const slot = td === thread0 ? -1 : td.slot;
  const figures = native.figures(slot);
  if (figures === undefined) return []; // a native one that has ended
  const [switches, cpuTime, stackSize, onRunQueue] = figures;
  return [{ td, slot, switches, cpuTime, stackSize, onRunQueue }];
}

/** thread0 is always ready to run. */
function stateOf({ td, onRunQueue }: Looked): TopThread['state'] {
  if (td === curthread()) return 'running';
  return onRunQueue || td === thread0 ? 'runnable' : 'blocked';
}

function rowOf(looked: Looked): TopThread {
  const { td, slot, switches, cpuTime, stackSize } = looked;
  const state = stateOf(looked);
  return {
    id: td.id,
    name: td.name,
    rfork: self.id,
    native: td.symbol !== undefined,
    priority: td.priority,
    state,
    // What waits in a native half of another package's is known to the native side only.
    waitReason: state === 'blocked' ? (td.waitReason ?? native.waitReason(slot) ?? null) : null,
    switches,
    preemptions: td.preemptions,
    cpuTime,
    stackUsed: slot >= 0 && switches === 0 ? 0 : native.stackUsed(slot) || null,
    stackSize: slot < 0 ? null : stackSize,
    queued: td.ownPort?.length ?? 0,
  };
}

function threads(): TopThread[] {
  let looked = [thread0, ...userthreads()].flatMap(figuresOf);
  if (looked.length > ROWS_MAX)
    looked = looked
      .sort((a, b) => Number(b.td === thread0) - Number(a.td === thread0) || b.cpuTime - a.cpuTime)
      .slice(0, ROWS_MAX + 1);
  return looked.map(rowOf).sort((a, b) => a.id - b.id);
}

function ports(): TopPort[] {
  const waitedOn = userthreads().flatMap((td) => td.waitingOn ?? []);
  return [...new Set([...listedPorts(), ...waitedOn])]
    .filter((port) => port.owner?.ownPort !== port && !port.over)
    .map((port) => ({
      name: port.name,
      owner: port.owner?.id ?? null,
      queued: port.length,
      waiting: port.waiting,
    }))
    .sort((a, b) => b.queued - a.queued)
    .slice(0, ROWS_MAX);
}

export function look(): TopRforkRunning {
  const cpuCounted = countCputime();
  const { alive, runnable, passes, switches, ipisSent, ipisReceived } = native.stats();
  const { idle, active } = ownTimers.eventLoopUtilization();
  return {
    id: self.id,
    name: self.name,
    state: 'running',
    userthreads: alive,
    runnable,
    passes,
    switches,
    ipisSent,
    ipisReceived,
    loop: { idle, active },
    cpuCounted,
    threads: threads(),
    ports: ports(),
    remotePorts: remotePorts().slice(0, ROWS_MAX),
  };
}
