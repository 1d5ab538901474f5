/**
 * robust.ts: who tells a robust mutex that its owner has ended: the end of a userthread of this rfork, or of another rfork.
 *
 * Not known is the end of a plain Worker that uses a mutex by Atomics: it has no number.
 */
import type { UserThread } from '@libcr/core';
import { native, onEnded, whenFinished } from '@libcr/core/internal';

interface Robust {
  /** The userthread of this rfork that has it has ended. */
  threadHasEnded(): void;
  /** So has an rfork, which may have had it. */
  rforkHasEnded(rfork: number): void;
}

const held = new WeakMap<UserThread, Set<Robust>>();

/** td has it; not for thread0, which never ends. */
export function keepRobust(td: UserThread, mutex: Robust): void {
  const before = held.get(td);
  if (before !== undefined) {
    before.add(mutex);
    return;
  }
  const all = new Set<Robust>([mutex]);
  held.set(td, all);
  whenFinished(td, () => {
    for (const each of all) each.threadHasEnded();
  });
}

export function dropRobust(td: UserThread, mutex: Robust): void {
  held.get(td)?.delete(mutex);
}

const waitedFor = new Map<Robust, number>();

function tell(rfork: number): void {
  for (const mutex of [...waitedFor.keys()]) mutex.rforkHasEnded(rfork);
}

/** Calls fn, which waits for a mutex that others may have. */
export function whileWatched<R>(mutex: Robust, fn: () => R): R {
  onEnded.add(tell);
  waitedFor.set(mutex, (waitedFor.get(mutex) ?? 0) + 1);
  try {
    return fn();
  } finally {
    const rest = (waitedFor.get(mutex) as number) - 1;
    if (rest === 0) waitedFor.delete(mutex);
    else waitedFor.set(mutex, rest);
  }
}

/** Whether there is no such rfork any more. Three fields stand for each that there is. */
export function rforkIsGone(rfork: number): boolean {
  return !native.rforks().some((field, i) => i % 3 === 0 && field === rfork);
}
