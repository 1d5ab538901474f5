/**
 * types.ts: what snapshot() answers: plain data, the same as JSON, so null stands for what is not known.
 */

/** A userthread, or thread0 (id 0). */
export interface TopThread {
  /** Unique on its rfork. */
  id: number;
  name: string;
  /** The id of its rfork. */
  rfork: number;
  /** Whether it runs a C function (createNative). */
  native: boolean;
  /** 0 to 31, higher runs first. */
  priority: number;
  state: 'runnable' | 'running' | 'blocked';
  /** null unless it is blocked. */
  waitReason: string | null;
  /** Times that it was switched to. */
  switches: number;
  /** How often the CPU has been taken from it while it computed. */
  preemptions: number;
  /**
   * Nanoseconds that it has run since its rfork began to count (see cpuCounted there): elapsed time, so what the kernel gave to others meanwhile, and system
   * calls that waited, are in it. For thread0: without the event loop's sleep.
   */
  cpuTime: number;
  /** Bytes of its stack that have ever been used, also by threads that had the stack before it; null where that is not known, and for thread0. */
  stackUsed: number | null;
  /** Bytes; null for thread0. */
  stackSize: number | null;
  /** Messages that wait at its own port. */
  queued: number;
}

/** A port that is no thread's own, and in which messages have waited, or for whose messages somebody waits. */
export interface TopPort {
  name: string;
  /** The id of the thread that takes from it; null: any may, or none has yet. */
  owner: number | null;
  /** Messages that wait there. */
  queued: number;
  /** Threads that wait for a message. */
  waiting: number;
}

/** A port whose messages go to another host (@libcr/nats). */
export interface TopRemotePort {
  name: string;
  /** Messages that are under way. */
  inFlight: number;
  sent: number;
  /** Of those that came back: with an error. */
  failed: number;
  /** Milliseconds until the answer: the last ones' mean, and the longest ever. */
  latency: number;
  latencyMax: number;
}

/** An rfork that has answered. */
export interface TopRforkRunning {
  id: number;
  name: string;
  state: 'running';
  /** Userthreads that have not finished. `threads` has at most 1,000 of them, those that ran longest first. */
  userthreads: number;
  /** Of those, on the run queue. */
  runnable: number;
  /** Visits of the event loop to the scheduler. */
  passes: number;
  /** Stack switches. */
  switches: number;
  /** IPI messages. */
  ipisSent: number;
  ipisReceived: number;
  /** Milliseconds since its event loop began, asleep and not (performance.eventLoopUtilization()). */
  loop: { idle: number; active: number };
  /**
   * For how many nanoseconds it has counted CPU time. It begins when somebody looks (0 at the first look), and ends when nobody has looked for a minute.
   */
  cpuCounted: number;
  threads: TopThread[];
  /** At most 1,000, those with the most messages first. */
  ports: TopPort[];
  /** At most 1,000. */
  remotePorts: TopRemotePort[];
}

/** One that has not: a thread there runs without ever blocking or yielding (busy), or it is not up yet (starting). */
export interface TopRforkSilent {
  id: number;
  name: string;
  state: 'busy' | 'starting';
  threads: [];
  ports: [];
}

export type TopRfork = TopRforkRunning | TopRforkSilent;

export interface TopProcess {
  pid: number;
  title: string;
  /** process.argv[1]; null where there is none. */
  script: string | null;
  /** As process.version. */
  node: string;
  /** Seconds. */
  uptime: number;
  /** Bytes of memory. */
  rss: number;
}

export interface TopSnapshot {
  /** Milliseconds since 1970. */
  time: number;
  process: TopProcess;
  /** By id. */
  rforks: TopRfork[];
}

export interface SnapshotOptions {
  /** How long to wait for other rforks, in milliseconds, 0 to 2^31-1; 500 if absent. */
  timeout?: number | undefined;
}
