/**
 * run.ts: one run of a function that is explored: its userthreads, one at a time, in the order that its choices say, until all have ended or something is wrong.
 *
 * Invariant: only the run's own userthreads are decided about; others of the program's run when they can, before them.
 */

import { native } from '../node/native.ts';
import { ownTimers } from '../node/own-timers.ts';
import { curthread, isInterrupted, thread0, threads, yieldNow } from '../thread/block.ts';
import { create, endsByAbort, whenFinished } from '../thread/scheduler.ts';
import type { UserThread } from '../thread/userthread.ts';
import type { Choices } from './choices.ts';
import { RunClock } from './clock.ts';
import { type Explorer, exploring } from './exploring.ts';
import { Outside } from './outside.ts';

/** Turns of the event loop in which nothing happens before nothing will. */
const QUIET_TURNS = 3;
/** What other userthreads, or the run's clock, end. */
const INSIDE = /^(join|sleep|port|domsg|waitmsg|token|serializer|mutex|semaphore|cond|rwlock|barrier)\b/;
/** ms of real time without anything, where something else is waited for. */
const CALM = 30;
/** ms of real time for what comes from outside, where there is a timer to be moved to. */
const GRACE = 200;
/** Turns of the loop that userthreads have to end in, when they are no longer wanted. */
const LAST_TURNS = 1000;
const SHOWN = 20;

export type FindingKind = 'error' | 'deadlock' | 'endless' | 'hang';

/** What went wrong. */
export interface Finding {
  kind: FindingKind;
  what: string;
  /** Of a deadlock: where each stands. */
  where?: string;
  error?: unknown;
}

export interface Limits {
  /** Turns of userthreads. */
  steps: number;
  /** ms of real time without anything that happens. */
  timeout: number;
}

export interface Ran {
  finding: Finding | undefined;
  decisions: number[];
  /** What was decided otherwise than it would have been by itself. */
  steps: string[];
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void ownTimers.setImmediate(resolve));
const moment = (): Promise<void> => new Promise((resolve) => void ownTimers.setTimeout(resolve, 1));

class Run implements Explorer {
  readonly #choices: Choices;
  readonly #limits: Limits;
  readonly #clock = new RunClock();
  readonly #outside = new Outside();
  /** In the order in which they were. */
  readonly #born = new Set<UserThread>();
  readonly #unseen = new Map<UserThread, { isSeen: boolean }>();
  /** Goes up whenever something happens. */
  #events = 0;
  #turns = 0;
  #over = false;
  #finding: Finding | undefined;
  readonly steps: string[] = [];

  constructor(choices: Choices, limits: Limits) {
    this.#choices = choices;
    this.#limits = limits;
  }

  get clock(): RunClock | undefined {
    return this.#born.has(curthread()) ? this.#clock : undefined;
  }

