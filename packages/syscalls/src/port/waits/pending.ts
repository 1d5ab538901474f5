/** pending.ts: something that a system call waits for. */

export interface Pending {
  /** What the userthread is shown to wait for. */
  readonly reason: string;
  /** It is the whole call, made elsewhere: no signal's handler ends it. */
  readonly whole?: boolean;
  /** It has happened: begin() has returned true, or notify has been called. */
  done: boolean;
  /** Begins to wait; notify is called once, from the event loop, unless done is set on return. */
  begin(notify: () => void): void;
  /**
   * The thread is to be interrupted: ends the wait now. true: it has happened all the same, and is the thread's. Where it is missing, giving up loses
   * nothing.
   */
  recall?(): boolean;
  /** Gives up. Harmless when done. */
  cancel(): void;
}
