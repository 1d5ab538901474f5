/**
 * errors.ts: the errors this package throws, with their codes. Those of system calls are not made here (@libcr/syscalls).
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | ERR_LIBCR_NATIVE | Error | the native half is missing or does not fit, or Node does not show what it needs |
 * | ERR_LWKT_WOULD_BLOCK | Error | thread0 (the event loop) would have to wait, or anybody while the program exits |
 * | ERR_LWKT_DEADLOCK | Error | a wait that could never end: joining oneself, a message to one's own port |
 * | ERR_LWKT_ASYNC_SCOPE | Error | a wait inside a nested AsyncResource scope, on a Node that does not show its stack of async ids |
 * | ERR_LWKT_FOREIGN_STACK | Error | a wait on a stack that is not the thread's: WebAssembly.promising(); koffi's, where another one waits |
 * | ERR_LWKT_VM_TIMEOUT | Error | a wait in a script of node:vm that has a timeout, or breakOnSigint |
 * | ERR_LWKT_STRINGIFY | Error | a wait in what JSON.stringify() calls, while another userthread waits there (Node 22) |
 * | ERR_LWKT_NO_STACK | Error | the system refused a stack for a userthread |
 * | ERR_LWKT_NOT_OWNER | Error | taking from, or waiting on, another userthread's port |
 * | ERR_LWKT_MSG_BUSY | Error | a message that is under way was sent again |
 * | ERR_LWKT_MSG_DONE | Error | a reply to a message that has one, or was never sent |
 * | ERR_LWKT_PORT_CLOSED | Error | a message to a closed port |
 * | ERR_LWKT_RFORK_ENDED | Error | the rfork that a message went to has ended, or that one waits for |
 * | ERR_LWKT_RFORK_MAIN | TypeError | an rfork's module has no function as its default export |
 * | ERR_LWKT_NO_PREEMPTION | Error | this Node can't be preempted: its program has no symbol table |
 * | ERR_LWKT_TERMINATED | Error | what a userthread ends with that td.terminate() has ended; cause is the reason |
 * | ERR_LWKT_GROUP_ENDED | Error | a userthread created into a group that is ending; cause is why it does |
 * | ERR_LWKT_WATCHED | Error | this event loop is watched already |
 * | ERR_LWKT_EXPLORED | ExploreError | a run of what is explored has gone wrong |
 * | ERR_LWKT_EXPLORING | Error | explore() while another one is under way, or on a userthread |
 * | ERR_LWKT_TRACING | Error | the rfork is traced already |
 * | ERR_LWKT_TOP_DIRECTORY | Error | the directory for the sockets of lwkt top is not this user's alone |
 * | ERR_LWKT_TOP_SERVED | Error | a process of this number is served at its socket already |
 * | ERR_LWKT_TOP_NOT_SERVED | Error | a process that nobody can look at |
 * | ERR_LWKT_TIMEOUT | Error, name TimeoutError | a wait's timeout passed |
 * | ERR_LWKT_NO_SYMBOL | Error | a library has no such native thread |
 * | ERR_LWKT_VERSION | Error | a library was built for another version of lwkt.h, or belongs to another copy of this package |
 * | ERR_DLOPEN_FAILED | Error | a library can't be loaded |
 * | the errno's name | Error | what a native userthread answered; as Node's system errors: errno, code, syscall |
 * | ABORT_ERR | AbortError | abort(), or a signal; cause is the reason |
 * | 25 | DOMException, name DataCloneError | a value that can't go to another rfork |
 * | ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE | TypeError, TypeError, RangeError | misuse, as in Node |
 */

import { getSystemErrorMap } from 'node:util';

export { coded, invalidArgument, invalidType, invalidValue, outOfRange, received } from './misuse.ts';

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

/** What thread0 gets where a userthread would block. instead: what it can do instead of calling it on a userthread. */
export function wouldBlock(what: string, instead = 'or await its promise form'): Error {
  return new CodedError(
    'ERR_LWKT_WOULD_BLOCK',
    `${what} would block the event loop (thread0). Call it on a userthread, as in create(() => …), ${instead}.`,
  );
}

/** What whoever would wait in an 'exit' listener gets. */
export function exitingError(what: string): Error {
  return new CodedError(
    'ERR_LWKT_WOULD_BLOCK',
    `${what} would let others run, and the program is exiting: 'exit' listeners can't wait.`,
  );
}

/** As Node's own, which it shows nobody: of a class with that name, by which it is printed, and with the same keys in the same order. */
class AbortError extends Error {
  readonly code = 'ABORT_ERR';
  override readonly name = 'AbortError';
}

/** An AbortError with the reason as its cause. */
export function abortError(reason: unknown): Error {
  return new AbortError('The operation was aborted', reason === undefined ? undefined : { cause: reason });
}

/** What a userthread ends with that has been terminated. */
export function terminatedError(td: { id: number; name: string }, reason: unknown): Error {
  return new CodedError(
    'ERR_LWKT_TERMINATED',
    `userthread #${td.id} "${td.name}" has been terminated`,
    reason === undefined ? undefined : { cause: reason },
  );
}

/** Node makes a new one at each call, which takes longer than the error itself. */
let texts: ReturnType<typeof getSystemErrorMap> | undefined;

/** An errno, a positive number, as an error like Node's own system errors. what: the function that answered it. */
export function systemError(errno: number, what: string): Error {
  texts ??= getSystemErrorMap();
  const unknown = `Unknown system error ${-errno}`;
  const [code, text] = texts.get(-errno) ?? [unknown, unknown];
  return Object.assign(new Error(`${code}: ${text}, ${what}`), { errno: -errno, code, syscall: what });
}

export function timeoutError(what: string, ms: number): Error {
  const error = new CodedError('ERR_LWKT_TIMEOUT', `${what} took longer than ${ms} ms`);
  error.name = 'TimeoutError';
  return error;
}

/** Why the native side refuses a switch, by what it answers (enum BlockResult in native/node/cpu.h). */
const REFUSALS: Record<number, [code: string, message: string]> = {
  4: [
    'ERR_LWKT_FOREIGN_STACK',
    'A userthread cannot wait inside WebAssembly.promising(): V8 runs that on a stack of its own. ' +
      'Let the import be a WebAssembly.Suspending() whose function returns a promise',
  ],
  5: [
    'ERR_LWKT_VM_TIMEOUT',
    'A userthread cannot wait in a script of node:vm that has a timeout, or breakOnSigint: ' +
      'V8 would end whoever runs when the time is up. Let the script return before it waits, or run it without',
  ],
  6: [
    'ERR_LWKT_STRINGIFY',
    'A userthread cannot wait in what JSON.stringify() calls while another one waits there: ' +
      "Node 22's V8 would end the process. Wait before, or use a newer Node",
  ],
  7: [
    'ERR_LWKT_FOREIGN_STACK',
    'A userthread cannot wait in a callback of koffi while another one waits there: ' +
      'koffi has one stack for all calls. Let the callback return before it waits, or use a serializer around the calls',
  ],
};

/** A wait is refused where the thread stands. refusal: a BlockResult from BLOCK_REFUSED on. */
export function cannotWait(refusal: number): CodedError {
  const [code, message] = REFUSALS[refusal] as [string, string];
  return new CodedError(code, message);
}
