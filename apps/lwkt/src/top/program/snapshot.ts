/**
 * snapshot.ts: a look at a program under libcr from outside, in the form of @libcr/core's snapshots: its lwps, read from its memory while it runs.
 *
 * Nothing is stopped, so what is read may be half changed: each lwp says whose it is, and where that is wrong, or nothing is there, the look begins again.
 */
import type { TopProcess, TopRforkRunning, TopSnapshot, TopThread } from '@libcr/core/top/client';
import { type KernelThread, processOf, threadOf } from './kernel.ts';
import { type Layout, Memory, textAt, wordAt } from './layout.ts';

const TDF_RUNNING = 0x1;
const TDF_RUNQ = 0x2;
const TDF_FRESH = 0x80;
const TICK_NS = 1e7;
const ATTEMPTS = 20;
/** As many as core lists. */
const THREADS_MAX = 1000;

export interface ProgramSnapshot extends TopSnapshot {
  process: TopProcess & { program: string };
}

interface Rfork {
  gd: number;
  thread: KernelThread;
  switches: number;
}

/** An lwp as it lies there, and the userthread that it is. */
interface Lwp {
  tid: number;
  name: string;
  ticks: number;
  preemptions: number;
  /** Of the rfork's struct globaldata; 0: it has no thread yet. */
  gd: number;
  flags: number;
  priority: number;
  switches: number;
  stackSize: number;
  wmesg: string;
  /** The system call that it came with, when it was in libcr last. */
  call: string;
}

class Changed extends Error {}

function isOfChange(error: unknown): boolean {
  return error instanceof Changed || (error as NodeJS.ErrnoException).code === 'EIO';
}

class Reader {
  private readonly memory: Memory;
  private readonly layout: Layout;

  constructor(memory: Memory, layout: Layout) {
    this.memory = memory;
    this.layout = layout;
  }

  /** By number; those that run. */
  rforks(pid: number): Map<number, Rfork> {
    const { layout } = this;
    const bytes = this.memory.read(layout.rforks, layout.rforksMax * layout.rforkSize);
    const found = new Map<number, Rfork>();
    for (let i = 0; i < layout.rforksMax; i++) {
      const at = i * layout.rforkSize;
      const gd = wordAt(bytes, at + layout.rf_gd);
      if (gd === 0) continue;
      const thread = threadOf(pid, bytes.readInt32LE(at + layout.rf_tid));
      found.set(i + 1, { gd, thread, switches: wordAt(bytes, at + layout.rf_nswitches) });
    }
    return found;
  }

  /** The newest first; `most` of them. With `some`, those up to the first that is changing. */
  lwps(most: number, some: boolean): { count: number; lwps: Lwp[] } {
    const { layout, memory } = this;
    const proc = memory.read(layout.proc, Math.max(layout.p_lwps, layout.p_nlwps) + 8);
    const count = proc.readUInt32LE(layout.p_nlwps);
    const lwps: Lwp[] = [];
    try {
      for (let at = wordAt(proc, layout.p_lwps); at !== 0 && lwps.length < most; ) {
        const bytes = memory.read(at, layout.lwpSize);
        if (wordAt(bytes, layout.lwp_proc) !== layout.proc || lwps.length >= count) throw new Changed();
        lwps.push(this.lwp(bytes));
        at = wordAt(bytes, layout.lwp_next);
      }
    } catch (error) {
      if (!some || !isOfChange(error)) throw error;
    }
    return { count, lwps };
  }

  private lwp(bytes: Buffer): Lwp {
    const { layout, memory } = this;
    const td = wordAt(bytes, layout.lwp_td);
    const thread = td === 0 ? undefined : memory.read(td, layout.threadSize);
    const kstack = wordAt(bytes, layout.lwp_kstack);
    const flags = thread?.readUInt32LE(layout.td_flags) ?? TDF_FRESH;
    return {
      tid: bytes.readInt32LE(layout.lwp_tid),
      name: textAt(bytes, layout.lwp_comm, 16),
      ticks: wordAt(bytes, layout.lwp_nticks),
      preemptions: wordAt(bytes, layout.lwp_npreemptions),
      gd: thread === undefined ? 0 : wordAt(thread, layout.td_gd),
      flags,
      priority: thread?.readInt32LE(layout.td_pri) ?? 0,
      switches: thread === undefined ? 0 : wordAt(thread, layout.td_nswitches),
      stackSize: thread === undefined ? 0 : wordAt(thread, layout.td_stack_size),
      wmesg: thread === undefined ? '' : memory.text(wordAt(thread, layout.td_wmesg)),
      call: kstack === 0 || flags & TDF_FRESH ? '' : this.call(kstack),
    };
  }

