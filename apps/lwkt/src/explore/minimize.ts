/**
 * minimize.ts: the shortest part of a list for which something still holds, by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
 * Input", 2002): pieces of the list are left out, large ones first, until no single item can be.
 *
 * Invariant: what is returned goes by the answers alone, not by which of those that are asked for at once comes first.
 */

export interface Minimum<Item> {
  items: Item[];
  /** How often it was tried. */
  tries: number;
  /** No item can be left out: it was not given up before. */
  isLeast: boolean;
}

function without<Item>(items: Item[], parts: number, part: number): Item[] {
  const from = Math.floor((items.length * part) / parts);
  const to = Math.floor((items.length * (part + 1)) / parts);
  return [...items.slice(0, from), ...items.slice(to)];
}

/**
 * `holds` is true of `items`, and is asked for at most `most` others, `atOnce` of them at a time; its second argument says which of them.
 */
export async function minimize<Item>(
  items: Item[],
  holds: (items: Item[], index: number) => Promise<boolean>,
  { most, atOnce }: { most: number; atOnce: number },
): Promise<Minimum<Item>> {
  let tries = 0;
  /** The first of them for which it holds. */
  const first = async (candidates: Item[][]): Promise<number> => {
    for (let from = 0; from < candidates.length && tries < most; from += atOnce) {
      const now = candidates.slice(from, from + Math.min(atOnce, most - tries));
      tries += now.length;
      const answers = await Promise.all(now.map(holds));
      const found = answers.indexOf(true);
      if (found >= 0) return from + found;
    }
    return -1;
  };
  if (items.length > 0 && (await first([[]])) === 0) return { items: [], tries, isLeast: true };
  let least = items;
  let parts = 2;
  while (least.length > 1 && tries < most) {
    parts = Math.min(parts, least.length);
    const candidates = Array.from({ length: parts }, (_, part) => without(least, parts, part));
    const found = await first(candidates);
    if (found >= 0) {
      least = candidates[found] as Item[];
      parts = Math.max(parts - 1, 2);
    } else if (parts < least.length) {
      parts *= 2;
    } else if (tries < most) {
      return { items: least, tries, isLeast: true };
    }
  }
  return { items: least, tries, isLeast: least.length <= 1 };
}
