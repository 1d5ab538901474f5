/**
 * address.ts: which addresses a rule is about, as text: networks, ports, and paths of unix sockets.
 *
 *   10.0.0.0/8   192.168.1.7   2001:db8::/32   ::1        an address, or those of a network (CIDR)
 *   10.0.0.0/8:80   [::1]:443   :25   :1024-65535         with a port, or ports from one to another; any address
 *   /run/*.sock   @abstract                               unix sockets: a glob of absolute paths, or of abstract names
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { invalidType, invalidValue } from '@libcr/core/internal';
import picomatch from 'picomatch';
import { decodeSockaddr, type SockAddr } from '../../codec/sockaddr.ts';
import { rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { GLOB_OPTIONS } from '../match.ts';
import { absolutePath } from '../paths.ts';

type Test = (address: SockAddr) => boolean;

/** [::1]:443, 10.0.0.0/8:80-90, :25, ::1, 10.0.0.1: host and ports. */
const FORM =
  /^(?:\[([^\]]*)\]|((?:\d+\.){3}\d+(?:\/\d+)?)|([^[\]]*:[^[\]]*:[^[\]]*))?(?::(\d+)(?:-(\d+))?)?$/;
const PORT_MAX = 65535;

function hostTest(name: string, host: string): (ip: string) => boolean {
  const [address = '', prefix, ...more] = host.split('/');
  const version = isIP(address);
  const bits = prefix === undefined ? undefined : Number(prefix);
  if (version === 0 || more.length > 0 || (bits !== undefined && !/^\d+$/.test(prefix as string)))
    throw invalidValue(`${name}: "${host}" is no address and no network`);
  const list = new BlockList();
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, family);
  else if (bits <= (version === 4 ? 32 : 128)) list.addSubnet(address, bits, family);
  else throw invalidValue(`${name}: "${host}" has a prefix of more bits than an address has`);
  // An IPv4 address in IPv6 (::ffff:10.0.0.1) is in the IPv4 network.
  return (ip) => (isIPv4(ip) ? version === 4 && list.check(ip) : isIPv6(ip) && list.check(ip, 'ipv6'));
}

function portTest(name: string, from: string, to: string): (port: number) => boolean {
  const [first, last] = [Number(from), Number(to)];
  if (first > last || last > PORT_MAX)
    throw invalidValue(`${name}: there are no ports from ${from} to ${to}`);
  return (port) => port >= first && port <= last;
}

function unixTest(text: string): Test {
  const fits = picomatch(text, GLOB_OPTIONS);
  return ({ family, ...rest }) => {
    if (family !== 'unix') return false;
    const { path } = rest as { path: string | Uint8Array };
    const shown = typeof path === 'string' ? path : Buffer.from(path).toString();
    if (shown === '') return false;
    const name = shown.startsWith('\0') ? `@${shown.slice(1)}` : absolutePath(shown);
    return name !== undefined && fits(name);
  };
}

function testOf(name: string, text: unknown): Test {
  if (typeof text !== 'string') throw invalidType(name, 'of type string', text);
  if (text.startsWith('/') || text.startsWith('@')) return unixTest(text);
  const match = FORM.exec(text);
  if (match === null || text === '')
    throw invalidValue(`${name}: "${text}" is no address, network, port, or path of a unix socket`);
  const [, bracketed, ipv4, ipv6, from, to = from] = match;
  const host = bracketed ?? ipv4 ?? ipv6;
  const isHost = host === undefined ? () => true : hostTest(name, host);
  const isPort = from === undefined ? () => true : portTest(name, from, to as string);
  return (address) =>
    (address.family === 'inet' || address.family === 'inet6') &&
    isHost(address.address.replace(/%.*/, '')) &&
    isPort(address.port);
}

/** Reads a rule's addresses: one of them has to fit. Throws TypeError. */
export function addressTest(name: string, addresses: string | readonly string[]): Test {
  const list = Array.isArray(addresses) ? addresses : [addresses];
  const tests = list.map((text, i) => testOf(Array.isArray(addresses) ? `${name}[${i}]` : name, text));
  return (address) => tests.some((test) => test(address));
}

/** Whether a call can have an address that it names itself. */
export function hasAddress(number: number): boolean {
  const row = rowOf(number);
  if (row === undefined) return false;
  const given = ['connect', 'bind', 'sendto'].includes(row.name);
  return given || ['sendmsg', 'sendmmsg'].includes(row.name);
}

function decode(value: unknown): SockAddr | undefined {
  if (!ArrayBuffer.isView(value) || value.byteLength === 0) return undefined;
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.byteLength);
  return decodeSockaddr(Buffer.from(value.buffer, value.byteOffset, value.byteLength), length);
}

/** The addresses that a call names: where it connects, binds or sends to. Those that it is answered are not looked at. */
export function addressesOf(msg: SysMsg): SockAddr[] {
  const row = rowOf(msg.number);
  const i = row?.args.findIndex(({ format }) => /^(sockaddr|message)/.test(format)) ?? -1;
  const value = msg.args[i];
  const messages = row?.name === 'sendmmsg' && Array.isArray(value) ? value : [value];
  return messages
    .map((each) => decode(Array.isArray(each) ? each[0] : each))
    .filter((address) => address !== undefined);
}
