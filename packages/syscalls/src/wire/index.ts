/**
 * wire: a system call as bytes, for who has it made elsewhere (@libcr/nats): what the kernel reads goes along, what it writes comes back. Which arguments those are says the table.
 *
 * A call: the version, its name (numbers are an architecture's), and for each argument a tag and what it says (values.ts). An answer: the version, the reply as a number of 64 bits, and for each piece of memory that the
 * kernel may write how much it has written, and that. Little endian. In front of both is room for who carries them, so that nothing is copied for that.
 *
 * Not here: how the bytes travel, and who may make which call. Not for programs: it may change with any release, together with its users.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts
import { type Argument, type CallName, type Format, rows } from '../generated/rows.ts';
import { rowOf } from '../port/calls.ts';
import type { SysMsg } from '../port/sysmsg.ts';

export { FOR_PROGRAMS, type ProgramShim } from '../supervisor/for-programs.ts';
export { failure, IncomingCall } from './incoming.ts';
export { OutgoingCall } from './outgoing.ts';

/** What the table says of a message's arguments. */
export function argumentsOf({ number }: SysMsg): readonly Argument[] {
  return rowOf(number)?.args ?? [];
}

/** The calls that have an argument of those kinds. */
export function callsWith(...formats: readonly Format[]): CallName[] {
  return rows
    .filter(({ args }) => args.some(({ format }) => formats.includes(format)))
    .map(({ name }) => name as CallName);
}
