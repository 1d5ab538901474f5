/**
 * look.ts: two looks at a process, compared: how much of the time between them each thread ran. A thread is known by its rfork and its id.
 */
import type { TopRfork, TopRforkRunning, TopSnapshot, TopThread } from '@libcr/core/top/client';

/** A thread as it is shown. */
export interface ThreadRow extends TopThread {
  /** 0 to 100, of the time since the look before; null where there was none. */
  cpuPercent: number | null;
}

/** An rfork that has answered, as it is shown. */
export interface RunningRow extends Omit<TopRforkRunning, 'threads'> {
  threads: ThreadRow[];
  /** As a thread's: how much of the time its event loop was not asleep. */
  loopPercent: number | null;
}

export type RforkRow = RunningRow | Exclude<TopRfork, TopRforkRunning>;

export interface Look extends Omit<TopSnapshot, 'rforks' | 'process'> {
  /** program: the command line of a program under libcr. */
  process: TopSnapshot['process'] & { program?: string };
  rforks: RforkRow[];
}

function percent(part: number, whole: number): number | null {
  return whole > 0 ? Math.min(100, Math.round((part / whole) * 1000) / 10) : null;
}

function running(rfork: TopRfork | undefined): TopRforkRunning | undefined {
  return rfork?.state === 'running' ? rfork : undefined;
}

function compareRfork(now: TopRforkRunning, before: TopRforkRunning | undefined): RunningRow {
  // It may have begun to count anew: then all that it says has happened since the look before.
  const goesOn = before !== undefined && before.cpuCounted <= now.cpuCounted ? before : undefined;
  const counted = now.cpuCounted - (goesOn?.cpuCounted ?? 0);
  const used = new Map(goesOn?.threads.map(({ id, cpuTime }) => [id, cpuTime]));
  const active = now.loop.active - (before?.loop.active ?? 0);
  const idle = now.loop.idle - (before?.loop.idle ?? 0);
  return {
    ...now,
    loopPercent: before === undefined ? null : percent(active, active + idle),
    threads: now.threads.map((td) => ({
      ...td,
      cpuPercent: percent(td.cpuTime - (used.get(td.id) ?? 0), counted),
    })),
  };
}

export function compare(now: TopSnapshot, before: TopSnapshot | undefined): Look {
  return {
    ...now,
    rforks: now.rforks.map((rfork) =>
      rfork.state === 'running'
        ? compareRfork(rfork, running(before?.rforks.find(({ id }) => id === rfork.id)))
        : rfork,
    ),
  };
}
