/**
 * turn.ts: one direction of a stream: whose turn it is, and until when. Several userthreads may read one stream, or write to it: each call
 * is whole, and they come in order.
 *
 * Invariant: while somebody has the turn, nobody else touches that direction. Who has it, or waits for it, is interrupted when the deadline
 * passes, and that is taken back at the end of the turn.
 */
import { curthread, type UserThread, yieldNow } from '@libcr/core';
import {
  blockUntil,
  CodedError,
  checkMilliseconds,
  Interruption,
  interrupt,
  thread0,
  timeoutError,
  uninterrupt,
  wake,
  wouldBlock,
} from '@libcr/core/internal';

/** After so many turns the other userthreads run, and the event loop: a fast peer must not keep one thread going for ever. */
const TURNS_AT_ONCE = 64;
let turns = 0;

/** Lets the others run now and then. Called where a call that may have to wait begins. */
export function giveWay(): void {
  if (++turns % TURNS_AT_ONCE === 0) yieldNow();
}

export class Turn {
  /** Shown in errors: "read" or "write". */
  private readonly name: string;
  private holder: UserThread | undefined;
  private readonly waiting: UserThread[] = [];
  /** In milliseconds, as it was set; undefined: none. */
  private limit: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private late = false;
  private readonly interruption = new Interruption(() => timeoutError(this.name, this.limit as number));

  constructor(name: string) {
    this.name = name;
  }

  /** Whether the running userthread could have it at once. */
  get free(): boolean {
    return this.holder === undefined && !this.late && curthread() !== thread0;
  }

  /** Waits for the turn. what: the caller's name. */
  enter(what: string): void {
    const td = curthread();
    if (td === thread0) throw wouldBlock(what);
    giveWay();
    if (this.late) throw this.interruption.error();
    this.interruption.begin();
    this.timer?.ref();
    if (this.holder === undefined) this.holder = td;
    else this.queue(td, what);
  }

  /** The next one has the turn. */
  leave(): void {
    uninterrupt(this.holder as UserThread, this.interruption);
    this.holder = this.waiting.shift();
    if (this.holder !== undefined) wake(this.holder);
    else this.timer?.unref();
  }

  /** ms from now, for whoever has the turn, waits for it or comes later; undefined: no deadline. */
  setDeadline(ms: number | undefined): void {
    if (ms !== undefined) checkMilliseconds('ms', ms);
    const concerned = this.holder === undefined ? [] : [this.holder, ...this.waiting];
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const td of concerned) uninterrupt(td, this.interruption);
    this.limit = ms;
    this.late = ms === 0;
    if (ms === undefined) return;
    if (this.late) {
      for (const td of concerned) interrupt(td, this.interruption);
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.late = true;
      if (this.holder === undefined) return;
      for (const td of [this.holder, ...this.waiting]) interrupt(td, this.interruption);
    }, ms);
    if (this.holder === undefined) this.timer.unref(); // nobody waits: no reason for the program to stay
  }

  private queue(td: UserThread, what: string): void {
    if (this.holder === td)
      throw new CodedError(
        'ERR_LWKT_DEADLOCK',
        `${what}: this thread is at it already: it would wait for itself`,
      );
    this.waiting.push(td);
    try {
      blockUntil(`${what}: its turn`, () => this.holder === td);
    } catch (error) {
      this.waiting.splice(this.waiting.indexOf(td), 1);
      uninterrupt(td, this.interruption);
      throw error;
    }
  }
}
