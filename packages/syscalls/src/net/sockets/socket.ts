/** socket.ts: making sockets. */
import type { SockAddr } from '../../codec/index.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import type { Place } from './address.ts';
import { onSocket } from './socket-error.ts';

const { AF_INET, AF_INET6, AF_UNIX, SOCK_CLOEXEC } = constants;

/** The domain of sockets for an address. */
export function domainOf({ family }: SockAddr): number {
  return family === 'unix' ? AF_UNIX : family === 'inet6' ? AF_INET6 : AF_INET;
}

/** Makes a socket and uses it; it is closed again where that fails. The failure to make one is reported as syscall's. */
export function withSocket<R>(
  syscall: string,
  place: Place | undefined,
  domain: number,
  type: number,
  use: (fd: number) => R,
): R {
  const fd = onSocket(syscall, place, () => sys.socket(domain, type | SOCK_CLOEXEC));
  try {
    return use(fd);
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}
