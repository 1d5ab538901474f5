/** dial.ts: connecting, in blocking style. Which of several addresses it is going to be is race.ts' affair. */
import { isIP } from 'node:net';
import { curthread, type WaitOptions } from '@libcr/core';
import { checkMilliseconds, invalidValue, thread0, wouldBlock } from '@libcr/core/internal';
import type { SockAddr } from '../../codec/index.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import { within } from '../deadline.ts';
import { giveWay } from '../streams/turn.ts';
import { checkPort, ipSockaddr, placeOf, type Where, whereOf } from './address.ts';
import { Conn, type ConnOptions } from './conn.ts';
import { addressesOf } from './lookup.ts';
import { race } from './race.ts';
import { domainOf, withSocket } from './socket.ts';
import { onSocket } from './socket-error.ts';

const { SOCK_STREAM } = constants;
const ATTEMPT_DELAY = 250;

/** host is 'localhost' if absent. timeout (milliseconds) and signal are for all of it, the lookup of the name included. */
export interface DialOptions extends Where, WaitOptions, ConnOptions {
  /** An IP address of this machine to connect from. */
  localAddress?: string | undefined;
  localPort?: number | undefined;
  /** Only addresses of this family: 4 or 6. 0 (default): both. */
  family?: 0 | 4 | 6 | undefined;
  /** Milliseconds after which the next address is tried beside those that have not answered; 250 if absent. */
  attemptDelay?: number | undefined;
}

/** One address. Blocks. */
function connect(peer: SockAddr, options: DialOptions): Conn {
  const place = placeOf(peer);
  const { localAddress, localPort = 0 } = options;
  return withSocket('connect', place, domainOf(peer), SOCK_STREAM, (fd) => {
    if (localAddress !== undefined || localPort !== 0) {
      const own = ipSockaddr(localAddress ?? (peer.family === 'inet6' ? '::' : '0.0.0.0'), localPort);
      onSocket('bind', placeOf(own), () => sys.bind(fd, own));
    }
    onSocket('connect', place, () => sys.connect(fd, peer));
    return new Conn(fd, peer, options);
  });
}

/**
 * Connects to "tcp://host:port", "unix:/path", or what the options say, and answers the connection. Blocks the running userthread; throws
 * ERR_LWKT_WOULD_BLOCK on thread0. All addresses of the host are tried in order, the next one when one fails or has not answered
 * for attemptDelay; the first that answers is it. Throws node:net's errors ("connect ECONNREFUSED 127.0.0.1:80"), for several addresses an
 * AggregateError with the code of the first; Node's of getaddrinfo; AbortError, TimeoutError. (connect(2), RFC 8305, Go's net.Dial)
 */
export function dial(options: DialOptions | string): Conn {
  const given = whereOf<DialOptions>(options);
  const { path, host = 'localhost', port, localAddress, localPort, attemptDelay = ATTEMPT_DELAY } = given;
  const family = given.family ?? (isIP(localAddress ?? '') as 0 | 4 | 6);
  if (path === undefined) checkPort('options.port', port);
  if (localPort !== undefined) checkPort('options.localPort', localPort);
  if (localAddress !== undefined && isIP(localAddress) === 0)
    throw invalidValue(`options.localAddress must be an IP address. Received ${String(localAddress)}`);
  checkMilliseconds('options.attemptDelay', attemptDelay);
  if (curthread() === thread0) throw wouldBlock('dial()');
  giveWay();
  return within(
    given.timeout === undefined && given.signal === undefined ? undefined : given,
    'dial()',
    () => {
      if (path !== undefined) return connect({ family: 'unix', path }, given);
      const peers = addressesOf(host, family).map((address) => ipSockaddr(address, port as number));
      const [first] = peers;
      if (first !== undefined && peers.length === 1) return connect(first, given);
      const attempts = peers.map((peer) => () => connect(peer, given));
      return race(attempts, attemptDelay, (conn) => conn.close());
    },
  );
}
