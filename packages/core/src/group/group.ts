/**
 * group.ts: Group, userthreads that belong together: nobody outlives the group, and the first failure aborts the others. How a group's body is run and its end
 * waited for is in body.ts; map() and race() are built on that.
 *
 * Invariants: a child is in #children from its creation to its end; of those that are not in #held at most #limit have not finished. Once the group is
 * ending none is created, and none begins.
 */

import { abortError, CodedError, timeoutError } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import { usersClock } from '../node/users-clock.ts';
import { followSignal } from '../thread/abort-signal.ts';
import { blockUntil, interrupt, suspend, uninterrupt, wake } from '../thread/block.ts';
import { Interruption } from '../thread/interruption.ts';
import { type CreateNativeOptions, createNativeThread, type NativeSymbol } from '../thread/native-thread.ts';
import { type CreateOptions, createThread, endsByAbort } from '../thread/scheduler.ts';
import type { UserThread, WaitOptions } from '../thread/userthread.ts';

/** What group() may be told. */
export interface GroupOptions extends WaitOptions {
  /** Shown in errors, lists and reports; "group" if absent. */
  name?: string | undefined;
  /** How many children run at once, an integer >= 1 or Infinity, which it is if absent. The others begin in the order of their creation, as those end. */
  limit?: number | undefined;
}

/**
 * The handle that group() calls its body with. Userthreads are created into it by the body, by its children, or by whoever else on the same rfork has the handle, until the
 * group is ending.
 */
export class Group {
  /** The name given to group(), or "group". */
  readonly name: string;
  readonly #limit: number;
  readonly #owner: UserThread;
  /** Those that have not finished, with their places among the results. */
  readonly #children = new Map<UserThread, number>();
  /** Of those, the ones whose turn has not come. */
  readonly #held = new Set<UserThread>();
  /** Of those, the ones that the group does not wait for. */
  #daemons = 0;
  #created = 0;
  /** By places. What is undefined is not in it: a group may live as long as a server. */
  readonly #values = new Map<number, unknown>();
  readonly #errors: unknown[] = [];
  #ending = false;
  /** The failures that come now are nobody's affair: race() has its winner. */
  #decided = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  /** While the body runs: what ends its waits. */
  #interruption: Interruption | undefined;
  #told: unknown;
  #unwatch: (() => void) | undefined;
  /** Whether the owner is to look again whenever a child has finished. */
  #watched = false;

  /** @internal */
  constructor(owner: UserThread, options: GroupOptions) {
    this.#owner = owner;
    this.name = options.name ?? 'group';
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
  }

