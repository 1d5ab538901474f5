/** datagram.ts: UDP, in blocking style. */
import { isIP } from 'node:net';
import { curthread, type WaitOptions } from '@libcr/core';
import {
  CodedError,
  inspectAsString,
  invalidType,
  outOfRange,
  thread0,
  wouldBlock,
} from '@libcr/core/internal';
import type { Received, SockAddr } from '../../codec/index.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import { within } from '../deadline.ts';
import { giveWay } from '../streams/turn.ts';
import { Usage } from '../usage.ts';
import { checkPort, describe, type IpAddress, ipSockaddr, placeOf } from './address.ts';
import { addressesOf } from './lookup.ts';
import { domainOf, withSocket } from './socket.ts';
import { onSocket } from './socket-error.ts';

const { MSG_TRUNC, SOCK_DGRAM, SOL_SOCKET, SO_BROADCAST, SO_REUSEADDR, SO_REUSEPORT } = constants;
/** The largest UDP datagram over IP. */
const SIZE = 65_535;

export interface DatagramOptions {
  /** 0, or none: any free one. */
  port?: number | undefined;
  /** Name or address to receive at; '0.0.0.0', all of IPv4, if absent. */
  host?: string | undefined;
  /** Several sockets may have the address. (SO_REUSEADDR, as node:dgram's reuseAddr) */
  reuseAddr?: boolean | undefined;
  /** Several sockets share the port, and the kernel deals the datagrams out. (SO_REUSEPORT) */
  reusePort?: boolean | undefined;
  /** May send to broadcast addresses. (SO_BROADCAST) */
  broadcast?: boolean | undefined;
}

/** A datagram that has been received. */
export interface Datagram {
  data: Buffer;
  /** The sender. */
  from: IpAddress;
  /** The datagram was longer than what there was room for: the rest is lost. */
  truncated: boolean;
}

export class DatagramSocket {
  /** The descriptor; not to be used after close(). */
  readonly fd: number;
  private readonly family: 4 | 6;
  private readonly usage: Usage;

  /** @internal fd is its own from now on. */
  constructor(fd: number, family: 4 | 6) {
    this.fd = fd;
    this.family = family;
    this.usage = new Usage(
      () => new CodedError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'the socket is closed'),
      () => sys.close(fd),
    );
  }

  get closed(): boolean {
    return this.usage.over;
  }

  /** Where it receives. */
  address(): IpAddress {
    this.usage.check();
    return describe(onSocket('getsockname', undefined, () => sys.getsockname(this.fd))) as IpAddress;
  }

  /** Sends one datagram. Blocks while the kernel has no room, and to look up a host's name. Throws as node:dgram: "send EMSGSIZE …". (sendto(2)) */
  send(data: string | Uint8Array, port: number, host = 'localhost', options?: WaitOptions): void {
    checkPort('port', port);
    this.call('send()', options, () => {
      const [address] = isIP(host) !== 0 ? [host] : addressesOf(host, this.family);
      const to = ipSockaddr(address as string, port);
      onSocket('send', placeOf(to), () => sys.sendto(this.fd, data, 0, to));
    });
  }

  /** The next datagram, of which up to size bytes (65,535 if absent) are kept. Blocks; several userthreads may receive. (recvfrom(2)) */
  receive(size: number = SIZE, options?: WaitOptions): Datagram {
    if (typeof size !== 'number') throw invalidType('size', 'of type number', size);
    if (!Number.isInteger(size) || size < 1) throw outOfRange('size', 'an integer >= 1', size);
    return this.call('receive()', options, () => {
      const buffer = Buffer.allocUnsafeSlow(size);
      const { length, address }: Received = onSocket('recv', undefined, () =>
        sys.recvfrom(this.fd, buffer, MSG_TRUNC),
      );
      const data = Buffer.from(buffer.subarray(0, Math.min(length, size)));
      return { data, from: describe(address) as IpAddress, truncated: length > size };
    });
  }

  /** The datagrams, for `for … of`, until the socket is closed. Each step blocks as receive(). */
  *[Symbol.iterator](): Generator<Datagram, void, void> {
    while (!this.closed) {
      let datagram: Datagram;
      try {
        datagram = this.receive();
      } catch (error) {
        if (this.closed && (error as NodeJS.ErrnoException).code === 'ERR_SOCKET_DGRAM_NOT_RUNNING') return;
        throw error;
      }
      yield datagram;
    }
  }

  /** Userthreads that send or receive throw ERR_SOCKET_DGRAM_NOT_RUNNING, loops end. Does not block; harmless when it is closed. */
  close(): void {
    this.usage.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  toString(): string {
    return `DatagramSocket ${this.closed ? 'closed' : `${this.address().address}:${this.address().port}`}`;
  }

  private call<R>(what: string, options: WaitOptions | undefined, call: () => R): R {
    return within(options, what, () => {
      if (curthread() === thread0) throw wouldBlock(what);
      giveWay();
      return this.usage.use(call);
    });
  }
}

inspectAsString(DatagramSocket);

/** A UDP socket. Blocks only to look up a host's name. Throws node:dgram's errors: "bind EADDRINUSE 127.0.0.1:53". (udp(7)) */
export function datagram(options: DatagramOptions = {}): DatagramSocket {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { port = 0, host = '0.0.0.0', reuseAddr = false, reusePort = false, broadcast = false } = options;
  checkPort('options.port', port);
  const own: SockAddr = ipSockaddr(addressesOf(host)[0] as string, port);
  const place = placeOf(own);
  return withSocket('bind', place, domainOf(own), SOCK_DGRAM, (fd) =>
    onSocket('bind', place, () => {
      if (reuseAddr) sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (reusePort) sys.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      if (broadcast) sys.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
      sys.bind(fd, own);
      return new DatagramSocket(fd, own.family === 'inet6' ? 6 : 4);
    }),
  );
}
