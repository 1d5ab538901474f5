/** trees.ts: whether any shim of this program has files that the kernel has not, and who wants to know when there is one. */

const listeners = new Set<() => void>();
let any = false;

/** A tree of files has been made. */
export function treeMade(): void {
  any = true;
  for (const listener of listeners) listener();
  listeners.clear();
}

/** Calls a listener once, as soon as there is a tree. The answer forgets it. */
export function whenTreeIsMade(listener: () => void): () => void {
  if (any) listener();
  else listeners.add(listener);
  return () => listeners.delete(listener);
}
