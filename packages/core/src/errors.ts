/**
 * errors.ts: the errors this package throws, with their codes. Those of system calls are not made here (@libcr/syscalls).
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | ERR_LIBCR_NATIVE | Error | the native half is missing or does not fit |
 * | ERR_LWKT_WOULD_BLOCK | Error | thread0 (the event loop) would have to wait |
 * | ERR_LWKT_DEADLOCK | Error | a wait that could never end: joining oneself, a message to one's own port |
 * | ERR_LWKT_ASYNC_SCOPE | Error | a wait inside a nested AsyncResource scope (Node 24 and later) |
 * | ERR_LWKT_NO_STACK | Error | the system refused a stack for a userthread |
 * | ERR_LWKT_NOT_OWNER | Error | taking from, or waiting on, another userthread's port |
 * | ERR_LWKT_MSG_BUSY | Error | a message that is under way was sent again |
 * | ERR_LWKT_MSG_DONE | Error | a reply to a message that has one, or was never sent |
 * | ERR_LWKT_PORT_CLOSED | Error | a message to a closed port |
 * | ERR_LWKT_RFORK_ENDED | Error | the rfork that a message went to has ended, or that one waits for |
 * | ERR_LWKT_RFORK_MAIN | TypeError | an rfork's module has no function as its default export |
 * | ERR_LWKT_TRACING | Error | the rfork is traced already |
 * | ERR_LWKT_TOP_DIRECTORY | Error | the directory for the sockets of lwkt top is not this user's alone |
 * | ERR_LWKT_TOP_SERVED | Error | a process of this number is served at its socket already |
 * | ERR_LWKT_TOP_NOT_SERVED | Error | a process that nobody can look at |
 * | ERR_LWKT_TIMEOUT | Error, name TimeoutError | a wait's timeout passed |
 * | ERR_LWKT_NO_SYMBOL | Error | a library has no such native thread |
 * | ERR_LWKT_VERSION | Error | a library was built for another version of lwkt.h, or belongs to another copy of this package |
 * | ERR_DLOPEN_FAILED | Error | a library can't be loaded |
 * | the errno's name | Error | what a native userthread answered; as Node's system errors: errno, code, syscall |
 * | ABORT_ERR | Error, name AbortError | abort(), or a signal; cause is the reason |
 * | 25 | DOMException, name DataCloneError | a value that can't go to another rfork |
 * | ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE | TypeError, TypeError, RangeError | misuse, as in Node |
 */

import { getSystemErrorMap, inspect } from 'node:util';

/** An Error with a code, as Node's own have. */
export class CodedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

// As Node's own errors: the code shows in the stack, the name stays the class'.
Object.defineProperty(CodedError.prototype, 'name', { value: 'Error', configurable: true, writable: true });

function coded<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

/** As Node's own errors cut it. */
const short = (text: string): string => (text.length > 28 ? `${text.slice(0, 25)}...` : text);

export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const shown =
    actual === null || actual === undefined
      ? `${actual}`
      : typeof actual === 'object'
        ? `an instance of ${(actual as object).constructor?.name ?? 'Object'}`
        : typeof actual === 'function'
          ? `function ${actual.name}`
          : `type ${typeof actual} (${short(inspect(actual))})`;
  return coded(
    new TypeError(`The "${name}" argument must be ${expected}. Received ${shown}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

/** For a value of the right type that means nothing. */
export function invalidValue(message: string): TypeError {
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${String(actual)}`),
    'ERR_OUT_OF_RANGE',
  );
}

/** What thread0 gets where a userthread would block. */
export function wouldBlock(what: string): Error {
  return new CodedError(
    'ERR_LWKT_WOULD_BLOCK',
    `${what} would block the event loop (thread0). Call it on a userthread, as in create(() => …), ` +
      'or await its promise form.',
  );
}

/** An AbortError as Node's own: name, code, and the reason as its cause. */
export function abortError(reason: unknown): Error {
  const error = coded(
    new Error('The operation was aborted', reason === undefined ? undefined : { cause: reason }),
    'ABORT_ERR',
  );
  error.name = 'AbortError';
  return error;
}

/** An errno, a positive number, as an error like Node's own system errors. what: the function that answered it. */
export function systemError(errno: number, what: string): Error {
  const unknown = `Unknown system error ${-errno}`;
  const [code, text] = getSystemErrorMap().get(-errno) ?? [unknown, unknown];
  return Object.assign(new Error(`${code}: ${text}, ${what}`), { errno: -errno, code, syscall: what });
}

export function timeoutError(what: string, ms: number): Error {
  const error = new CodedError('ERR_LWKT_TIMEOUT', `${what} took longer than ${ms} ms`);
  error.name = 'TimeoutError';
  return error;
}
