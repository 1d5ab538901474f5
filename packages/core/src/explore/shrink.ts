/**
 * shrink.ts: of the decisions with which a run goes wrong those that it takes: all others become what they would have been by themselves (0). By halves first, then by ever
 * smaller pieces (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002). One decision less moves all that come later to other places, so fewer are often not
 * found that way: then all schedules with one decision are tried, with two, and so on, while there are not too many of them.
 */

const nonzero = (decisions: readonly number[]): number[] =>
  decisions.flatMap((decision, i) => (decision === 0 ? [] : [i]));

function without(decisions: readonly number[], places: readonly number[]): number[] {
  const fewer = [...decisions];
  for (const place of places) fewer[place] = 0;
  while (fewer.at(-1) === 0) fewer.pop();
  return fewer;
}

type Fails = (decisions: readonly number[]) => Promise<boolean>;

/** All lists of `size` decisions other than 0, each one of these values, at places below `length`. */
function* few(size: number, length: number, values: readonly number[], first = 0): Generator<number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let place = first; place < length; place++)
    for (const rest of few(size - 1, length, values, place + 1))
      for (const value of values) {
        const list = [...rest];
        while (list.length <= place) list.push(0);
        list[place] = value;
        yield list;
      }
}

async function fewer(best: number[], length: number, fails: Fails, runs: number): Promise<number[]> {
  const values = [...new Set([1, ...best])].filter((value) => value > 0);
  let left = runs;
  for (let size = 0; size < nonzero(best).length; size++)
    for (const list of few(size, length, values)) {
      if (left-- <= 0) return best;
      if (await fails(list)) return list;
    }
  return best;
}

/** fails: whether it still goes wrong with these; it is asked so often at most, for either way. */
export async function shrink(decisions: readonly number[], fails: Fails, runs: number): Promise<number[]> {
  const best = await bisect(decisions, fails, runs);
  const least = await fewer(best, decisions.length, fails, runs);
  if (least === best) await fails(best); // what was seen last is what is reported
  return least;
}

async function bisect(decisions: readonly number[], fails: Fails, runs: number): Promise<number[]> {
  let best = without(decisions, []);
  let left = runs;
  let pieces = 1;
  while (left > 0) {
    const places = nonzero(best);
    if (places.length === 0) break;
    const size = Math.ceil(places.length / pieces);
    let found = false;
    // From the end: what comes late decides about less.
    for (let end = places.length; end > 0 && left > 0 && !found; end -= size) {
      const fewer = without(best, places.slice(Math.max(0, end - size), end));
      left--;
      if (!(await fails(fewer))) continue;
      best = fewer;
      found = true;
    }
    if (found) pieces = Math.max(1, pieces - 1);
    else if (size <= 1) break;
    else pieces = Math.min(places.length, pieces * 2);
  }
  return best;
}
