/**
 * socket.ts: what only sockets' calls take: addresses, protocols, and options with their levels.
 *
 * Not here: families and types of sockets, and MSG_*, which are flags of the table (flags.ts), and how an
 * address is read (codec/sockaddr.ts).
 *
 * Invariant: a number without a name is shown as a number. Where bytes are too few for an address, the
 * decoder may throw: argument.ts catches it, and shows the bytes.
 */
import { decodeSockaddr, type SockAddr } from '../../codec/net/sockaddr.ts';
import { constants as c } from '../../generated/constants.ts';
import { flagNames } from './flags.ts';
import { ADDRESS, bytesOf, hexadecimal, quote } from './text.ts';

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'IPPROTO_IP',
  1: 'IPPROTO_ICMP',
  6: 'IPPROTO_TCP',
  17: 'IPPROTO_UDP',
  33: 'IPPROTO_DCCP',
  41: 'IPPROTO_IPV6',
  58: 'IPPROTO_ICMPV6',
  132: 'IPPROTO_SCTP',
  136: 'IPPROTO_UDPLITE',
  255: 'IPPROTO_RAW',
};
export const LEVELS: Readonly<Record<number, string>> = {
  0: 'SOL_IP',
  1: 'SOL_SOCKET',
  6: 'SOL_TCP',
  17: 'SOL_UDP',
  41: 'SOL_IPV6',
};
const SO_LINGER = 13;
/** The options of a level; the place in the array is the number. */
export const OPTIONS: Readonly<Record<number, readonly (string | undefined)[]>> = {
  0: [undefined, 'IP_TOS', 'IP_TTL', 'IP_HDRINCL', 'IP_OPTIONS'],
  1: [
    undefined,
    ...['SO_DEBUG', 'SO_REUSEADDR', 'SO_TYPE', 'SO_ERROR', 'SO_DONTROUTE', 'SO_BROADCAST', 'SO_SNDBUF'],
    ...['SO_RCVBUF', 'SO_KEEPALIVE', 'SO_OOBINLINE', 'SO_NO_CHECK', 'SO_PRIORITY', 'SO_LINGER'],
    ...['SO_BSDCOMPAT', 'SO_REUSEPORT', 'SO_PASSCRED', 'SO_PEERCRED', 'SO_RCVLOWAT', 'SO_SNDLOWAT'],
    ...['SO_RCVTIMEO_OLD', 'SO_SNDTIMEO_OLD'],
  ],
  6: [
    undefined,
    ...['TCP_NODELAY', 'TCP_MAXSEG', 'TCP_CORK', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'],
    ...['TCP_SYNCNT', 'TCP_LINGER2', 'TCP_DEFER_ACCEPT', 'TCP_WINDOW_CLAMP', 'TCP_INFO', 'TCP_QUICKACK'],
  ],
  41: [...Array<undefined>(c.IPV6_V6ONLY), 'IPV6_V6ONLY'],
};

export function protocol(family: unknown, value: number): string {
  if (family === c.AF_INET || family === c.AF_INET6) return PROTOCOLS[value] ?? String(value);
  return family === c.AF_NETLINK && value === 0 ? 'NETLINK_ROUTE' : String(value);
}

/** setsockopt's value: an int, mostly. */
export function option(args: readonly unknown[], bytes: Buffer, limit: number): string {
  if (bytes.length === 4) return `[${bytes.readInt32LE(0)}]`;
  if (args[1] === c.SOL_SOCKET && args[2] === SO_LINGER && bytes.length === 8)
    return `{l_onoff=${bytes.readInt32LE(0)}, l_linger=${bytes.readInt32LE(4)}}`;
  return quote(bytes, limit);
}

function sockaddr(address: SockAddr | undefined): string {
  if (address === undefined) return 'NULL';
  if (!('data' in address)) {
    if (address.family === 'inet')
      return `{sa_family=AF_INET, sin_port=htons(${address.port}), sin_addr=inet_addr("${address.address}")}`;
    if (address.family === 'inet6') {
      const { port, flowinfo, address: text, scopeId } = address;
      return `{sa_family=AF_INET6, sin6_port=htons(${port}), sin6_flowinfo=htonl(${flowinfo ?? 0}), inet_pton(AF_INET6, "${text}", &sin6_addr), sin6_scope_id=${scopeId ?? 0}}`;
    }
    if (address.family === 'netlink')
      return `{sa_family=AF_NETLINK, nl_pid=${address.pid}, nl_groups=${address.groups.toString(16).padStart(8, '0')}}`;
    if (address.family === 'vsock')
      return `{sa_family=AF_VSOCK, svm_cid=${hexadecimal(address.cid)}, svm_port=${hexadecimal(address.port)}}`;
    if (address.family === 'packet')
      return `{sa_family=AF_PACKET, sll_protocol=htons(${hexadecimal(address.protocol)}), sll_ifindex=${address.ifindex}, ...}`;
    const path = Buffer.from(address.path as string);
    if (path.length === 0) return '{sa_family=AF_UNIX}';
    return path[0] === 0
      ? `{sa_family=AF_UNIX, sun_path=@${quote(path.subarray(1), 108)}}`
      : `{sa_family=AF_UNIX, sun_path=${quote(path, 108)}}`;
  }
  const data = address.data.length === 0 ? '' : `, sa_data=${quote(address.data, 32)}`;
  return `{sa_family=${flagNames('family', address.family)}${data}}`;
}

const socklen = (length: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(length);
  return buffer;
};

export function sockaddrArgument(bytes: Buffer, length: unknown, failed: boolean): string {
  if (typeof length === 'number')
    return sockaddr(decodeSockaddr(bytes, socklen(Math.min(length, bytes.length))));
  if (failed || !ArrayBuffer.isView(length)) return ADDRESS;
  const address = decodeSockaddr(bytes, bytesOf(length));
  return address === undefined ? ADDRESS : sockaddr(address);
}
