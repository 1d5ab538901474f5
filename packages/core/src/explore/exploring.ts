/**
 * exploring.ts: whether somebody explores (explore.ts), as everything that may wait asks: a load and a comparison. It is not explore.ts itself, which few load.
 */
import type { UserThread } from '../thread/userthread.ts';

export interface Explorer {
  /** A userthread has been created. */
  born(td: UserThread): void;
  /** The running userthread is about to do what may wait, though it need not this time. */
  mayBlock(what: string): void;
  /** The clock of the running userthread's waits; undefined: the user's. */
  readonly clock: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'> | undefined;
}

export const exploring: { explorer: Explorer | undefined } = { explorer: undefined };

/** Whoever explores may let other userthreads run here. Before anything is changed; throws nothing. */
export function mayBlock(what: string): void {
  exploring.explorer?.mayBlock(what);
}
