/**
 * interruption.ts: why a part of what a userthread does has to end: a deadline, a signal. Where several are due, the part that was begun last comes
 * first: then each is seen where it belongs, and what is further out still has its own.
 */

let begun = 0;

export class Interruption {
  /** Makes the error; called on the thread itself, where it is blocked. */
  readonly error: () => Error;
  /** @internal Of parts of one thread's work, the inner ones have the higher numbers. */ order = 0;

  /** Its part begins now. */
  constructor(error: () => Error) {
    this.error = error;
    this.begin();
  }

  /** For one that is used again: its part begins now. */
  begin(): void {
    this.order = ++begun;
  }
}
