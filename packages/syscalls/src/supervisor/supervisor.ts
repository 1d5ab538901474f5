/**
 * supervisor.ts: who answers for programs: a Supervisor has shims, and the memory and the doorbell by which programs under libcr ask them.
 *
 * Not here: starting a program (@libcr/posix-compat/spawn does, with its option shims), and how a call is served (desk.ts).
 */
import { fstatSync, statSync } from 'node:fs';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { CHANNEL, GONE_DETACH, GONE_KILL } from '../generated/channel.ts';
import { constants as c } from '../generated/constants.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../loop.ts';
import { native } from '../native.ts';
import { checkShim, type Shim } from '../port/shim.ts';
import type { ShimGuard } from '../port/syscall-port.ts';
import { Calls, type ProgramCall } from './calls.ts';
import { Desk } from './desk.ts';
import { forPrograms, type ProgramShim } from './for-programs.ts';
import { areThereOthers, now } from './others.ts';
import { ProgramPort } from './program-port.ts';

export interface SupervisorOptions {
  /** The outermost first. */
  shims: readonly Shim[];
  /** What becomes of the programs when this process ends, or close() is called before their end: 'kill' (if absent) by SIGKILL; 'detach': they go on without shims. */
  onExit?: 'kill' | 'detach' | undefined;
  /**
   * Milliseconds that the shims may take for a call, above 0 to 2^31-1, what next() takes not counted: a call that takes longer fails with ETIMEDOUT, and a warning
   * (LIBCR_SHIM_TIMEOUT) names shim and call. No limit if absent.
   */
  timeout?: number | undefined;
}

/** A process that runs under a supervisor. */
export interface SupervisedProcess {
  /** -1 for one in another namespace of pids. */
  readonly pid: number;
  /** The path of what it runs. */
  readonly program: string;
  /** The process that has made it; undefined for the first. */
  readonly parent: number | undefined;
}

const TIMEOUT_MAX = 2 ** 31 - 1;
/** How much later than it should a limit may be noticed. */
const LOOKS = 4;
/** Milliseconds after which it is looked again whether a child has spoken up, when all others have ended. */
const GRACE = 20;

function check(options: SupervisorOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { shims, onExit, timeout } = options;
  if (!Array.isArray(shims)) throw invalidType('options.shims', 'an array of shims', shims);
  for (const shim of shims) checkShim(shim);
  if (onExit !== undefined && onExit !== 'kill' && onExit !== 'detach')
    throw invalidType('options.onExit', "'kill' or 'detach'", onExit);
  if (timeout !== undefined && typeof timeout !== 'number')
    throw invalidType('options.timeout', 'of type number', timeout);
  if (timeout !== undefined && !(timeout > 0 && timeout <= TIMEOUT_MAX))
    throw outOfRange('options.timeout', `> 0 and <= ${TIMEOUT_MAX}`, timeout);
}

/**
 * Serves the system calls of programs that are started with its descriptors: each call that a shim wants comes to the shims, on a userthread of this thread's, while the
 * program's thread waits.
 *
 * It keeps the event loop alive while a process runs under it, and no longer.
 */
export class Supervisor {
  /** For the program's first process: the launcher's option `--script=MEMORY,BELL` has the numbers that they have there. Closed by close(). */
  readonly descriptors: readonly [memory: number, bell: number];
  private readonly port = new ProgramPort();
  private readonly desk: Desk;
  private readonly kills: boolean;
  private readonly watch: NodeJS.Timeout | undefined;
  private readonly shims: ProgramShim[] = [];
  private readonly since = now();
  private readonly inode: number;
  private open = true;
  private ending = false;
  private grace: NodeJS.Timeout | undefined;
  private readonly iterators: Set<Calls> = new Set();
  private readonly waiters: (() => void)[] = [];

