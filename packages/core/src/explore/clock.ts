/**
 * clock.ts: the time of a run that is explored: it stands still while somebody can run, and moves to the next timer when nobody can. Its timers are those of this package's own
 * waits; what Node's global setTimeout does, and Date.now(), is not changed.
 */
interface Timer {
  at: number;
  order: number;
  call: () => void;
}

export class RunClock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  readonly setTimeout = ((call: () => void, ms: number): Timer => {
    const timer = { at: this.#now + (ms > 0 ? ms : 1), order: this.#order++, call };
    this.#timers.add(timer);
    return timer;
  }) as unknown as typeof globalThis.setTimeout;

  readonly clearTimeout = ((timer: Timer | undefined): void => {
    if (timer !== undefined) this.#timers.delete(timer);
  }) as unknown as typeof globalThis.clearTimeout;

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now;
  }

  /** To the first timer, which goes off. Whether there was one. */
  move(): boolean {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    if (first === undefined) return false;
    this.#timers.delete(first);
    this.#now = Math.max(this.#now, first.at);
    first.call();
    return true;
  }
}