  born(td: UserThread): void {
    const creator = curthread();
    if (creator !== thread0 && !this.#born.has(creator)) return;
    this.#born.add(td);
    whenFinished(td, () => this.#ended(td));
  }

  /** Whether somebody sees its failure in time. Node would ask at once; here each switch is a turn of its own, so it is asked at the end. */
  #ended(td: UserThread): void {
    this.#events++;
    if (
      !td.failed ||
      td.settle !== undefined ||
      td.joiners !== undefined ||
      td.owner !== undefined ||
      endsByAbort(td)
    )
      return;
    const failure = { isSeen: false };
    this.#unseen.set(td, failure);
    queueMicrotask(() => {
      const { promise } = td;
      if (promise === undefined) return;
      promise.catch(() => {});
      const see = <M extends 'then' | 'catch'>(method: M) =>
        Object.defineProperty(promise, method, {
          value: (...args: never[]) => {
            failure.isSeen = true;
            return (Promise.prototype[method] as (...args: never[]) => unknown).apply(promise, args);
          },
        });
      see('then');
      see('catch');
    });
  }

  mayBlock(what: string): void {
    const td = curthread();
    if (this.#over || !this.#born.has(td) || td.refusal !== 0 || td.deaf > 0 || isInterrupted(td)) return;
    if (this.#isTooLong() || native.refusal() !== 0) return;
    if (!native.stats().runnable || !this.#choices.interrupts()) return;
    this.steps.push(`${this.#nameOf(td)} lets others run before ${what}`);
    td.deaf++;
    try {
      yieldNow();
    } catch (error) {
      if (!isInterruption(td, error)) throw error;
      td.pendingAbort = error; // whoever waits gets it, and this is no wait
    } finally {
      td.deaf--;
    }
  }

  /** Its number in this run, which is the same in each. */
  #nameOf(td: UserThread | undefined): string {
    return td === undefined ? 'one that has ended' : `"${td.name}" (${[...this.#born].indexOf(td) + 1})`;
  }

  /** What it waits for; others are named as here, too. */
  #reasonOf(td: UserThread): string | undefined {
    const ids = [...this.#born].map(({ id }) => id);
    return td.waitReason?.replace(/#(\d+) (".*")$/, (all, id, name) => {
      const at = ids.indexOf(Number(id));
      return at < 0 ? all : `${name} (${at + 1})`;
    });
  }

  #isTooLong(): boolean {
    if (this.#turns < this.#limits.steps) return false;
    this.#finding ??= {
      kind: 'endless',
      what: `${this.#limits.steps} turns, and it goes on: ${this.#list(this.#alive())}`,
    };
    return true;
  }

  /** Asked by the native side before each turn. */
  choose(slots: readonly number[]): number {
    this.#events++;
    this.#turns++;
    const tds = slots.map((slot) => threads[slot]);
    const other = tds.findIndex((td) => td !== undefined && !this.#born.has(td));
    if (other >= 0) return other;
    if (this.#over || this.#isTooLong() || slots.length === 1) return 0;
    const chosen = this.#choices.next(tds.map((td) => td?.id ?? 0));
    if (chosen !== 0) this.steps.push(`${this.#nameOf(tds[chosen])} goes on before ${this.#nameOf(tds[0])}`);
    return chosen;
  }

  #alive(): UserThread[] {
    return [...this.#born].filter((td) => td.running !== 'finished' && !td.daemon);
  }

  #list(tds: UserThread[]): string {
    const shown = tds
      .slice(0, SHOWN)
      .map((td) => `${this.#nameOf(td)} ${td.waitReason ? `waits for: ${this.#reasonOf(td)}` : 'can run'}`);
    return [...shown, ...(tds.length > SHOWN ? [`${tds.length - SHOWN} more`] : [])].join('; ');
  }

  #deadlock(): void {
    const stuck = this.#alive();
    const where = stuck
      .slice(0, SHOWN)
      .map((td) => `${this.#nameOf(td)} waits for: ${this.#reasonOf(td)}\n${td.stack ?? ''}`);
    this.#finding ??= { kind: 'deadlock', what: `deadlock: ${this.#list(stuck)}`, where: where.join('\n') };
  }

  /** Until all have ended, or something is wrong. */
  async #goOn(): Promise<void> {
    let quiet = 0;
    let seen = -1;
    let since = ownTimers.now();
    while (this.#finding === undefined && this.#alive().length > 0) {
      await nextTurn();
      if (this.#events !== seen || native.stats().runnable > 0) {
        seen = this.#events;
        since = ownTimers.now();
        quiet = 0;
        continue;
      }
      if (this.#outside.isBusy) {
        quiet = 0; // what it comes to may take a turn or two
        await this.#waitOutside(ownTimers.now() - since);
      } else if (++quiet >= QUIET_TURNS) {
        if (this.#mayHearFromOutside() && ownTimers.now() - since < CALM) await moment();
        else if (!this.#moveTime()) this.#deadlock();
      }
    }
  }

  /** Whether somebody waits for more than other userthreads do: Node does not list all that is under way. */
  #mayHearFromOutside(): boolean {
    return this.#alive().some(({ waitReason }) => waitReason !== undefined && !INSIDE.test(waitReason));
  }

  /** For a moment; waited: ms, so far. */
  async #waitOutside(waited: number): Promise<void> {
    if (waited > this.#limits.timeout)
      this.#finding = {
        kind: 'hang',
        what: `nothing has come for ${this.#limits.timeout} ms: ${this.#list(this.#alive())}`,
      };
    else if (waited < GRACE || !this.#moveTime()) await moment();
  }

  /** To the first timer, if there is one. */
  #moveTime(): boolean {
    const moved = this.#clock.move();
    if (moved) this.#events++;
    return moved;
  }

  /** Those that are left are asked to end: nobody is interested in how. */
  async #end(): Promise<void> {
    this.#over = true;
    for (let turn = 0; turn < LAST_TURNS; turn++) {
      const left = [...this.#born].filter((td) => td.running !== 'finished');
      if (left.length === 0) return;
      for (const td of left) {
        td.daemon = true;
        if (!isInterrupted(td)) td.abort('the run that was explored is over');
      }
      await nextTurn();
      if (turn > QUIET_TURNS) this.#clock.move();
    }
  }

  async run(main: () => unknown): Promise<Ran> {
    exploring.explorer = this;
    native.choose((slots) => this.choose(slots));
    try {
      create(main, { name: 'main' }).finished.then(
        () => {},
        (error) => {
          this.#finding ??= { kind: 'error', what: `${error}`, error };
        },
      );
      await this.#goOn();
      for (const [td, { isSeen }] of this.#unseen)
        if (!isSeen)
          this.#finding ??= {
            kind: 'error',
            what: `${td.error} in userthread ${this.#nameOf(td)}`,
            error: td.error,
          };
      const decisions = [...this.#choices.made];
      const steps = [...this.steps];
      await this.#end();
      return { finding: this.#finding, decisions, steps };
    } finally {
      native.choose(undefined);
      exploring.explorer = undefined;
    }
  }
}

function isInterruption(td: UserThread, error: unknown): error is Error {
  return error !== undefined && (error === td.lastAbort || error === td.lastInterruption);
}

export function runOnce(main: () => unknown, choices: Choices, limits: Limits): Promise<Ran> {
  return new Run(choices, limits).run(main);
}
