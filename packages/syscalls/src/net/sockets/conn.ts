/** conn.ts: a connection: a stream over a connected socket, with addresses and a socket's options. */
import { inspectAsString, invalidType, outOfRange } from '@libcr/core/internal';
import type { SockAddr } from '../../codec/index.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import { FdChannel } from '../streams/fd-channel.ts';
import { Stream } from '../streams/stream.ts';
import { describe, type IpAddress } from './address.ts';
import { onSocket } from './socket-error.ts';

const { IPPROTO_TCP, SOL_SOCKET, SO_KEEPALIVE, TCP_NODELAY } = constants;
const TCP_KEEPIDLE = 4;

/** The options that a connection's socket begins with. */
export interface ConnOptions {
  /** Sends small writes at once (TCP_NODELAY). true if absent, as in Go; node:net's default is false. */
  noDelay?: boolean | undefined;
  /** Probes a peer that is silent for so many milliseconds (1,000 to 32,767,000), or true: for as long as the system says. */
  keepAlive?: boolean | number | undefined;
}

export class Conn extends Stream {
  /** The descriptor; not to be used after close(). */
  readonly fd: number;
  private readonly peer: SockAddr | undefined;
  private own: IpAddress | string | undefined;

  /** @internal fd is its own from now on. */
  constructor(
    fd: number,
    peer: SockAddr | undefined,
    { noDelay = true, keepAlive = false }: ConnOptions = {},
  ) {
    super(new FdChannel(fd, true));
    this.fd = fd;
    this.peer = peer;
    if (peer?.family === 'unix') return;
    if (noDelay) this.setNoDelay();
    if (keepAlive !== false) this.setKeepAlive(keepAlive);
  }

  /** Its own end, as node:net's address(): an object, or the path of a local socket ('' if it has none). Throws ERR_STREAM_DESTROYED where it is asked for only after close(). */
  address(): IpAddress | string | undefined {
    if (this.own !== undefined) return this.own;
    this.checkOpen();
    this.own = describe(onSocket('getsockname', undefined, () => sys.getsockname(this.fd)));
    return this.own;
  }

  /** Its own IP address, or path. */
  get localAddress(): string | undefined {
    const own = this.address();
    return typeof own === 'string' ? own : own?.address;
  }

  get localPort(): number | undefined {
    const own = this.address();
    return typeof own === 'object' ? own.port : undefined;
  }

  /** The peer's IP address, or path ('' for an unnamed socket). */
  get remoteAddress(): string | undefined {
    const peer = describe(this.peer);
    return typeof peer === 'string' ? peer : peer?.address;
  }

  get remotePort(): number | undefined {
    const peer = describe(this.peer);
    return typeof peer === 'object' ? peer.port : undefined;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const peer = describe(this.peer);
    return typeof peer === 'object' ? peer.family : undefined;
  }

  /** Whether small writes are sent at once. (TCP_NODELAY, tcp(7)) */
  setNoDelay(on = true): void {
    this.setOption(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  /** Whether a silent peer is probed, and after how many milliseconds (in whole seconds, 1 at least). (SO_KEEPALIVE, tcp(7)) */
  setKeepAlive(on: boolean | number = true): void {
    if (typeof on !== 'boolean' && typeof on !== 'number')
      throw invalidType('on', 'of type boolean or number', on);
    if (typeof on === 'number') {
      if (!(on >= 1000 && on <= 32_767_000)) throw outOfRange('on', '>= 1000 and <= 32767000', on);
      this.setOption(IPPROTO_TCP, TCP_KEEPIDLE, Math.round(on / 1000));
    }
    this.setOption(SOL_SOCKET, SO_KEEPALIVE, on === false ? 0 : 1);
  }

  override toString(): string {
    const shown =
      this.remotePort === undefined ? this.remoteAddress : `${this.remoteAddress}:${this.remotePort}`;
    return `Conn ${shown || 'unnamed'} ${this.closed ? 'closed' : 'open'}`;
  }

  private setOption(level: number, name: number, value: number): void {
    this.checkOpen();
    onSocket('setsockopt', undefined, () => sys.setsockopt(this.fd, level, name, value));
  }
}

inspectAsString(Conn);
