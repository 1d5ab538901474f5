/**
 * addresses.ts: the addresses that a call names, as the kernel reads them: where it connects, binds or sends to.
 *
 * Not here: those that it is answered, and which a rule is about (address.ts). Invariant: only as many bytes are read as the call says there are.
 */
import { viewBytes } from '../../codec/bytes.ts';
import { decodeSockaddr } from '../../codec/net/sockaddr.ts';
import { constants as c } from '../../generated/constants.ts';
import { rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import type { Named } from '../paths/index.ts';
import { textOfBytes } from '../paths/text.ts';

/** A host and a port, or a unix socket: an absolute path, or @ and an abstract name. */
export type Place =
  | { readonly host: string; readonly port: number; readonly socket?: undefined }
  | { readonly socket: string; readonly host?: undefined; readonly port: 0 };

export interface Address {
  readonly argument: string;
  /** What it may be: more than one thing where that depends on the socket. */
  readonly written: readonly Place[];
  /** Where a link leads. */
  readonly leads?: readonly Place[] | undefined;
  readonly unknown?: string | undefined;
}

const NAMING = new Set(['connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg']);
const INET = 16;
const INET6 = 28;
/** The kernel takes one without its last word. (SIN6_LEN_RFC2133) */
const INET6_SHORT = 24;

/** Whether a call can have an address that it names itself. */
export function hasAddress(number: number): boolean {
  return NAMING.has(rowOf(number)?.name ?? '');
}

/** The address as one of a family. */
function hostOf(struct: Buffer, family: number, size: number): Place | undefined {
  const bytes = Buffer.alloc(size);
  struct.copy(bytes);
  bytes.writeUInt16LE(family, 0);
  const length = Buffer.alloc(4);
  length.writeInt32LE(size);
  const address = decodeSockaddr(bytes, length);
  return address !== undefined && 'address' in address && 'port' in address
    ? { host: address.address as string, port: address.port as number }
    : undefined;
}

function placesOf(struct: Buffer, connects: boolean): Place[] {
  if (struct.length <= 2) return [];
  const family = struct.readUInt16LE(0);
  if (family === c.AF_UNIX)
    return struct[2] === 0 ? [{ socket: `@${textOfBytes(struct.subarray(3))}`, port: 0 }] : []; // paths are pathsOf()'s
  // AF_UNSPEC is where a datagram or a name of a socket's own family goes; connect() only takes leave with it.
  const any = family === c.AF_UNSPEC && !connects;
  const inet = (family === c.AF_INET || any) && struct.length >= INET;
  const inet6 = (family === c.AF_INET6 || any) && struct.length >= INET6_SHORT;
  return [
    inet ? hostOf(struct, c.AF_INET, INET) : undefined,
    inet6 ? hostOf(struct, c.AF_INET6, INET6) : undefined,
  ].filter((place) => place !== undefined);
}

function structsOf(msg: SysMsg): Buffer[] {
  const row = rowOf(msg.number);
  const i = row?.args.findIndex(({ format }) => /^(sockaddr|message)/.test(format)) ?? -1;
  const value = msg.args[i];
  if (row?.args[i]?.format === 'sockaddr') {
    const length = msg.args[i + 1];
    return ArrayBuffer.isView(value) && typeof length === 'number'
      ? [viewBytes(value).subarray(0, Math.max(0, length))]
      : [];
  }
  const messages = row?.name === 'sendmmsg' && Array.isArray(value) ? value : [value];
  return messages
    .map((message) => (Array.isArray(message) ? message[0] : undefined))
    .filter((address) => ArrayBuffer.isView(address))
    .map((address) => viewBytes(address));
}

/** paths: those of the message. */
export function addressesOf(msg: SysMsg, paths: readonly Named[]): Address[] {
  if (!hasAddress(msg.number)) return [];
  const argument = 'address';
  const place = (socket: string | undefined): Place[] => (socket === undefined ? [] : [{ socket, port: 0 }]);
  const sockets = paths.map(({ written, leads, unknown }) => ({
    argument,
    written: place(written),
    leads: leads === undefined ? undefined : place(leads),
    unknown,
  }));
  const connects = rowOf(msg.number)?.name === 'connect';
  const others = structsOf(msg)
    .map((struct) => ({ argument, written: placesOf(struct, connects) }))
    .filter(({ written }) => written.length > 0);
  return [...sockets, ...others];
}
