/** epoll.ts: struct epoll_event, packed on x86-64 (12 bytes; epoll_ctl(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { readBigI64 } from '../words.ts';

export interface EpollEvent {
  /** EPOLL*. */
  events: number;
  /** What epoll_wait gives back for this descriptor: a number up to 2^53-1, or a bigint of 64 bits. */
  data: number | bigint;
}

const SIZE = 12;
const COUNT_MAX = 65536;

export function encodeEpollEvent(name: string, event: EpollEvent): Buffer {
  if (typeof event !== 'object' || event === null) throw invalidType(name, 'of type object', event);
  const { events, data = 0 } = event;
  if (typeof events !== 'number') throw invalidType(`${name}.events`, 'of type number', events);
  if (typeof data === 'number' ? !Number.isSafeInteger(data) : typeof data !== 'bigint')
    throw invalidType(`${name}.data`, 'an integer', data);
  const struct = Buffer.allocUnsafe(SIZE);
  struct.writeUInt32LE(events >>> 0, 0);
  struct.writeBigUInt64LE(BigInt.asUintN(64, BigInt(data)), 4);
  return struct;
}

export function allocateEpollEvents(name: string, count: number): Buffer {
  if (typeof count !== 'number') throw invalidType(name, 'of type number', count);
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX)
    throw outOfRange(name, `an integer >= 1 and <= ${COUNT_MAX}`, count);
  return Buffer.alloc(count * SIZE);
}

/** data comes back as a number where it fits, else as a bigint (signed). */
export function decodeEpollEvents(struct: Buffer, count: number): EpollEvent[] {
  const events: EpollEvent[] = [];
  for (let at = 0; at < Math.min(count * SIZE, struct.length); at += SIZE) {
    const data = readBigI64(struct, at + 4);
    const small = Number(data);
    events.push({ events: struct.readUInt32LE(at), data: Number.isSafeInteger(small) ? small : data });
  }
  return events;
}
