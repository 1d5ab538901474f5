/**
 * call.ts: a whole call: its name, and those of its arguments that strace shows.
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

/** openat(AT_FDCWD, "/etc/hosts", O_RDONLY): the call with what it was given and what the kernel has written. */
export function formatCall(
  row: Row,
  args: readonly unknown[],
  reply: number,
  limit: number,
  lengths: readonly (number | undefined)[] = [],
): string {
  const call: Call = { row, args, reply, limit, lengths };
  const shown = row.args.map((_, i) => argument(call, i));
  if (isOpen(row.name) && !makesFile(args[shown.length - 2])) shown.pop();
  if (row.name === 'fcntl' && NO_ARGUMENT.includes(args[1])) shown.pop();
  return `${row.name}(${shown.join(', ')})`;
}

/** A call that is not in the table. */
export function formatUnknown(number: number, args: readonly unknown[]): string {
  const given = args.filter((value) => value !== undefined);
  const shown = given.map((value) => (Number.isInteger(value) ? hexadecimal(value as number) : other(value)));
  return `syscall_${hexadecimal(number)}(${shown.join(', ')})`;
}

const isOpen = (name: CallName): boolean => name === 'open' || name === 'openat';

/** A mode is an argument of open only where a file may be made. */
function makesFile(flags: unknown): boolean {
  if (typeof flags !== 'number') return true; // what it is meant to be, nobody knows
  return (flags & c.O_CREAT) !== 0 || (flags & c.O_TMPFILE) === c.O_TMPFILE;
}
