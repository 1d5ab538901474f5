/**
 * numbers.ts: descriptors of other hosts as numbers of this process, for all mounts that it has. They begin where no process' own are: whoever has one may use it beside those.
 *
 * Invariant: a number is one mount's and one descriptor of its host's, from its opening until it is closed; the lowest that is free is taken.
 */

/** The kernel's own limit is 2^20 unless somebody has raised it. */
const FIRST = 2 ** 24;

interface Place {
  readonly mount: object;
  readonly fd: number;
}

const places: (Place | undefined)[] = [];
/** Below it all are taken. */
let lowest = 0;

/** A number for a descriptor of that mount's host. */
export function numberFor(mount: object, fd: number): number {
  while (places[lowest] !== undefined) lowest++;
  places[lowest] = { mount, fd };
  return FIRST + lowest;
}

/** Whose descriptor it is there; undefined: it is another mount's, or a number of this process'. */
export function fdOf(mount: object, number: unknown): number | undefined {
  if (typeof number !== 'number' || number < FIRST) return undefined;
  const place = places[number - FIRST];
  return place?.mount === mount ? place.fd : undefined;
}

/** It has been closed. */
export function forget(number: number): void {
  const i = number - FIRST;
  places[i] = undefined;
  lowest = Math.min(lowest, i);
}
