/** sockaddr.ts: struct sockaddr of the families in use (ip(7), ipv6(7), unix(7), netlink(7), vsock(7), packet(7)). */

import { types } from 'node:util';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { constants } from '../../generated/constants.ts';
import { int32, integer, uint32 } from '../integer.ts';

/** node:net, which programs that read files do not need. */
const net = () => process.getBuiltinModule('node:net');

/** Where a socket is. */
export type SockAddr =
  | { family: 'inet'; address: string; port: number }
  | { family: 'inet6'; address: string; port: number; flowinfo?: number; scopeId?: number }
  /** A path; one that begins with NUL is abstract; '' is unnamed. Bytes where it is no UTF-8. */
  | { family: 'unix'; path: string | Uint8Array }
  /** pid is the port's number: a process' id, as a rule; 0 is the kernel. groups: a mask. */
  | { family: 'netlink'; pid: number; groups: number }
  | { family: 'vsock'; cid: number; port: number }
  /** protocol is an EtherType (ETH_P_*); address the hardware's. */
  | {
      family: 'packet';
      protocol: number;
      ifindex: number;
      hatype?: number;
      pkttype?: number;
      address?: Uint8Array;
    }
  /** A family that is not decoded here: the bytes after it. */
  | { family: number; data: Uint8Array };

export interface Accepted {
  fd: number;
  address: SockAddr | undefined;
}

export interface Received {
  /** Bytes. */
  length: number;
  /** The sender's; undefined on a stream. */
  address: SockAddr | undefined;
}

/** struct sockaddr_storage. */
export const SOCKADDR_SIZE = 128;
const UNIX_PATH_MAX = 108;

/** The socklen_t that goes with a buffer of SOCKADDR_SIZE. */
export function sockaddrLength(): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32LE(SOCKADDR_SIZE);
  return buffer;
}

