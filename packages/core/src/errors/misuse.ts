/**
 * misuse.ts: the errors of misuse, as Node's own functions throw them: their class, code and text, and how they print ("TypeError [ERR_INVALID_ARG_TYPE]: …").
 *
 * Not here: this package's own codes (errors.ts); the kernel's errors (@libcr/syscalls).
 *
 * Invariant: name and class are the plain ones (TypeError, RangeError): the code shows in the stack and in what String() gives.
 */
import { inspect } from 'node:util';

/** The symbol by which Node tells its own errors: the stacks of those that have it begin with the code, too. */
let mark: symbol | undefined;
let looked = false;

/** Found on an error of Node's. Where it is not found the code is missing from the stack, and nothing else. */
function nodesMark(): symbol | undefined {
  if (looked) return mark;
  looked = true;
  try {
    Buffer.alloc('' as never);
  } catch (error) {
    for (let at = error as object | null; at !== null && mark === undefined; at = Object.getPrototypeOf(at))
      mark = Object.getOwnPropertySymbols(at).find(({ description }) => description === 'kIsNodeError');
  }
  return mark;
}

function shownWithCode(this: Error & { code: string }): string {
  return `${this.name} [${this.code}]: ${this.message}`;
}

/** Gives an error a code, and makes it print as Node's errors with codes do. */
export function coded<E extends Error>(error: E, code: string): E & { code: string } {
  const symbol = nodesMark();
  const hidden = { configurable: true, enumerable: false, writable: true };
  Object.defineProperty(error, 'toString', { ...hidden, value: shownWithCode });
  if (symbol !== undefined) Object.defineProperty(error, symbol, { ...hidden, value: true });
  return Object.assign(error, { code });
}

/** As Node's own errors cut it. */
const short = (text: string): string => (text.length > 28 ? `${text.slice(0, 25)}...` : text);

/** The class's name, of whatever object: it may be a proxy, or have a getter of its own there. */
function shownObject(object: object): string {
  try {
    const { constructor: maker } = object;
    if (maker && 'name' in maker) return `an instance of ${String(maker.name)}`;
    return inspect(object, { depth: -1 });
  } catch {
    return 'an instance of Object';
  }
}

function shownString(text: string): string {
  const shown = short(text);
  return shown.includes("'") ? JSON.stringify(shown) : `'${shown}'`;
}

/** A value as "Received …" has it: "undefined", "an instance of Foo", "type string ('x')". */
export function received(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'object') return shownObject(value);
  if (typeof value === 'function') return `function ${value.name}`;
  return `type ${typeof value} (${typeof value === 'string' ? shownString(value) : inspect(value)})`;
}

/** "options.x" is a property; all else an argument. */
const kindOf = (name: string): string => (name.includes('.') ? 'property' : 'argument');

/** expected: "of type string", "an instance of Date". */
export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  return coded(
    new TypeError(`The "${name}" ${kindOf(name)} must be ${expected}. Received ${received(actual)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

/** For a value of the right type that means nothing. */
export function invalidValue(message: string): TypeError {
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** The same in Node's words. reason: "is invalid", "must be one of: 'dir', 'file'". */
export function invalidArgument(name: string, value: unknown, reason = 'is invalid'): TypeError {
  const shown = inspect(value);
  const cut = shown.length > 128 ? `${shown.slice(0, 128)}...` : shown;
  return invalidValue(`The ${kindOf(name)} '${name}' ${reason}. Received ${cut}`);
}

/** Digits in groups of three, as Node shows great numbers. */
const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, '_');

function shownNumber(value: unknown): string {
  if (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) return grouped(String(value));
  if (typeof value !== 'bigint') return inspect(value);
  const great = value > 2n ** 32n || value < -(2n ** 32n);
  return `${great ? grouped(String(value)) : value}n`;
}

/** range: ">= 0 && <= 7", "an integer". */
export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  return coded(
    new RangeError(
      `The value of "${name}" is out of range. It must be ${range}. Received ${shownNumber(actual)}`,
    ),
    'ERR_OUT_OF_RANGE',
  );
}
