/** raw.ts: system calls by their numbers, in C's own convention. */
import { curthread } from '@libcr/core';
import { invalidType, invalidValue } from '@libcr/core/internal';
import { plainArrays } from './codec/bytes.ts';
import { constants } from './generated/constants.ts';
import { send } from './port/send.ts';

const ARGUMENTS_MAX = 6;

/**
 * Makes the system call of a number (SYS_*) with the kernel's own arguments: numbers, buffers for pointers, null for NULL. Answers the
 * result, or -1 with the error in curthread().errno, which a success leaves as it is; ENOSYS for numbers that are not in the table. Goes
 * through the running userthread's port and may block it, as sys.* does. Throws TypeError and RangeError where an argument is not what the
 * call takes: memory that is not there is never shown to the kernel. (syscall(2))
 */
export function raw(number: number, ...args: unknown[]): number {
  if (typeof number !== 'number') throw invalidType('number', 'of type number', number);
  if (args.length > ARGUMENTS_MAX) throw invalidValue(`a system call has at most ${ARGUMENTS_MAX} arguments`);
  const plain = args.map(plainArrays);
  const reply = send(number, ...plain);
  if (reply >= 0) return reply;
  curthread().errno = -reply;
  return -1;
}

/** The errno of the last raw call that failed on the running userthread; 0 before. (errno(3)) */
export function errno(): number {
  return curthread().errno;
}

export { constants };
