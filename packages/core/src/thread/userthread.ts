/**
 * userthread.ts: the handle of a userthread, and thread0's. What it does while it runs is in scheduler.ts; how it waits in block.ts.
 *
 * Fields marked internal belong to this package; they are not private members because the files of this package share them.
 * Invariant: slot >= 0 exactly while the native side knows the thread.
 */

import type { Domain } from 'node:domain';
import {
  abortError,
  CodedError,
  invalidType,
  outOfRange,
  terminatedError,
  wouldBlock,
} from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import type { MsgPort } from '../msg/msgport.ts';
import { native } from '../node/native.ts';
import { type RforkInfo, self } from '../rfork/self.ts';
import type { Scope } from '../state/async-context.ts';
import type { Hold } from '../token/lock.ts';
import type { CallWait, Inherited } from './ast.ts';
import type { Interruption } from './interruption.ts';
import { callersOf } from './stacks.ts';

/** runnable: on the run queue; blocked: waiting for something; finished: its function returned or threw. */
export type ThreadState = 'runnable' | 'running' | 'blocked' | 'finished';

/** Fixed priorities: higher runs first, equals take turns (LWKT's TDPRI_*, 0 to 31). */
export const PRIORITY_MIN = 0;
export const PRIORITY_DEFAULT = 12;
export const PRIORITY_MAX = 31;

/** How long, and until what, a wait may last. */
export interface WaitOptions {
  /** Ends the wait with an AbortError whose cause is the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds, 0 to 2^31-1; ends the wait with a TimeoutError. */
  timeout?: number | undefined;
}

interface Services {
  current(): UserThread;
  join(td: UserThread, options: WaitOptions | undefined): void;
  port(td: UserThread): MsgPort;
}

let services: Services;

/** Called once by index.ts' modules: breaks the circle between the handle and what it needs. */
export function provide(s: Services): void {
  services = s;
}

const ignore = (): void => {};

/** A userthread: an ordinary function that runs on a stack of its own and may block. Made by create(). */
export class UserThread<T = unknown> {
  /** Unique among this thread's (main's or the Worker's) userthreads; 0 is thread0. */
  readonly id: number;
  /** The name given to create(), or "userthread". */
  readonly name: string;
  /** errno of the last failed sys.raw() call of this thread; 0 before. Written on failure only. */
  errno = 0;
  /** The port its system calls go to; undefined: the program's. (@libcr/syscalls) */
  syscallPort: unknown;

  /** @internal */ slot = -1;
  /** @internal */ main: (() => T) | undefined;
  /** @internal */ running: ThreadState = 'runnable';
  /** @internal */ reason: string | undefined;
  /** @internal The port that it waits on, if it is one. */ waitingOn: MsgPort | undefined;
  /** @internal The tokens and serializers that it holds, the last taken last. (td_toks) */ holds:
    | Hold[]
    | undefined;
  /** @internal */ value: T | undefined;
  /** @internal */ error: unknown;
  /** @internal */ failed = false;
  /** @internal */ pendingAbort: Error | undefined;
  /** @internal */ lastAbort: Error | undefined;
  /** @internal What its next blocking calls throw; undefined rather than empty. */ interruptions:
    | readonly Interruption[]
    | undefined;
  /** @internal */ lastInterruption: Error | undefined;
  /** @internal What it does first when it goes on from a wait, or from where it has yielded: see ast.ts. */ ast:
    | (() => void)
    | undefined;
  /** @internal Waits that no ast interrupts, as they are part of something else. */ deaf = 0;
  /** @internal The system call that it waits in. */ call: CallWait | undefined;
  /** @internal Its mask, and what is pending for it; undefined: none. (@libcr/signals) */ signals:
    | Inherited
    | undefined;
  /** @internal The C function that a native userthread runs; where such a thread stands is known to the native side. */ symbol:
    | string
    | undefined;
  /** @internal */ pri: number;
  /** @internal */ joiners: UserThread[] | undefined;
  /** @internal Whose child it is: its failure is that group's, and not unhandled. */ owner:
    | { ended(td: UserThread): void }
    | undefined;
  /** @internal The groups that it runs the bodies of, the innermost last. */ groups:
    | { abandon(): void }[]
    | undefined;
  /** @internal */ scope: Scope;
  /** @internal Those that it has left for the time of a switch. */ domains: Domain[] | undefined;
  /** @internal What properties made by threadLocal() are for it. */ locals:
    | WeakMap<object, unknown>
    | undefined;
  /** @internal */ daemon = false;
  /** @internal Milliseconds of its innermost preemptible region; 0: it is in none. */ slice = 0;
  /** @internal Critical sections that it is in. */ critical = 0;
  /** @internal Preemptions in regions that are over. */ preempted = 0;
  /** @internal What it is to end with: terminate(). */ termination: Error | undefined;
  /** @internal Why it can't wait where it stands, as a BlockResult; 0: it can. */ refusal = 0;
  /** @internal */ onFinish: (() => void) | undefined;
  /** @internal */ ownPort: MsgPort | undefined;
  /** @internal */ promise: Promise<T> | undefined;
  /** @internal */ settle: { resolve(value: T): void; reject(error: unknown): void } | undefined;

  /** @internal */
  constructor(id: number, name: string, main: (() => T) | undefined, priority: number) {
    this.id = id;
    this.name = name;
    this.main = main;
    this.pri = priority;
  }

  /** The rfork that it runs on. (td_gd) */
  get rfork(): RforkInfo {
    return self;
  }

  /** Where it stands. */
  get state(): ThreadState {
    if (this.symbol !== undefined && this.waitReason !== undefined) return 'blocked';
    return this.running === 'running' && (services.current() as unknown) !== this ? 'runnable' : this.running;
  }

