/** failure.ts: a reply below 0 as an Error, with exactly the keys, order and text of Node's own system errors. */

import { fileURLToPath } from 'node:url';
import { getSystemErrorMap, types } from 'node:util';
import { isUrl } from '@libcr/core/internal';
import { errnos, refusals } from './generated/rows.ts';

/** A system call's error. */
export interface SyscallError extends Error {
  /** Negative, as in Node: -2 for ENOENT. */
  errno: number;
  /** The errno's name: "ENOENT". */
  code: string;
  /** The call: "openat". */
  syscall: string;
  path?: string;
  /** rename's and symlink's second path. */
  dest?: string;
}

let texts: Map<number, readonly [name: string, text: string]> | undefined;

/** Name and text of an errno, a positive number: libuv's where it has them, as Node shows those. */
export function describeErrno(errno: number): readonly [name: string, text: string] {
  if (texts === undefined) {
    texts = new Map();
    for (const [value, name, text] of errnos) texts.set(value, [name, text.toLowerCase()]);
    for (const [value, [name, text]] of getSystemErrorMap()) texts.set(-value, [name, text]);
  }
  return texts.get(errno) ?? [`Unknown system error -${errno}`, `Unknown system error -${errno}`];
}

function shown(path: unknown): string {
  if (types.isUint8Array(path)) return Buffer.from(path).toString();
  return isUrl(path) ? fileURLToPath(path) : String(path);
}

/** reply is -errno. */
export function failure(reply: number, syscall: string, path?: unknown, dest?: unknown): SyscallError {
  const [code, text] = describeErrno(-reply);
  let message = `${code}: ${text}, ${syscall}`;
  if (path !== undefined) message += ` '${shown(path)}'`;
  if (dest !== undefined) message += ` -> '${shown(dest)}'`;
  const { stackTraceLimit } = Error;
  if (stackTraceLimit !== 0) Error.stackTraceLimit = stackTraceLimit + 1;
  const error = new Error(message) as SyscallError;
  Error.stackTraceLimit = stackTraceLimit;
  error.errno = reply;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = shown(path);
  if (dest !== undefined) error.dest = shown(dest);
  if (stackTraceLimit !== 0) Error.captureStackTrace(error, failure);
  return error;
}

const ENOSYS = -38;

/** What sys.NAME throws for a call that the table refuses: ERR_LIBCR_REFUSED, shaped as ENOSYS is; a shim's own errno as it is. */
export function refusal(reply: number, syscall: string): SyscallError {
  const error = failure(reply, syscall);
  const entry = refusals[syscall];
  if (reply !== ENOSYS || entry === undefined) return error;
  const [reason, alternative] = entry;
  error.message = `${syscall}() is refused: ${reason} Instead: ${alternative}`;
  error.code = 'ERR_LIBCR_REFUSED';
  return error;
}
