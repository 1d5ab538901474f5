/**
 * spin.ts: how long to look for the next call before sleeping. A look that finds something saves the sleep and the waking of both sides, tens of microseconds; one
 * that does not is wasted, and where no other CPU is idle it keeps the program from running. So it is tried, and given up for a while where it does not help.
 *
 * A program's lwp looks, too, but only where its supervisor is awake: that one will answer before a sleep would be worth it.
 *
 * Invariant: with one CPU nobody looks.
 */
import { availableParallelism } from 'node:os';
import { CHANNEL } from '../generated/channel.ts';
import type { Slots } from './slots.ts';

/** Nanoseconds that a waking costs where the CPU has gone to sleep: whoever looks that long in vain has spent at most twice what was needed. */
const LOOK = 60_000;
/** Microseconds in which an lwp looks for its answer. */
const LWP_LOOKS = 30;
/** How many looks it is given up for at first, and at most. */
const PAUSE_MIN = 16;
const PAUSE_MAX = 1_024;
/** Looks in vain, in a row, that are enough. */
const ENOUGH = 4;

/** Whether another CPU may look while the program runs. */
const POSSIBLE = availableParallelism() > 1;

/** Lets lwps look for their answers. turns: of a loop that looks, in a microsecond. */
export function setLwpsLooks(slots: Slots, turns: number): void {
  slots.setWord(CHANNEL.spin, POSSIBLE ? Math.ceil(LWP_LOOKS * turns) : 0);
}

/** Looks for one kind of thing: what helps with calls that follow each other may not with those that return. */
export class Spin {
  private vain = 0;
  private pause = PAUSE_MIN;
  private paused = 0;

  /** Nanoseconds to look for it now. */
  get look(): number {
    if (!POSSIBLE) return 0;
    if (this.paused === 0) return LOOK;
    this.paused--;
    return 0;
  }

  /** What a look has come to. */
  found(something: boolean): void {
    if (!POSSIBLE || this.paused > 0) return;
    if (something) {
      this.vain = 0;
      this.pause = PAUSE_MIN;
      return;
    }
    if (++this.vain < ENOUGH) return;
    this.vain = 0;
    this.paused = this.pause;
    this.pause = Math.min(this.pause * 2, PAUSE_MAX);
  }
}
