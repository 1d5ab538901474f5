/** hold.ts: what keeps a program alive. */
import { native } from './native.ts';

/** A program that waits need not end: the event loop has one reason more, or less, to stay. */
export function hold(on: boolean): void {
  native.hold(on ? 1 : 0); // core's would have the rfork look for messages of other rforks before it sleeps
}

/** An object's own reason, of which it has one or none: ref() and unref(). */
export class Reference {
  #held = false;

  get held(): boolean {
    return this.#held;
  }

  set held(on: boolean) {
    if (on !== this.#held) hold(on);
    this.#held = on;
  }
}
