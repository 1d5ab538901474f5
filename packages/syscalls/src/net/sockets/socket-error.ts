/** socket-error.ts: the kernel's failures in the shape that node:net gives them, key by key: where, too, and not only what. */
import { isError } from '@libcr/core/internal';
import type { SyscallError } from '../../failure.ts';
import { describeErrno } from '../../failure.ts';
import type { Place } from './address.ts';

/** An error of a socket, as node:net's own. */
export interface SocketError extends Error {
  errno: number;
  code: string;
  /** What was tried: "listen", "connect", "read", … */
  syscall: string;
  /** The IP address, or the path. */
  address?: string;
  port?: number;
}

function isSyscallError(error: unknown): error is SyscallError {
  const { errno, syscall } = error as Partial<SyscallError>;
  return isError(error) && typeof errno === 'number' && syscall !== undefined;
}

/**
 * A failure of sys.* as node:net would report it; what is none (an AbortError, say) as it is. listen's errors have the text of the errno and
 * another order of keys: so it is in Node.
 */
export function socketError(error: unknown, syscall: string, place?: Place): Error {
  if (!isSyscallError(error)) return error as Error;
  const { errno, code } = error;
  const text = syscall === 'listen' ? `: ${describeErrno(-errno)[1]}` : '';
  const port = place?.port === undefined || place.port <= 0 ? '' : `:${place.port}`;
  const at = place === undefined ? '' : ` ${place.address}${port}`;
  const made = new Error(`${syscall} ${code}${text}${at}`) as SocketError;
  Object.assign(made, syscall === 'listen' ? { code, errno, syscall } : { errno, code, syscall });
  if (place !== undefined) {
    made.address = place.address;
    if (place.port !== undefined && place.port !== 0) made.port = place.port;
  }
  const { bytesTransferred } = error as { bytesTransferred?: number };
  if (bytesTransferred !== undefined) Object.assign(made, { bytesTransferred });
  return made;
}

/** Makes a call on a socket; its failure is reported as syscall's. */
export function onSocket<R>(syscall: string, place: Place | undefined, call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw socketError(error, syscall, place);
  }
}
