/** pending.ts: something that a system call waits for. */

export interface Pending {
  /** What the userthread is shown to wait for. */
  readonly reason: string;
  /** It has happened: begin() has returned true, or notify has been called. */
  done: boolean;
  /** Begins to wait; notify is called once, from the event loop, unless done is set on return. */
  begin(notify: () => void): void;
  /** Gives up. Harmless when done. */
  cancel(): void;
}
