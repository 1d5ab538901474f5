/** sched.ts: struct sched_param (an int) and struct sched_attr (56 bytes; sched_setattr(2)). */
import { int32, object, safe, uint32 } from '../integer.ts';
import { readU64 } from '../words.ts';

export interface SchedAttr {
  /** SCHED_*. */
  policy: number;
  /** SCHED_FLAG_*. */
  flags?: number;
  nice?: number;
  /** Of SCHED_FIFO and SCHED_RR. */
  priority?: number;
  /** Of SCHED_DEADLINE, in nanoseconds. */
  runtime?: number;
  deadline?: number;
  period?: number;
  /** Hints of how much of a processor is used, 0 to 1,024. */
  utilMin?: number;
  utilMax?: number;
}

const SIZE = 56;
/** Room that native/node/marshal.c wants for a struct that says its own size. */
const ROOM = 64;

export function encodeSchedParam(name: string, priority: number): Buffer {
  const struct = Buffer.allocUnsafe(4);
  struct.writeInt32LE(int32(name, priority));
  return struct;
}

export function encodeSchedAttr(name: string, attr: SchedAttr): Buffer {
  object(name, attr, '{ policy, nice, priority, ... }');
  const struct = Buffer.alloc(ROOM);
  struct.writeUInt32LE(SIZE, 0);
  struct.writeUInt32LE(uint32(`${name}.policy`, attr.policy), 4);
  struct.writeBigUInt64LE(BigInt(safe(`${name}.flags`, attr.flags ?? 0, 0)), 8);
  struct.writeInt32LE(int32(`${name}.nice`, attr.nice ?? 0), 16);
  struct.writeUInt32LE(uint32(`${name}.priority`, attr.priority ?? 0), 20);
  struct.writeBigUInt64LE(BigInt(safe(`${name}.runtime`, attr.runtime ?? 0, 0)), 24);
  struct.writeBigUInt64LE(BigInt(safe(`${name}.deadline`, attr.deadline ?? 0, 0)), 32);
  struct.writeBigUInt64LE(BigInt(safe(`${name}.period`, attr.period ?? 0, 0)), 40);
  struct.writeUInt32LE(uint32(`${name}.utilMin`, attr.utilMin ?? 0), 48);
  struct.writeUInt32LE(uint32(`${name}.utilMax`, attr.utilMax ?? 0), 52);
  return struct;
}

export const decodeSchedAttr = (struct: Buffer): Required<SchedAttr> => ({
  policy: struct.readUInt32LE(4),
  flags: readU64(struct, 8),
  nice: struct.readInt32LE(16),
  priority: struct.readUInt32LE(20),
  runtime: readU64(struct, 24),
  deadline: readU64(struct, 32),
  period: readU64(struct, 40),
  utilMin: struct.readUInt32LE(48),
  utilMax: struct.readUInt32LE(52),
});