  /** 0 (lowest) to 31; settable on any thread of one's own rfork but thread0. (lwkt_setpri) */
  get priority(): number {
    return this.pri;
  }

  set priority(value: number) {
    checkPriority(value);
    this.pri = value;
    if (this.slot >= 0) native.setpri(this.slot, value);
  }

  /** How often the CPU has been taken from it while it computed (preemptible). */
  get preemptions(): number {
    return this.preempted + (this.slice > 0 && this.slot >= 0 ? native.preemptions(this.slot) : 0);
  }

  /** What it waits for, for example "sleep 10 ms", of a native userthread the wmesg of its wait; undefined unless it is blocked. */
  get waitReason(): string | undefined {
    return this.symbol !== undefined ? native.waitReason(this.slot) : this.reason;
  }

  /**
   * Its own message port: default reply port, and a service port if wanted. Only the thread itself may take from it; so for a native userthread,
   * which knows the ports of C only, this throws ERR_LWKT_NOT_OWNER.
   */
  get port(): MsgPort {
    if (this.symbol !== undefined)
      throw new CodedError(
        'ERR_LWKT_NOT_OWNER',
        `userthread ${describe(this)} is a native one: it can take nothing from a port of JavaScript's`,
      );
    this.ownPort ??= services.port(this);
    return this.ownPort;
  }

  /**
   * Its JavaScript stack as text, most recent call first: where a blocked thread waits, or where the running one is. undefined before
   * its first run, after its end, and for a native userthread. Costs two switches; for diagnosis.
   */
  get stack(): string | undefined {
    if (this === (services.current() as unknown)) return callersOf(stackGetter);
    return this.slot >= 0 ? native.stack(this.slot) : undefined;
  }

  /**
   * On a userthread: waits until this one has finished; returns its value or throws what it threw. On thread0: only if it has finished
   * already, else it throws ERR_LWKT_WOULD_BLOCK (await `finished` there). Joining oneself throws ERR_LWKT_DEADLOCK. (lwkt_join)
   */
  join(options?: WaitOptions): T {
    const current = services.current() as UserThread;
    if (this.running !== 'finished') {
      if ((this as UserThread) === current)
        throw current.id === 0
          ? wouldBlock('join()')
          : new CodedError('ERR_LWKT_DEADLOCK', `userthread ${describe(this)} cannot join itself`);
      services.join(this as UserThread, options);
    }
    this.promise?.catch(ignore); // whoever joins has seen the failure
    if (this.failed) throw this.error;
    return this.value as T;
  }

  /** The same as a promise, for code on the event loop. */
  get finished(): Promise<T> {
    if (this.promise === undefined) {
      if (this.running === 'finished')
        this.promise = this.failed ? Promise.reject(this.error) : Promise.resolve(this.value as T);
      else
        this.promise = new Promise((resolve, reject) => {
          this.settle = { resolve, reject };
        });
    }
    return this.promise;
  }

  /**
   * Ask it to end: its present blocking call, or else its next, throws an AbortError with `reason` as its cause; finally blocks run, and may
   * block in their turn. One that has not begun never does. A thread that ends with that very error counts as handled. Does nothing
   * to a finished thread; callable from anywhere. A native userthread's waits answer EINTR instead (lwkt_interrupt); if it then ends with EINTR
   * or ECANCELED, that AbortError is its outcome.
   */
  abort(reason?: unknown): void {
    if (this.id === 0) throw invalidType('this', 'a userthread, not thread0', this);
    if (this.running === 'finished') return;
    this.pendingAbort = abortError(reason);
    native.interrupt(this.slot);
  }

  /**
   * End it: joiners get an Error with code ERR_LWKT_TERMINATED whose cause is `reason`. While it computes in a preemptible region it is ended within a slice, and then NO
   * finally block of it runs; its tokens are let go of. While it waits, its wait throws that error, and finally blocks run; if it
   * computes on, it is ended as above. Outside of regions it ends at its next blocking call, as by abort(). In a critical section nothing happens to it
   * before that is over. Does nothing to a finished thread; callable from anywhere on its rfork, but not by itself. Throws for thread0 and native userthreads.
   */
  terminate(reason?: unknown): void {
    if (this.id === 0 || this.symbol !== undefined)
      throw invalidType('this', 'a userthread of JavaScript, not thread0 and no native one', this);
    if ((services.current() as unknown) === this)
      throw new CodedError(
        'ERR_LWKT_DEADLOCK',
        `userthread ${describe(this)} cannot terminate itself: throw`,
      );
    if (this.running === 'finished') return;
    this.termination ??= terminatedError(this, reason);
    this.pendingAbort = this.termination;
    native.terminate(this.slot);
    native.interrupt(this.slot);
  }

  toString(): string {
    const reason = this.waitReason;
    const what = this.id === 0 ? '' : ` ${this.state}${reason ? `: ${reason}` : ''}`;
    return `UserThread ${describe(this)}${what}`;
  }
}

inspectAsString(UserThread);

const stackGetter = Object.getOwnPropertyDescriptor(UserThread.prototype, 'stack')?.get as () => unknown;

/** Whether it may wait for ever: its waits keep no program alive, and are no deadlock. */
export function isDaemon(td: UserThread): boolean {
  return td.daemon;
}

export function describe(td: { id: number; name: string }): string {
  return `#${td.id} "${td.name}"`;
}

export function checkPriority(value: number): void {
  if (typeof value !== 'number') throw invalidType('priority', 'of type number', value);
  if (!Number.isInteger(value) || value < PRIORITY_MIN || value > PRIORITY_MAX)
    throw outOfRange('priority', `an integer >= ${PRIORITY_MIN} and <= ${PRIORITY_MAX}`, value);
}