  /** Throws TypeError and RangeError for options that are none, and an Error with the code ERR_LIBCR_NATIVE where there is no memory to be had. */
  constructor(options: SupervisorOptions) {
    check(options);
    const { shims, onExit = 'kill', timeout } = options;
    const waiting = new Int32Array(1);
    const made = native.supervise(
      () => this.desk.bell(),
      (pid) => this.desk.ended(pid),
      waiting,
    );
    if (typeof made === 'number')
      throw Object.assign(
        new Error(
          made === -c.EFBIG
            ? "a file may not be as long as the memory for programs' calls is (ulimit -f)"
            : `there is no memory for programs' calls: errno ${-made}`,
        ),
        {
          code: 'ERR_LIBCR_NATIVE',
        },
      );
    this.kills = onExit === 'kill';
    this.descriptors = [made.memfd, made.bell];
    this.inode = fstatSync(made.memfd).ino;
    this.desk = new Desk(made, waiting, this.port, {
      begun: () => this.hold(),
      ended: () => this.hold(),
    });
    this.desk.slots.setWord(CHANNEL.namespace, statSync('/proc/self/ns/pid').ino);
    this.desk.slots.setWord(CHANNEL.gone, this.kills ? GONE_KILL : GONE_DETACH);
    try {
      this.shim(...shims);
    } catch (error) {
      made.close();
      throw error;
    }
    if (timeout !== undefined)
      this.watch = setInterval(() => this.lookAtLimits(timeout), Math.max(1, timeout / LOOKS)).unref();
  }

  /** Puts shims on top of what is there, from the next call on. Throws TypeError for what is no shim. */
  shim(...shims: Shim[]): ShimGuard {
    for (const shim of shims) checkShim(shim);
    const programs: ProgramShim[] = [];
    let guard: ShimGuard;
    try {
      for (const shim of shims) programs.push(forPrograms(shim));
      guard = this.port.shim(...programs);
    } catch (error) {
      for (const shim of programs) shim.close?.();
      throw error;
    }
    this.shims.push(...programs);
    this.desk.want();
    const remove = (): void => {
      guard.remove();
      if (this.open) this.desk.want();
    };
    return { remove, [Symbol.dispose]: remove };
  }

  /**
   * The calls of the programs, all of them, as they come back from here on. They have to be read: a thread whose call is the 1,024th that nobody has read waits. Ends when
   * the supervisor is closed; leaving a for await loop takes it off.
   */
  calls(): AsyncIterableIterator<ProgramCall> {
    const calls = new Calls((shim) => this.shim(shim).remove);
    if (this.open) this.iterators.add(calls);
    else calls.end();
    return calls;
  }

  /** The processes that run under it. */
  get processes(): SupervisedProcess[] {
    return [...this.desk.processes.values()].map(({ pid, program, parent }) => ({ pid, program, parent }));
  }

  /** Counters: calls that shims were asked for, those that they are busy with, and the userthreads that serve. */
  stats(): { calls: number; busy: number; userthreads: number } {
    return { calls: this.desk.count, busy: [...this.desk.busy].length, userthreads: this.desk.userthreads };
  }

  /** Closes it when no process runs under it any more: at once, or soon. The promise is fulfilled when it is closed. */
  end(): Promise<void> {
    this.ending = true;
    if (this.open) this.desk.rows.drain();
    const closed = new Promise<void>((resolve) => {
      if (this.open) this.waiters.push(resolve);
      else resolve();
    });
    this.hold();
    return closed;
  }

  /**
   * Ends it: the memory is given back, and buffers of messages have no bytes any more. Programs that still run are killed, or go on without shims, as onExit says. Does not
   * block; harmless when it is closed.
   */
  close(): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.watch);
    clearTimeout(this.grace);
    if (this.kills) for (const { pid } of this.desk.processes.values()) if (pid > 0) kill(pid);
    this.desk.close();
    this.desk.slots.setWord(CHANNEL.supervisor, 0);
    this.desk.native.close();
    for (const calls of this.iterators) calls.end();
    for (const shim of this.shims) shim.close?.();
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether the loop stays alive for it; and whether it is time to close. */
  private hold(): void {
    if (!this.open) return;
    const some = [...this.desk.processes.values()].some(({ pid }) => pid > 0); // the ends of others nobody tells
    this.desk.native.hold(some ? 1 : 0);
    clearTimeout(this.grace);
    this.grace = undefined;
    if (some || !this.ending) return;
    if (areThereOthers(this.since, this.inode)) this.grace = setTimeout(() => this.hold(), GRACE);
    else this.close();
  }

  private lookAtLimits(timeout: number): void {
    const now = this.desk.now();
    for (const asking of this.desk.busy) {
      if (asking.out || now - asking.since < timeout) continue;
      asking.since = now; // it is told once more after as long, if it goes on
      const shim = this.port.shimAbove(asking.td.syscallPort) ?? 'a shim';
      const { pid } = asking.thread;
      process.emitWarning(
        `shim "${shim}" has not answered ${asking.name} of process ${pid} within ${timeout} ms; it fails with ETIMEDOUT`,
        { code: 'LIBCR_SHIM_TIMEOUT' },
      );
      asking.late(timeout);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
