/** address.ts: where a socket is, as node:net says it, and as the kernel's struct sockaddr needs it. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import type { SockAddr } from '../../codec/index.ts';

/** An address in an error's text: an IP address and a port, or a path. */
export interface Place {
  address: string;
  port?: number | undefined;
}

/** What server.address() of node:net has for an IP socket. */
export interface IpAddress {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** Where something is, in options: port and host, or the path of a local socket. */
export interface Where {
  port?: number | undefined;
  /** A name or an IP address. */
  host?: string | undefined;
  /** A local (unix) socket. One that begins with NUL is in the abstract namespace. */
  path?: string | undefined;
}

export function checkPort(name: string, port: unknown): number {
  if (typeof port !== 'number') throw invalidType(name, 'of type number', port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw outOfRange(name, 'an integer >= 0 and <= 65535', port);
  return port;
}

/** Options that may be a URL: tcp://host:port or unix:/path. */
export function whereOf<O extends Where>(options: O | string): O {
  if (typeof options === 'object' && options !== null) return checkWhere(options);
  if (typeof options !== 'string') throw invalidType('options', 'of type object or string', options);
  const url = URL.canParse(options) ? new URL(options) : undefined;
  if (url?.protocol === 'unix:' && url.host === '' && url.pathname !== '')
    return { path: decodeURIComponent(url.pathname) } as O;
  if (url?.protocol === 'tcp:' && url.port !== '' && (url.pathname === '' || url.pathname === '/'))
    return {
      host: decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1')),
      port: Number(url.port),
    } as O;
  throw invalidValue(`"${options}" is neither "tcp://host:port" nor "unix:/path"`);
}

function checkWhere<O extends Where>(options: O): O {
  const { port, host, path } = options;
  if (path !== undefined && typeof path !== 'string')
    throw invalidType('options.path', 'of type string', path);
  if (host !== undefined && typeof host !== 'string')
    throw invalidType('options.host', 'of type string', host);
  if (path !== undefined && (port !== undefined || host !== undefined))
    throw invalidValue('options.path is for local sockets: there is no host and no port then');
  if (port !== undefined) checkPort('options.port', port);
  return options;
}

/** The number of a network interface, as in fe80::1%eth0. */
function scopeOf(address: string): number {
  const zone = address.split('%')[1];
  if (zone === undefined) return 0;
  const known = networkInterfaces()[zone]?.find((entry) => entry.family === 'IPv6')?.scopeid;
  const number = known || Number(zone);
  if (!Number.isInteger(number)) throw invalidValue(`"${address}": there is no network interface "${zone}"`);
  return number;
}

/** address: an IP address. */
export function ipSockaddr(address: string, port: number): SockAddr {
  return isIP(address) === 6
    ? { family: 'inet6', address, port, scopeId: scopeOf(address) }
    : { family: 'inet', address, port };
}

/** As node:net says it: an object, or a path ('' for an unnamed local socket); undefined where there is none. */
export function describe(sockaddr: SockAddr | undefined): IpAddress | string | undefined {
  if (sockaddr === undefined) return undefined;
  const { family } = sockaddr;
  if (family === 'inet') return { address: sockaddr.address, family: 'IPv4', port: sockaddr.port };
  if (family === 'inet6') {
    const zone = sockaddr.scopeId ? `%${interfaceName(sockaddr.scopeId)}` : '';
    return { address: `${sockaddr.address}${zone}`, family: 'IPv6', port: sockaddr.port };
  }
  if (family === 'unix')
    return typeof sockaddr.path === 'string' ? sockaddr.path : Buffer.from(sockaddr.path).toString();
  return undefined;
}

function interfaceName(scopeId: number): string {
  for (const [name, entries] of Object.entries(networkInterfaces()))
    if (entries?.some((entry) => entry.family === 'IPv6' && entry.scopeid === scopeId)) return name;
  return String(scopeId);
}

/** For errors. */
export function placeOf(sockaddr: SockAddr | undefined): Place | undefined {
  const where = describe(sockaddr);
  return typeof where === 'string' ? { address: where } : where;
}
