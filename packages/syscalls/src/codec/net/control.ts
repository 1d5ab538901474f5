/** control.ts: control messages: struct cmsghdr with its data, one after the other (cmsg(3), unix(7)). */
import { types } from 'node:util';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { constants } from '../../generated/constants.ts';
import { int32, object, uint32 } from '../integer.ts';

/** What goes along with a message. */
export type ControlMessage =
  /** Descriptors: they stand for the same in the receiver. */
  | { type: 'rights'; fds: readonly number[] }
  /** Who the sender is; the kernel checks it. */
  | { type: 'credentials'; pid: number; uid: number; gid: number }
  /** Anything else. */
  | { type: number; level: number; data: Uint8Array };

const HEADER = 16;
/** SCM_MAX_FD */
const FDS_MAX = 253;

const aligned = (length: number): number => (length + 7) & ~7;

/** Bytes that control messages with so many bytes of data take. */
export const controlSpace = (length: number): number => HEADER + aligned(length);

function encodeOne(name: string, message: ControlMessage): [level: number, type: number, data: Buffer] {
  object(name, message, 'a control message');
  if (message.type === 'rights') {
    const { fds } = message;
    if (!Array.isArray(fds)) throw invalidType(`${name}.fds`, 'an array of descriptors', fds);
    if (fds.length > FDS_MAX) throw outOfRange(`${name}.fds`, `at most ${FDS_MAX} descriptors`, fds.length);
    const data = Buffer.alloc(fds.length * 4);
    fds.forEach((fd, i) => {
      data.writeInt32LE(int32(`${name}.fds[${i}]`, fd), i * 4);
    });
    return [constants.SOL_SOCKET, constants.SCM_RIGHTS, data];
  }
  if (message.type === 'credentials') {
    const data = Buffer.alloc(12);
    data.writeInt32LE(int32(`${name}.pid`, message.pid), 0);
    data.writeUInt32LE(uint32(`${name}.uid`, message.uid), 4);
    data.writeUInt32LE(uint32(`${name}.gid`, message.gid), 8);
    return [constants.SOL_SOCKET, constants.SCM_CREDENTIALS, data];
  }
  const { type, level, data } = message;
  if (typeof type !== 'number')
    throw invalidType(`${name}.type`, "'rights', 'credentials' or a number", type);
  if (!types.isUint8Array(data)) throw invalidType(`${name}.data`, 'an instance of Uint8Array', data);
  return [int32(`${name}.level`, level), int32(`${name}.type`, type), Buffer.from(data)];
}

/** null where there are none. */
export function encodeControl(name: string, messages: readonly ControlMessage[]): Buffer | null {
  if (!Array.isArray(messages)) throw invalidType(name, 'an array of control messages', messages);
  if (messages.length === 0) return null;
  const parts = messages.map((message, i) => {
    const [level, type, data] = encodeOne(`${name}[${i}]`, message);
    const part = Buffer.alloc(controlSpace(data.length));
    part.writeBigUInt64LE(BigInt(HEADER + data.length), 0);
    part.writeInt32LE(level, 8);
    part.writeInt32LE(type, 12);
    part.set(data, HEADER);
    return part;
  });
  return Buffer.concat(parts);
}

/** The first length bytes. Messages that do not fit together end the list. */
export function decodeControl(bytes: Buffer, length: number): ControlMessage[] {
  const end = Math.min(length, bytes.length);
  const messages: ControlMessage[] = [];
  for (let at = 0; at + HEADER <= end; ) {
    const size = bytes.readUInt32LE(at);
    if (size < HEADER || at + size > end) break;
    const level = bytes.readInt32LE(at + 8);
    const type = bytes.readInt32LE(at + 12);
    const data = bytes.subarray(at + HEADER, at + size);
    if (level === constants.SOL_SOCKET && type === constants.SCM_RIGHTS) {
      const fds = Array.from({ length: data.length >> 2 }, (_, i) => data.readInt32LE(i * 4));
      messages.push({ type: 'rights', fds });
    } else if (level === constants.SOL_SOCKET && type === constants.SCM_CREDENTIALS && data.length >= 12) {
      const [pid, uid, gid] = [data.readInt32LE(0), data.readUInt32LE(4), data.readUInt32LE(8)];
      messages.push({ type: 'credentials', pid, uid, gid });
    } else {
      messages.push({ type, level, data: Uint8Array.from(data) });
    }
    at += aligned(size);
  }
  return messages;
}