  private call(kstack: number): string {
    const { layout, memory } = this;
    const number = memory.word(kstack - layout.trapframeSize + layout.tf_number);
    const count = memory.read(layout.callCount, 4).readUInt32LE(0);
    return number < count ? memory.text(memory.word(memory.word(layout.callNames) + 8 * number)) : '';
  }

  exe(): string {
    const bytes = this.memory.read(this.layout.exe, 4096);
    return textAt(bytes, 0, bytes.length);
  }
}

/** What it waits for: in libcr by what it has said; or the kernel waits for it, in the call that it has made. */
function stateOf(lwp: Lwp, rfork: Rfork): Pick<TopThread, 'state' | 'waitReason'> {
  if (lwp.flags & TDF_RUNNING) {
    if (!rfork.thread.sleeps) return { state: 'running', waitReason: null };
    return { state: 'blocked', waitReason: lwp.call };
  }
  if (lwp.flags & (TDF_RUNQ | TDF_FRESH)) return { state: 'runnable', waitReason: null };
  const reason = lwp.wmesg === lwp.call || lwp.call === '' ? lwp.wmesg : `${lwp.wmesg} (${lwp.call})`;
  return { state: 'blocked', waitReason: reason };
}

function threadRow(
  lwp: Lwp,
  id: number,
  rfork: Rfork,
  main: { pid: number; name: string },
  alone: boolean,
): TopThread {
  return {
    id: lwp.tid,
    name: lwp.tid === main.pid || lwp.name === '' ? main.name : lwp.name,
    rfork: id,
    native: false,
    priority: lwp.priority,
    ...stateOf(lwp, rfork),
    switches: lwp.switches,
    preemptions: lwp.preemptions,
    cpuTime: alone ? rfork.thread.cpuTime : lwp.ticks * TICK_NS,
    stackUsed: null,
    stackSize: lwp.stackSize,
    queued: 0,
  };
}

function rforkRow(
  id: number,
  rfork: Rfork,
  threads: TopThread[],
  now: number,
  uptime: number,
): TopRforkRunning {
  const active = rfork.thread.cpuTime / 1e6;
  return {
    id,
    name: 'rfork',
    state: 'running',
    userthreads: threads.length,
    runnable: threads.filter(({ state }) => state !== 'blocked').length,
    passes: 0,
    switches: rfork.switches,
    ipisSent: 0,
    ipisReceived: 0,
    loop: { active, idle: Math.max(0, uptime * 1e3 - active) },
    cpuCounted: now,
    threads,
    ports: [],
    remotePorts: [],
  };
}

function look(pid: number, layout: Layout, most: number, some: boolean): ProgramSnapshot {
  const memory = new Memory(pid);
  try {
    const reader = new Reader(memory, layout);
    const process_ = processOf(pid);
    const rforks = reader.rforks(pid);
    const { count, lwps } = reader.lwps(most, some);
    const now = Number(process.hrtime.bigint());
    const main = { pid, name: process_.name };
    const rows = [...rforks].map(([id, rfork], first) => {
      // One that has no thread yet begins on some rfork.
      const own = lwps.filter(({ gd }) => gd === rfork.gd || (gd === 0 && first === 0));
      const threads = own.map((lwp) => threadRow(lwp, id, rfork, main, count === 1));
      return rforkRow(id, rfork, threads, now, process_.uptime);
    });
    if (rows[0] !== undefined) rows[0].userthreads += count - lwps.length; // what is not listed
    return {
      time: Date.now(),
      process: {
        pid,
        title: process_.name,
        script: null,
        node: '',
        uptime: process_.uptime,
        rss: process_.rss,
        program: process_.command || reader.exe(),
      },
      rforks: rows,
    };
  } finally {
    memory.close();
  }
}

/** Throws what the system says: ENOENT or ESRCH where it has ended, EACCES; EIO where it has another program's memory by now. Of one that changes all
 * the time there may be less than all. */
export function lookAtProgram(pid: number, layout: Layout, most = THREADS_MAX): ProgramSnapshot {
  for (let left = ATTEMPTS; ; left--)
    try {
      return look(pid, layout, most, left === 0);
    } catch (error) {
      if (!isOfChange(error) || left === 0) throw error;
    }
}
