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
import { GLOB_OPTIONS } from '../match.ts';
import type { Place } from './addresses.ts';

type Test = (place: Place) => boolean;

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
  return ({ socket }) => socket !== undefined && fits(socket);
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
  return ({ host: ip, port }) => ip !== undefined && isHost(ip) && isPort(port);
}

/** Reads a rule's addresses: one of them has to fit. Throws TypeError. */
export function addressTest(name: string, addresses: string | readonly string[]): Test {
  const list = Array.isArray(addresses) ? addresses : [addresses];
  const tests = list.map((text, i) => testOf(Array.isArray(addresses) ? `${name}[${i}]` : name, text));
  return (place) => tests.some((test) => test(place));
}
