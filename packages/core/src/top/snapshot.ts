/**
 * snapshot.ts: snapshot(): this rfork and what the others answer, which are asked by message. One that is busy does not answer, and nobody waits for it
 * longer than the timeout.
 *
 * Invariant: an rfork that has been asked is not asked again before it has answered or ended: who comes meanwhile waits for the same answer.
 */

import { invalidType } from '../errors/errors.ts';
import { native } from '../node/native.ts';
import { ownTimers } from '../node/own-timers.ts';
import { onEnded, onKind } from '../rfork/messages.ts';
import { self } from '../rfork/self.ts';
import * as wire from '../rfork/wire.ts';
import { checkMilliseconds } from '../thread/block.ts';
import { look } from './look.ts';
import type {
  SnapshotOptions,
  TopProcess,
  TopRfork,
  TopRforkRunning,
  TopRforkSilent,
  TopSnapshot,
} from './types.ts';

const TIMEOUT_DEFAULT = 500;

type Answered = (rfork: TopRforkRunning | undefined) => void;

/** By rfork: who waits for its answer. */
const asked = new Map<number, Set<Answered>>();

function answered(rfork: number, row: TopRforkRunning | undefined): void {
  const waiting = asked.get(rfork) ?? [];
  asked.delete(rfork);
  for (const answer of waiting) answer(row);
}

/** Whether that rfork is there to be asked. */
function ask(rfork: number, answer: Answered): boolean {
  const waiting = asked.get(rfork);
  if (waiting !== undefined) waiting.add(answer);
  else if (native.send(rfork, wire.TOP_ASK, 0, 0, 0, undefined) === 0) asked.set(rfork, new Set([answer]));
  else return false;
  return true;
}

function processOf(): TopProcess {
  return {
    pid: process.pid,
    title: process.title,
    script: process.argv[1] ?? null,
    node: process.version,
    uptime: process.uptime(),
    rss: process.memoryUsage.rss(),
  };
}

function silent(id: number, name: string, state: TopRforkSilent['state']): TopRforkSilent {
  return { id, name, state, threads: [], ports: [] };
}

/** Asks all; keepsAlive: the event loop does not run dry meanwhile. Without, the promise need not settle. */
export function gather(timeout: number, keepsAlive: boolean): Promise<TopSnapshot> {
  const rforks = new Map<number, TopRfork>([[self.id, look()]]);
  const waiting = new Map<number, Answered>();
  return new Promise((resolve) => {
    const finish = (): void => {
      ownTimers.clearTimeout(timer);
      if (keepsAlive) native.hold(false);
      for (const [id, answer] of waiting) asked.get(id)?.delete(answer);
      waiting.clear();
      const rows = [...rforks.values()].sort((a, b) => a.id - b.id);
      resolve({ time: ownTimers.now(), process: processOf(), rforks: rows });
    };
    const fields = native.rforks();
    for (let at = 0; at < fields.length; at += 3) {
      const id = fields[at] as number;
      const name = fields[at + 1] as string;
      if (id === self.id) continue;
      if (!fields[at + 2]) {
        rforks.set(id, silent(id, name, 'starting'));
        continue;
      }
      const answer: Answered = (row) => {
        if (row === undefined) rforks.delete(id);
        else rforks.set(id, row);
        waiting.delete(id);
        if (waiting.size === 0) finish();
      };
      if (!ask(id, answer)) continue;
      rforks.set(id, silent(id, name, 'busy'));
      waiting.set(id, answer);
    }
    if (keepsAlive) native.hold(true);
    const timer = ownTimers.setTimeout(finish, timeout);
    if (!keepsAlive) timer.unref();
    if (waiting.size === 0) finish();
  });
}

/**
 * How all rforks of the process and their userthreads stand: plain data, the same as JSON. The rfork that calls it asks the others by message; one that does
 * not answer in time is listed as busy. CPU time is counted from the first look on (see TopRforkRunning.cpuCounted). On a userthread: wait(snapshot()).
 * Rejects with TypeError and RangeError for bad arguments. (DragonFly: top -t, and the kern.proc sysctls that it asks)
 */
export async function snapshot(options: SnapshotOptions = {}): Promise<TopSnapshot> {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { timeout = TIMEOUT_DEFAULT } = options;
  checkMilliseconds('options.timeout', timeout);
  return gather(timeout, true);
}

onKind.set(wire.TOP_ASK, (from) => {
  native.send(from, wire.TOP_ANSWER, 0, 0, 0, look());
});
onKind.set(wire.TOP_ANSWER, (from, row) => answered(from, row as TopRforkRunning));
onEnded.add((rfork) => answered(rfork, undefined));
