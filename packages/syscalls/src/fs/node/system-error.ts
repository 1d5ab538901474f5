/**
 * system-error.ts: the errors with which node:fs refuses what the kernel would do, or could not do as asked: Node's class SystemError, which nobody else
 * can make instances of, by its name, keys and text.
 *
 * Not here: the kernel's own errors (../failure.ts).
 */
import { coded } from '@libcr/core/internal';
import { constants as c } from '../../generated/constants.ts';

/** What such an error says in words, and which errno it would be. */
export interface Refusal {
  /** Node's code: "ERR_FS_EISDIR". */
  code: string;
  /** What is wrong in general, as each error of the code begins. */
  summary: string;
  errno: 'EEXIST' | 'EINVAL' | 'EISDIR' | 'ENOTDIR';
  /** What is wrong in this case. */
  message: string;
  path: string;
}

/** syscall: the function of node:fs that refuses, as "cp" or "rm". */
export function systemError(syscall: string, { code, summary, errno, message, path }: Refusal): Error {
  const error = new Error(`${summary}: ${syscall} returned ${errno} (${message}) ${path}`);
  Object.defineProperty(error, 'name', { value: 'SystemError', configurable: true, writable: true });
  return Object.assign(coded(error, code), {
    info: { message, path, syscall, errno: c[errno], code: errno },
    errno: c[errno],
    syscall,
    path,
  });
}
