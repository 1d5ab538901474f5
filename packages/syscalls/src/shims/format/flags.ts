/**
 * flags.ts: the names of flags and of constants, in strace's order.
 *
 * Not here: names that only one call has (fcntl.ts, socket.ts), and the sets themselves (generated/flag-sets.ts).
 *
 * Invariant: every number has a text; bits without a name are shown in hexadecimal, so none is lost. It takes
 * numbers only, so there is no code of an argument's to run.
 */
import { flagSets } from '../../generated/flag-sets.ts';
import { hexadecimal } from './text.ts';

export type Names = readonly (readonly [string, number])[];

/** Names of bits that the kernel sets, over those of the table. */
const MORE_NAMES: Readonly<Record<string, Names>> = {
  open: [['O_ASYNC', 0o20000]],
  statx: [
    ['STATX_MNT_ID', 0x1000],
    ['STATX_DIOALIGN', 0x2000],
  ],
};

/** strace has an order of its own for these: they come last, in this order. */
const LAST = ['O_NOFOLLOW', 'O_NOATIME', 'O_CLOEXEC', 'O_PATH', 'O_TMPFILE', 'O_DIRECTORY', 'SOCK_NONBLOCK'];

/** The name of a number, or 0x63 with strace's remark. */
function oneOf(names: Names, value: number, prefix: string): string {
  return names.find(([, number]) => number >>> 0 === value)?.[0] ?? `${hexadecimal(value)} /* ${prefix} */`;
}

/** The names in value's bits, in the order of names, and what is left. Names of several bits go before those of one. */
function bitNames(names: Names, value: number): string[] {
  let rest = value >>> 0;
  const found: string[] = [];
  for (const [name, bits] of [...names].sort((a, b) => popcount(b[1]) - popcount(a[1]))) {
    if (bits === 0 || (rest & bits) >>> 0 !== bits >>> 0) continue;
    found.push(name);
    rest = (rest & ~bits) >>> 0;
  }
  const place = (name: string): number => LAST.indexOf(name) * names.length + rank(names, name);
  found.sort((a, b) => place(a) - place(b));
  if (rest !== 0) found.push(hexadecimal(rest));
  return found;
}

const rank = (names: Names, name: string): number => names.findIndex(([known]) => known === name);

/** A|B|0x8, or 0. */
export const joined = (names: Names, value: number): string => bitNames(names, value).join('|') || '0';

/** A|B|0x8, as the set names them. */
export function flagNames(set: string, value: number): string {
  const { mask, names } = flagSets[set] as (typeof flagSets)[string];
  const all = value >>> 0;
  if (mask === -1) {
    const [first] = names[0] as Names[number];
    return oneOf(names, all, `${first.slice(0, first.lastIndexOf('_'))}_???`);
  }
  const more = [...names, ...(MORE_NAMES[set] ?? [])];
  const none = all === 0 ? names.find(([, bits]) => bits === 0)?.[0] : undefined;
  if (mask === 0) return none ?? joined(more, all);
  // A small number first, then bits.
  const low = (all & mask) >>> 0;
  const name = names.find(([, number]) => number === low)?.[0] ?? hexadecimal(low);
  const bits = more.filter(([, number]) => (number & mask) === 0);
  return [name, ...bitNames(bits, (all & ~mask) >>> 0)].join('|');
}

function popcount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