function checkPort(name: string, port: unknown): number {
  if (typeof port !== 'number') throw invalidType(`${name}.port`, 'of type number', port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw outOfRange(`${name}.port`, 'an integer >= 0 and <= 65535', port);
  return port;
}

/** The 16 bytes of an IPv6 address that net.isIPv6 accepts; a zone after % is left out. */
function ipv6Bytes(address: string): Buffer {
  let text = address.replace(/%.*$/, '');
  const dotted = text.match(/^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/);
  if (dotted) {
    const [, head, a, b, c, d] = dotted;
    const word = (high: unknown, low: unknown): string => (Number(high) * 256 + Number(low)).toString(16);
    text = `${head}${word(a, b)}:${word(c, d)}`;
  }
  const [left = '', right] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = words(left);
  const after = right === undefined ? [] : words(right);
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  all.forEach((word, i) => {
    bytes.writeUInt16BE(Number.parseInt(word, 16), i * 2);
  });
  return bytes;
}

/** The shortest text (RFC 5952). */
function ipv6Text(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  if (words.slice(0, 5).every((word) => word === '0') && words[5] === 'ffff')
    return `::ffff:${bytes.subarray(12).join('.')}`;
  const runs = [
    ...words
      .map((word) => (word === '0' ? '0' : 'x'))
      .join('')
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.reduce<{ index: number; length: number } | undefined>(
    (best, run) =>
      best === undefined || run[0].length > best.length ? { index: run.index, length: run[0].length } : best,
    undefined,
  );
  if (longest === undefined) return words.join(':');
  const { index, length } = longest;
  return `${words.slice(0, index).join(':')}::${words.slice(index + length).join(':')}`;
}

const HARDWARE_ADDRESS_MAX = 8;

function encodePacket(name: string, address: SockAddr & { family: 'packet' }): Buffer {
  const { protocol, ifindex, hatype = 0, pkttype = 0, address: hardware = new Uint8Array() } = address;
  if (!types.isUint8Array(hardware))
    throw invalidType(`${name}.address`, 'an instance of Uint8Array', hardware);
  if (hardware.length > HARDWARE_ADDRESS_MAX)
    throw outOfRange(`${name}.address`, `at most ${HARDWARE_ADDRESS_MAX} bytes`, `${hardware.length} bytes`);
  const struct = Buffer.alloc(20);
  struct.writeUInt16LE(constants.AF_PACKET, 0);
  struct.writeUInt16BE(integer(`${name}.protocol`, protocol, 0, 0xffff), 2);
  struct.writeInt32LE(int32(`${name}.ifindex`, ifindex), 4);
  struct.writeUInt16LE(integer(`${name}.hatype`, hatype, 0, 0xffff), 8);
  struct[10] = integer(`${name}.pkttype`, pkttype, 0, 255);
  struct[11] = hardware.length;
  struct.set(hardware, 12);
  return struct;
}

function decodePacket(struct: Buffer): SockAddr {
  return {
    family: 'packet',
    protocol: struct.readUInt16BE(2),
    ifindex: struct.readInt32LE(4),
    hatype: struct.readUInt16LE(8),
    pkttype: struct[10] as number,
    address: Uint8Array.from(struct.subarray(12, 12 + Math.min(struct[11] as number, HARDWARE_ADDRESS_MAX))),
  };
}

export function encodeSockaddr(name: string, address: SockAddr): Buffer {
  if (typeof address !== 'object' || address === null) throw invalidType(name, 'of type object', address);
  const { family } = address;
  if (family === 'inet') {
    if (typeof address.address !== 'string' || !net().isIPv4(address.address))
      throw invalidType(`${name}.address`, 'an IPv4 address', address.address);
    const struct = Buffer.alloc(16);
    struct.writeUInt16LE(constants.AF_INET, 0);
    struct.writeUInt16BE(checkPort(name, address.port), 2);
    struct.set(address.address.split('.').map(Number), 4);
    return struct;
  }
  if (family === 'inet6') {
    if (typeof address.address !== 'string' || !net().isIPv6(address.address))
      throw invalidType(`${name}.address`, 'an IPv6 address', address.address);
    const struct = Buffer.alloc(28);
    struct.writeUInt16LE(constants.AF_INET6, 0);
    struct.writeUInt16BE(checkPort(name, address.port), 2);
    struct.writeUInt32BE((address.flowinfo ?? 0) >>> 0, 4);
    struct.set(ipv6Bytes(address.address), 8);
    struct.writeUInt32LE((address.scopeId ?? 0) >>> 0, 24);
    return struct;
  }
  if (family === 'unix') {
    const { path } = address;
    if (typeof path !== 'string' && !types.isUint8Array(path))
      throw invalidType(`${name}.path`, 'of type string or an instance of Uint8Array', path);
    const bytes = Buffer.from(path as string);
    const abstract = bytes[0] === 0;
    const room = abstract ? UNIX_PATH_MAX : UNIX_PATH_MAX - 1;
    if (bytes.length > room)
      throw outOfRange(`${name}.path`, `at most ${room} bytes`, `${bytes.length} bytes`);
    const end = bytes.length === 0 || abstract ? [] : [Buffer.alloc(1)];
    const head = Buffer.alloc(2);
    head.writeUInt16LE(constants.AF_UNIX, 0);
    return Buffer.concat([head, bytes, ...end]);
  }
  if (family === 'netlink') {
    const struct = Buffer.alloc(12);
    struct.writeUInt16LE(constants.AF_NETLINK, 0);
    struct.writeUInt32LE(uint32(`${name}.pid`, address.pid), 4);
    struct.writeUInt32LE(uint32(`${name}.groups`, address.groups), 8);
    return struct;
  }
  if (family === 'vsock') {
    const struct = Buffer.alloc(16);
    struct.writeUInt16LE(constants.AF_VSOCK, 0);
    struct.writeUInt32LE(uint32(`${name}.port`, address.port), 4);
    struct.writeUInt32LE(uint32(`${name}.cid`, address.cid), 8);
    return struct;
  }
  if (family === 'packet') return encodePacket(name, address);
  if (typeof family !== 'number')
    throw invalidType(
      `${name}.family`,
      "'inet', 'inet6', 'unix', 'netlink', 'vsock', 'packet' or a number",
      family,
    );
  const { data } = address as { data: Uint8Array };
  if (!types.isUint8Array(data)) throw invalidType(`${name}.data`, 'an instance of Uint8Array', data);
  const head = Buffer.alloc(2);
  head.writeUInt16LE(family & 0xffff, 0);
  return Buffer.concat([head, data]);
}

/** undefined where the kernel has written no address. */
export function decodeSockaddr(struct: Buffer, socklen: Buffer): SockAddr | undefined {
  const length = Math.max(0, Math.min(socklen.readInt32LE(0), struct.length));
  if (length < 2) return undefined;
  const family = struct.readUInt16LE(0);
  if (family === constants.AF_INET && length >= 16)
    return {
      family: 'inet',
      address: struct.subarray(4, 8).join('.'),
      port: struct.readUInt16BE(2),
    };
  if (family === constants.AF_INET6 && length >= 28) {
    return {
      family: 'inet6',
      address: ipv6Text(struct.subarray(8, 24)),
      port: struct.readUInt16BE(2),
      flowinfo: struct.readUInt32BE(4),
      scopeId: struct.readUInt32LE(24),
    };
  }
  if (family === constants.AF_NETLINK && length >= 12)
    return { family: 'netlink', pid: struct.readUInt32LE(4), groups: struct.readUInt32LE(8) };
  if (family === constants.AF_VSOCK && length >= 16)
    return { family: 'vsock', cid: struct.readUInt32LE(8), port: struct.readUInt32LE(4) };
  if (family === constants.AF_PACKET && length >= 20) return decodePacket(struct);
  if (family === constants.AF_UNIX) {
    let path = struct.subarray(2, length);
    if (path[0] !== 0) {
      const nul = path.indexOf(0);
      if (nul >= 0) path = path.subarray(0, nul);
    }
    const text = path.toString();
    return { family: 'unix', path: Buffer.from(text).equals(path) ? text : Uint8Array.from(path) };
  }
  return { family, data: Uint8Array.from(struct.subarray(2, length)) };
}
