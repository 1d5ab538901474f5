/** pollfd.ts: struct pollfd (8 bytes; poll(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';

export interface PollFd {
  /** Negative: ignored. */
  fd: number;
  /** POLL* to wait for. */
  events: number;
  /** POLL* that have happened; written by poll. */
  revents?: number;
}

const SIZE = 8;

export function encodePollFds(name: string, fds: readonly PollFd[]): Buffer {
  if (!Array.isArray(fds)) throw invalidType(name, 'an array of { fd, events }', fds);
  const struct = Buffer.alloc(fds.length * SIZE);
  fds.forEach((entry, i) => {
    if (typeof entry !== 'object' || entry === null)
      throw invalidType(`${name}[${i}]`, 'of type object', entry);
    if (!Number.isInteger(entry.fd)) throw invalidType(`${name}[${i}].fd`, 'an integer', entry.fd);
    if (!Number.isInteger(entry.events))
      throw invalidType(`${name}[${i}].events`, 'an integer', entry.events);
    if (entry.fd !== (entry.fd | 0)) throw outOfRange(`${name}[${i}].fd`, 'an integer of 32 bits', entry.fd);
    struct.writeInt32LE(entry.fd, i * SIZE);
    struct.writeUInt16LE(entry.events & 0xffff, i * SIZE + 4);
  });
  return struct;
}

/** Writes each revents; answers how many are not 0. */
export function decodePollFds(struct: Buffer, fds: PollFd[], count: number): number {
  fds.forEach((entry, i) => {
    if (typeof entry !== 'object' || entry === null) return; // somebody has changed the array meanwhile
    entry.revents = i * SIZE < struct.length ? struct.readUInt16LE(i * SIZE + 6) : 0;
  });
  return count;
}
