/** mq.ts: struct mq_attr (64 bytes; mq_getattr(3)). */
import { object, safe } from '../integer.ts';
import { readU64 } from '../words.ts';

export interface MqAttributes {
  /** O_NONBLOCK, or 0. */
  flags?: number;
  /** Messages that the queue holds at most, and bytes of each at most. */
  maxmsg?: number;
  msgsize?: number;
  /** Messages in it; mq_open and mq_getsetattr do not look at it. */
  curmsgs?: number;
}

const KEYS = ['flags', 'maxmsg', 'msgsize', 'curmsgs'] as const;

export function encodeMqAttributes(name: string, attributes: MqAttributes): Buffer {
  object(name, attributes, '{ flags, maxmsg, msgsize }');
  const struct = Buffer.alloc(64);
  KEYS.forEach((key, i) => {
    struct.writeBigUInt64LE(BigInt(safe(`${name}.${key}`, attributes[key] ?? 0, 0)), i * 8);
  });
  return struct;
}

export const decodeMqAttributes = (struct: Buffer): Required<MqAttributes> => ({
  flags: readU64(struct, 0),
  maxmsg: readU64(struct, 8),
  msgsize: readU64(struct, 16),
  curmsgs: readU64(struct, 24),
});
