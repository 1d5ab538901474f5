/**
 * choices.ts: the decisions of one run, from a seed or from a list, and what they were.
 *
 * A decision is a number from 0 to n - 1; 0 is what would be if nobody explored: whoever is first has his turn, and nobody is interrupted. So a list may
 * end anywhere: behind its end all are 0.
 *
 * Invariant: what is decided depends on the seed and on the decisions asked for before, and on nothing else.
 */

/** Of a seed: numbers below n, each as likely. (Steele, Lea, Flood: SplitMix; 32 bits.) */
export function randomOf(seed: number): (n: number) => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ (seed / 2 ** 32)) | 0;
  return (n) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % n;
  };
}

/** Who decides. */
interface Source {
  /** Which of these threads is next. */
  next(threads: readonly number[]): number;
  /** Whether the running one is interrupted. */
  interrupts(): boolean;
}

/** Any, each as likely; interrupted at one place in 1, 2, 4 or 8. */
function anyOf(random: (n: number) => number): Source {
  const places = 2 ** random(4);
  return { next: (threads) => random(threads.length), interrupts: () => random(places) === 0 };
}

/** How far apart changes are, in decisions: 2 to this power at most. */
const REACH_BITS = 6;
const CHANGES = 4;

/**
 * Whoever has the highest priority, which is random; at a few random places the one that would run gets a lower one than all others. (Burckhardt, Kothari, Musuvathi,
 * Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, 2010)
 */
function byPriority(random: (n: number) => number): Source {
  const priorities = new Map<number, number>();
  let lowest = 0;
  const distance = () => 1 + random(2 ** (1 + random(REACH_BITS)));
  let changes = random(CHANGES);
  let left = distance();
  const priorityOf = (thread: number): number => {
    if (!priorities.has(thread)) priorities.set(thread, 1 + random(2 ** 30));
    return priorities.get(thread) as number;
  };
  const best = (threads: readonly number[]): number =>
    threads.reduce((at, thread, i) => (priorityOf(thread) > priorityOf(threads[at] as number) ? i : at), 0);
  return {
    next: (threads) => {
      const at = best(threads);
      if (changes === 0 || --left > 0) return at;
      changes--;
      left = distance();
      priorities.set(threads[at] as number, --lowest);
      return best(threads);
    },
    interrupts: () => true, // it goes on if it still comes first
  };
}

/** The decisions of one run. */
export class Choices {
  readonly #source: Source | undefined;
  readonly #list: readonly number[];
  /** What has been decided. */
  readonly made: number[] = [];

  private constructor(source: Source | undefined, list: readonly number[]) {
    this.#source = source;
    this.#list = list;
  }

  static ofSeed(seed: number): Choices {
    const random = randomOf(seed);
    return new Choices(random(2) === 0 ? anyOf(random) : byPriority(random), []);
  }

  static ofList(list: readonly number[]): Choices {
    return new Choices(undefined, list);
  }

  /** Which of the threads, of which there are two at least, is next. */
  next(threads: readonly number[]): number {
    return this.#made(this.#source?.next(threads) ?? this.#listed(threads.length));
  }

  interrupts(): boolean {
    return this.#made(this.#source === undefined ? this.#listed(2) : Number(this.#source.interrupts())) === 1;
  }

  #listed(n: number): number {
    return Math.min(this.#list[this.made.length] ?? 0, n - 1);
  }

  #made(decision: number): number {
    this.made.push(decision);
    return decision;
  }
}

/** "5:1,9:2": all that are not 0, by their places. */
export function writeSchedule(decisions: readonly number[]): string {
  return decisions.flatMap((decision, i) => (decision === 0 ? [] : [`${i}:${decision}`])).join(',');
}

/** The decisions; undefined where text is none. */
export function readSchedule(text: string): number[] | undefined {
  const decisions: number[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const [, place, decision] = /^(\d{1,7}):(\d{1,7})$/.exec(part) ?? [];
    if (place === undefined) return undefined;
    while (decisions.length <= Number(place)) decisions.push(0);
    decisions[Number(place)] = Number(decision);
  }
  return decisions;
}
