/**
 * call.ts: the arguments of a whole call: those that strace shows, and which of them before it has returned.
 *
 * Not here: one argument (argument.ts), and the result (reply.ts).
 *
 * Invariant: arguments are read, not changed; lengthsOf() runs before the call, the rest after it.
 */
import { constants as c } from '../../generated/constants.ts';
import type { CallName, Row } from '../../generated/rows.ts';
import { argument, type Call } from './argument.ts';
import { NO_ARGUMENT } from './fcntl.ts';
import { bytesOf, hexadecimal, other } from './text.ts';

/** What the arguments that the call may change were before it: socklen_t, which strace shows as [128 => 16]. */
export function lengthsOf(row: Row | undefined, args: readonly unknown[]): (number | undefined)[] {
  if (row === undefined || !row.args.some(({ format }) => format === 'intPointer')) return [];
  return row.args.map(({ format }, i) => {
    const value = args[i];
    if (format !== 'intPointer' || !ArrayBuffer.isView(value) || value.byteLength < 4) return undefined;
    return bytesOf(value).readInt32LE(0);
  });
}

/** The texts of the arguments that are shown, with what they were given and what the kernel has written. */
export function formatArguments(
  row: Row,
  args: readonly unknown[],
  reply: number,
  limit: number,
  lengths: readonly (number | undefined)[] = [],
): string[] {
  const call: Call = { row, args, reply, limit, lengths };
  return row.args.slice(0, shownCount(row, args)).map((_, i) => argument(call, i));
}

/** openat(AT_FDCWD, "/etc/hosts", O_RDONLY) */
export function formatCall(...call: Parameters<typeof formatArguments>): string {
  return `${call[0].name}(${formatArguments(...call).join(', ')})`;
}

/** How many of the arguments are shown. */
function shownCount({ name, args: all }: Row, args: readonly unknown[]): number {
  const count = all.length;
  const isLess =
    (isOpen(name) && !makesFile(args[count - 2])) || (name === 'fcntl' && NO_ARGUMENT.includes(args[1]));
  return isLess ? count - 1 : count;
}

/** How many of them are known before the call returns: those before the first that the kernel fills. */
export function earlyCount(row: Row, args: readonly unknown[]): number {
  const first = row.args.findIndex(({ out }) => out === true);
  const count = shownCount(row, args);
  return first < 0 ? count : Math.min(first, count);
}

/** The arguments of a call that is not in the table. */
export function unknownArguments(args: readonly unknown[]): string[] {
  const given = args.filter((value) => value !== undefined);
  return given.map((value) => (Number.isInteger(value) ? hexadecimal(value as number) : other(value)));
}

/** Its name: syscall_0x1f4. */
export const unknownName = (number: number): string => `syscall_${hexadecimal(number)}`;

const isOpen = (name: CallName): boolean => name === 'open' || name === 'openat';

/** A mode is an argument of open only where a file may be made. */
function makesFile(flags: unknown): boolean {
  if (typeof flags !== 'number') return true; // what it is meant to be, nobody knows
  return (flags & c.O_CREAT) !== 0 || (flags & c.O_TMPFILE) === c.O_TMPFILE;
}

/** The whole call. */
export function formatUnknown(number: number, args: readonly unknown[]): string {
  return `${unknownName(number)}(${unknownArguments(args).join(', ')})`;
}
