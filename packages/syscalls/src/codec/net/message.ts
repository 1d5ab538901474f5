/**
 * message.ts: struct msghdr, as an array that native/node/messages.c makes one of: [address, buffers, control, header]. No pointer is taken
 * from JavaScript's bytes. (sendmsg(2), recvmsg(2))
 *
 * header has four words of 32 bits that the kernel fills in: bytes of the address, bytes of control messages, MSG_* flags, and, of
 * sendmmsg and recvmmsg, bytes of data.
 */
import { invalidType } from '@libcr/core/internal';
import { byteLength, toBuffers } from '../bytes.ts';
import { integer, object } from '../integer.ts';
import { type ControlMessage, decodeControl, encodeControl } from './control.ts';
import { decodeSockaddr, encodeSockaddr, SOCKADDR_SIZE, type SockAddr } from './sockaddr.ts';

export interface OutgoingMessage {
  /** One after the other; 1,024 at most. */
  buffers: readonly NodeJS.ArrayBufferView[];
  /** To whom, where the socket is not connected. */
  address?: SockAddr;
  control?: readonly ControlMessage[];
}

export interface IncomingMessage {
  buffers: readonly NodeJS.ArrayBufferView[];
  /** Bytes for control messages; 0 if absent: those that come are lost, and descriptors among them closed. */
  controlSize?: number;
}

export interface ReceivedMessage {
  /** Bytes. */
  length: number;
  /** The sender's; undefined on a stream. */
  address: SockAddr | undefined;
  control: ControlMessage[];
  /** MSG_TRUNC, MSG_CTRUNC, ... */
  flags: number;
}

/** What the kernel's argument is made of. */
export type PlainMessage = [
  address: Buffer | null,
  buffers: NodeJS.ArrayBufferView[],
  control: Buffer | null,
  header: Buffer,
];

const CONTROL_MAX = 1 << 20;

export function encodeMessage(name: string, message: OutgoingMessage): PlainMessage {
  const { buffers, address, control = [] } = object(name, message, '{ buffers, address, control }');
  return [
    address === undefined ? null : encodeSockaddr(`${name}.address`, address),
    toBuffers(`${name}.buffers`, buffers),
    encodeControl(`${name}.control`, control),
    Buffer.alloc(16),
  ];
}

export function allocateMessage(name: string, message: IncomingMessage): PlainMessage {
  const { buffers, controlSize = 0 } = object(name, message, '{ buffers, controlSize }');
  integer(`${name}.controlSize`, controlSize, 0, CONTROL_MAX);
  return [
    Buffer.alloc(SOCKADDR_SIZE),
    toBuffers(`${name}.buffers`, buffers),
    controlSize === 0 ? null : Buffer.alloc(controlSize),
    Buffer.alloc(16),
  ];
}

export function toMessages<T>(
  name: string,
  list: readonly T[],
  make: (name: string, message: T) => PlainMessage,
): PlainMessage[] {
  if (!Array.isArray(list)) throw invalidType(name, 'an array of messages', list);
  return list.map((message, i) => make(`${name}[${i}]`, message));
}

/** length: recvmsg's answer; recvmmsg has each in its header. */
export function decodeMessage([address, , control, header]: PlainMessage, length?: number): ReceivedMessage {
  return {
    length: length ?? header.readUInt32LE(12),
    address: address === null ? undefined : decodeSockaddr(address, header),
    control: control === null ? [] : decodeControl(control, header.readUInt32LE(4)),
    flags: header.readUInt32LE(8),
  };
}

/** Bytes that sendmmsg has sent of a message. */
export const sentLength = (message: PlainMessage): number => message[3].readUInt32LE(12);

/** A message without its first bytes, which have been moved; what came along has come along with them. */
export function advanceMessage([address, buffers]: PlainMessage, bytes: number): PlainMessage {
  let left = bytes;
  const rest: NodeJS.ArrayBufferView[] = [];
  for (const view of buffers) {
    const size = byteLength(view);
    if (left < size)
      rest.push(left === 0 ? view : new Uint8Array(view.buffer, view.byteOffset + left, size - left));
    left = Math.max(0, left - size);
  }
  return [address, rest, null, Buffer.alloc(16)];
}
