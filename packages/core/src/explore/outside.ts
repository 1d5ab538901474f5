/**
 * outside.ts: whether something is under way that no userthread of a run does: a read of a file, a connection, a timer of Node's. Seen by what Node says that it has to do, compared
 * with what it had before.
 */
const OURS = new Set(['Immediate']);

function count(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo())
    if (!OURS.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

export class Outside {
  readonly #before = count();

  /** Whether there is more of something than there was. */
  get isBusy(): boolean {
    for (const [name, n] of count()) if (n > (this.#before.get(name) ?? 0)) return true;
    return false;
  }
}