  /**
   * As create(), with the same options; the thread is the group's child. Where as many as the limit run it begins when its turn comes, and is shown as blocked until then.
   * Never blocks. If it fails the group ends, unless by its own td.abort() or td.terminate(), which are no failures: its result is undefined then. With `daemon` the
   * group does not wait for it, but aborts it when all others have finished. Throws ERR_LWKT_GROUP_ENDED where the group is ending, and what create() throws.
   */
  create<R>(main: () => R, options: CreateOptions = {}): UserThread<Awaited<R>> {
    this.#mayCreate();
    if (!this.isFull) return this.#adopt(createThread(main, options), options.daemon);
    const turn = `its turn in ${this.#shortly()}`;
    if (typeof main !== 'function') return createThread(main, options); // throws
    const whenTurn = (): R => {
      while (this.#held.has(td as UserThread)) suspend(turn); // a signal's handler may wake it early
      return main();
    };
    const td: UserThread<Awaited<R>> = createThread(whenTurn, options, turn);
    this.#held.add(td as UserThread);
    return this.#adopt(td, options.daemon);
  }

  /** As createNative(), with the same options; else as create(). */
  createNative(symbol: NativeSymbol, options: CreateNativeOptions = {}): UserThread<bigint> {
    this.#mayCreate();
    const held = this.isFull;
    const td = createNativeThread(symbol, options, held);
    if (held) this.#held.add(td as UserThread);
    return this.#adopt(td, options.daemon);
  }

  /** Aborted when the group ends, with the reason why if it ends early: for what its children have begun that does not wait (fetch). Made when it is first asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ending && !this.#controller.signal.aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** How many of its userthreads have not finished, those included whose turn has not come. */
  get size(): number {
    return this.#children.size;
  }

  /** What has failed so far, in that order. The first is what group() throws; aborts that the group has asked for are not among them. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /**
   * Ends it: all children, and the body's present or next blocking call, are aborted as by td.abort(reason); group() throws an AbortError with `reason` as its cause when they have
   * finished. Does nothing to a group that is ending. Callable from anywhere on its rfork; never blocks.
   */
  abort(reason?: unknown): void {
    if (!this.#ending) this.#fail(abortError(reason), reason);
  }

  toString(): string {
    const held = this.#held.size === 0 ? '' : `, ${this.#held.size} waiting`;
    return `Group ${JSON.stringify(this.name)} ${this.#running} running${held}${this.#ending ? ', ending' : ''}`;
  }

  /** @internal Whether as many run as may. */
  get isFull(): boolean {
    return this.#running >= this.#limit;
  }

  /** @internal Whether it ends, by a failure or as all is done. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** @internal Whether all have finished that it waits for. */
  get isIdle(): boolean {
    return this.#children.size === this.#daemons;
  }

  /** @internal What the children have returned, by their places. */
  get results(): unknown[] {
    return Array.from({ length: this.#created }, (_, i) => this.#values.get(i));
  }

  /** @internal blockUntil() of the owner, for what a child's end may change. */
  block(reason: string, ready: () => boolean): void {
    this.#watched = true;
    try {
      blockUntil(reason, ready);
    } finally {
      this.#watched = false;
    }
  }

  /** @internal From here on, until ends(): its waits are interrupted when it is to end. */
  begins({ signal, timeout }: WaitOptions): void {
    this.#interruption = new Interruption(() => {
      this.#told = abortError(this.#reason);
      return this.#told as Error;
    });
    const unfollow = signal === undefined ? undefined : followSignal(signal, () => this.abort(signal.reason));
    const late = (): void => {
      const error = timeoutError(this.#shortly(), timeout as number);
      if (!this.#ending) this.#fail(error, error);
    };
    const { setTimeout, clearTimeout } = usersClock(); // which may be another when it is over
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    this.#unwatch = () => {
      clearTimeout(timer);
      unfollow?.();
    };
    this.#owner.groups = [...(this.#owner.groups ?? []), this];
  }

  /** @internal The body is over. */
  bodyEnds(): void {
    if (this.#interruption !== undefined) uninterrupt(this.#owner, this.#interruption);
    this.#interruption = undefined;
  }

  /** @internal The body, or the wait after it, has thrown. reason: what the children are to find as the cause of their aborts. */
  bodyFails(error: unknown, reason: unknown): void {
    if (error !== this.#told || error === undefined) this.#fail(error, reason);
  }

  /** @internal Nothing begins any more, and who still runs is aborted; that is no failure. decided: nor is what fails now. */
  finish(decided: boolean, reason?: unknown): void {
    this.#decided ||= decided;
    if (!this.#ending) this.#end(reason);
  }

  /** @internal No child is left. */
  ends(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    const rest = this.#owner.groups?.filter((group) => group !== this);
    this.#owner.groups = rest?.length ? rest : undefined;
  }

  /** @internal V8 has ended the thread that runs the body. */
  abandon(): void {
    this.bodyEnds();
    this.abort(this.#owner.error);
    this.#unwatch?.();
  }

  /** @internal A child has finished: called where nothing can wait. */
  ended(td: UserThread): void {
    const place = this.#children.get(td) as number;
    this.#children.delete(td);
    this.#held.delete(td);
    if (td.daemon) this.#daemons--;
    if (!td.failed) {
      if (td.value !== undefined) this.#values.set(place, td.value);
    } else if (!endsByAbort(td)) this.#fail(td.error, td.error);
    if (!this.#ending)
      for (const next of this.#held) {
        if (this.isFull) break;
        this.#held.delete(next);
        wake(next);
      }
    if (this.#watched || (this.#interruption === undefined && this.isIdle)) wake(this.#owner);
  }

  get #running(): number {
    return this.#children.size - this.#held.size;
  }

  #shortly(): string {
    return `group ${JSON.stringify(this.name)}`;
  }

  #mayCreate(): void {
    if (!this.#ending) return;
    throw new CodedError(
      'ERR_LWKT_GROUP_ENDED',
      `${this.#shortly()} is ending: no userthread can be created into it`,
      this.#reason === undefined ? undefined : { cause: this.#reason },
    );
  }

  /** What whoever gets that creates a thread after the first failure: no failure of its own. */
  #isRefusal(error: unknown): boolean {
    return this.#ending && error instanceof CodedError && error.code === 'ERR_LWKT_GROUP_ENDED';
  }

  #adopt<T>(td: UserThread<T>, daemon: boolean | undefined): UserThread<T> {
    this.#children.set(td as UserThread, this.#created++);
    if (daemon) this.#daemons++;
    td.owner = this;
    return td;
  }

  #fail(error: unknown, reason: unknown): void {
    if (this.#decided || this.#isRefusal(error)) return;
    if (this.#errors.includes(error)) return; // the body passes on what it has joined
    this.#errors.push(error);
    if (!this.#ending) this.#end(reason);
  }

  #end(reason: unknown): void {
    this.#ending = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const td of [...this.#children.keys()]) td.abort(reason);
    if (this.#interruption !== undefined && !this.#decided) interrupt(this.#owner, this.#interruption);
    else wake(this.#owner);
  }
}

inspectAsString(Group);
