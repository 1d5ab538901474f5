/** listener.ts: accepting connections, in blocking style. What becomes of them is serve.ts' affair, or the caller's. */
import { isIP } from 'node:net';
import { curthread, type WaitOptions } from '@libcr/core';
import {
  CodedError,
  inspectAsString,
  invalidType,
  invalidValue,
  outOfRange,
  thread0,
  wouldBlock,
} from '@libcr/core/internal';
import type { Accepted, SockAddr } from '../../codec/index.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import { within } from '../deadline.ts';
import { giveWay } from '../streams/turn.ts';
import { Usage } from '../usage.ts';
import { describe, type IpAddress, ipSockaddr, placeOf, type Where, whereOf } from './address.ts';
import { Conn, type ConnOptions } from './conn.ts';
import { addressesOf } from './lookup.ts';
import { type Handler, type ServeOptions, serve } from './serve.ts';
import { domainOf, withSocket } from './socket.ts';
import { onSocket, socketError } from './socket-error.ts';

const { IPPROTO_IPV6, IPV6_V6ONLY, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, SO_REUSEPORT } =
  constants;
const BACKLOG = 511;
const BACKLOG_MAX = 2 ** 31 - 1;
const ANY: SockAddr = { family: 'inet6', address: '::', port: 0 };

/** The connection has failed before it was accepted: the next one may be good. (accept(2)) */
const FAILED_EARLIER: ReadonlySet<unknown> = new Set(['ECONNABORTED', 'EPROTO']);

/** port 0, or none, is any free one; host is all addresses if absent: '::', which is IPv4 too, or '0.0.0.0' where there is no IPv6. */
export interface ListenOptions extends Where, ConnOptions {
  /** How many connections wait to be accepted, at most; 511 if absent. (listen(2)) */
  backlog?: number | undefined;
  /** Several listeners, of this program and others, share the port, and the kernel deals the connections out. (SO_REUSEPORT, socket(7)) */
  reusePort?: boolean | undefined;
  /** '::' is IPv6 only. (IPV6_V6ONLY, ipv6(7)) */
  ipv6Only?: boolean | undefined;
}

export class Listener {
  /** The descriptor; not to be used after close(). */
  readonly fd: number;
  private readonly own: SockAddr | undefined;
  private readonly options: ConnOptions;
  private readonly usage: Usage;

  /** @internal fd is its own from now on. */
  constructor(fd: number, options: ConnOptions) {
    this.fd = fd;
    this.options = options;
    this.own = onSocket('getsockname', undefined, () => sys.getsockname(fd));
    this.usage = new Usage(
      () => new CodedError('ERR_SERVER_NOT_RUNNING', 'the listener is closed'),
      () => this.release(),
    );
  }

  /** Whether close() has been called. */
  get closed(): boolean {
    return this.usage.over;
  }

  /** Where it listens, as node:net's: an object, or a path. */
  address(): IpAddress | string | undefined {
    return describe(this.own);
  }

  /**
   * The next connection. Blocks the running userthread; several may accept, each connection is one's. Throws ERR_SERVER_NOT_RUNNING when the
   * listener is or has been closed; "accept EMFILE" (ENFILE, ENOBUFS, ENOMEM) where there is no descriptor or memory: the connection is still
   * waiting then, and another accept() may get it; AbortError, TimeoutError; ERR_LWKT_WOULD_BLOCK on thread0. (accept(2))
   */
  accept(options?: WaitOptions): Conn {
    return within(options, 'accept()', () => {
      if (curthread() === thread0) throw wouldBlock('accept()');
      giveWay();
      return this.usage.use(() => {
        for (;;) {
          const accepted = this.acceptOnce();
          if (accepted !== undefined) return this.connOf(accepted);
        }
      });
    });
  }

  /** The connections, for `for … of`, until the listener is closed. Each step blocks and throws as accept(); leaving the loop closes nothing. */
  *[Symbol.iterator](): Generator<Conn, void, void> {
    while (!this.closed) {
      let conn: Conn;
      try {
        conn = this.accept();
      } catch (error) {
        if (this.closed && (error as NodeJS.ErrnoException).code === 'ERR_SERVER_NOT_RUNNING') return;
        throw error;
      }
      yield conn;
    }
  }

  /**
   * Accepts connections and runs handler(conn) for each, on a userthread of its own, after which the connection is closed. Blocks until the
   * listener has been closed and all handlers have returned. What fails is serve's options' affair. Throws AbortError; handlers go on then.
   */
  serve(handler: Handler, options?: ServeOptions): void {
    serve(this, handler, options);
  }

  /**
   * Userthreads in accept() throw, loops and serve() end; when the last has, or at once, the socket is closed, and a local one's path removed.
   * Does not block; harmless when it is closed.
   */
  close(): void {
    this.usage.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  toString(): string {
    const own = this.address();
    const shown = typeof own === 'object' ? `${own.address}:${own.port}` : own;
    return `Listener ${shown} ${this.closed ? 'closed' : 'open'}`;
  }

  private release(): void {
    sys.close(this.fd);
    const path = describe(this.own);
    if (typeof path !== 'string' || path === '' || path.startsWith('\0')) return;
    try {
      sys.unlink(path);
    } catch {
      // somebody has removed it already
    }
  }

  /** undefined: that connection has failed. */
  private acceptOnce(): Accepted | undefined {
    try {
      return sys.accept4(this.fd, SOCK_CLOEXEC);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') sys.poll([{ fd: this.fd, events: constants.POLLIN }]);
      else if (!FAILED_EARLIER.has(code)) throw socketError(error, 'accept');
      return undefined;
    }
  }

  private connOf({ fd, address }: Accepted): Conn {
    try {
      return new Conn(fd, address, this.options);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  }
}

inspectAsString(Listener);

function open(own: SockAddr, options: ListenOptions): Listener {
  const { backlog = BACKLOG, reusePort = false, ipv6Only = false } = options;
  const place = own.family === 'unix' ? { address: String(own.path), port: -1 } : placeOf(own); // -1: node:net's
  return withSocket('listen', place, domainOf(own), SOCK_STREAM, (fd) =>
    onSocket('listen', place, () => {
      if (own.family !== 'unix') sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (own.family !== 'unix' && reusePort) sys.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      if (own.family === 'inet6') sys.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
      sys.bind(fd, own);
      sys.listen(fd, backlog);
      return new Listener(fd, options);
    }),
  );
}

/**
 * Listens at "tcp://host:port", "unix:/path", or where the options say. Blocks only to look up a host's name. Throws node:net's errors: "listen
 * EADDRINUSE: address already in use 127.0.0.1:80", with code, errno, syscall, address and port. (socket(2), bind(2), listen(2))
 */
export function listen(options: ListenOptions | string): Listener {
  const given = whereOf<ListenOptions>(options);
  const { path, host, port = 0, backlog = BACKLOG, ipv6Only = false } = given;
  if (typeof backlog !== 'number') throw invalidType('options.backlog', 'of type number', backlog);
  if (!Number.isInteger(backlog) || backlog < 0 || backlog > BACKLOG_MAX)
    throw outOfRange('options.backlog', `an integer >= 0 and <= ${BACKLOG_MAX}`, backlog);
  if (path !== undefined) return open({ family: 'unix', path }, given);
  if (host !== undefined) {
    const [address] = addressesOf(host);
    if (address === undefined || isIP(address) === 0) throw invalidValue(`"${host}" has no address`);
    return open(ipSockaddr(address, port), given);
  }
  try {
    return open({ ...ANY, port } as SockAddr, given);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (ipv6Only || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
    return open(ipSockaddr('0.0.0.0', port), given);
  }
}
