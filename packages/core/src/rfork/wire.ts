/**
 * wire.ts: what rforks say to each other. One envelope (native/node/rfork/envelope.h) has a kind, a port's and a message's number and a value; the
 * comments say which of them each kind uses. The order of what one rfork sends to another is kept; what several send has
 * none, even where the one was sent because of the other.
 */
import { isError } from '../errors/brands.ts';

/** That rfork has ended. Comes from the native side. */
export const ENDED = 0;
/** A message for `port`, the message `id` of rfork `origin`, passed on `hops` times; value: its data. */
export const REQUEST = 1;
/** The answer to our message `id`; value: its result. */
export const REPLY = 2;
/** The same, with an error; value: see encodeError. */
export const FAIL = 3;
/** The message `id` of `origin` is no longer wanted; value: the reason, encoded. */
export const ABORT = 4;
/** Our message `id` is with rfork `port` after `hops` hops. */
export const MOVED = 5;
/** `port` is to be closed. */
export const CLOSE = 6;
/** The sender gives `id` of its shares in `port` back. */
export const RELEASE = 7;
/** `port` is to stay for good: there are no shares left to give away. */
export const PIN = 8;
/** The sender is traced for us. (src/trace/) */
export const TRACE_BEGUN = 9;
/** It is no longer to be traced, and to send what it has recorded. */
export const TRACE_STOP = 10;
/** value: what it has recorded. */
export const TRACE_RECORD = 11;
/** The sender wants to know how we stand. (src/top/) */
export const TOP_ASK = 12;
/** value: how the sender stands. */
export const TOP_ANSWER = 13;

/** Every rfork made by new Rfork() has these. */
export const START_PORT = 1;
export const MAIN_PORT = 2;

interface WireError {
  type: string;
  message: string;
  stack: string | undefined;
  cause: unknown;
  errors: unknown[] | undefined;
  properties: Record<string, unknown>;
}

/** [error] for an Error, [] and the value itself for anything else that was thrown. */
type Encoded = { error: WireError } | { value: unknown };

const TYPES: Record<string, ErrorConstructor> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** How deep causes are followed. */
const DEPTH = 8;

function isPlain(value: unknown): boolean {
  return (
    value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
  );
}

/** The class an error is of, as far as every rfork has it. */
function typeOf(error: Error): string {
  for (const type of Object.keys(TYPES)) if (error instanceof (TYPES[type] as ErrorConstructor)) return type;
  if (error instanceof AggregateError) return 'AggregateError';
  if (error instanceof Error) return 'Error';
  const name = read(error as Error, 'name'); // of another realm, whose classes are not these
  return name === 'AggregateError' || (typeof name === 'string' && Object.hasOwn(TYPES, name))
    ? name
    : 'Error';
}

/** A property of an error, whose getter may throw. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/**
 * An error as plain data. Structured clone would lose what makes a Node error one: its code, errno, syscall. Own properties that are plain values
 * go along; others are left out.
 */
export function encodeError(error: unknown, depth = 0): Encoded {
  if (!isError(error)) return { value: error };
  const type = typeOf(error);
  const properties: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    const value = read(error, key);
    if (isPlain(value)) properties[key] = value;
  }
  const name = read(error, 'name');
  if (name !== type && isPlain(name)) properties.name ??= name;
  if (error instanceof DOMException) properties.code = error.code;
  const inner = (value: unknown): unknown =>
    depth < DEPTH && (isError(value) || isPlain(value))
      ? encodeError(value, depth + 1)
      : { value: undefined };
  const message = read(error, 'message');
  const stack = read(error, 'stack');
  const cause = read(error, 'cause');
  const errors = type === 'AggregateError' ? read(error, 'errors') : undefined;
  return {
    error: {
      type,
      message: isPlain(message) ? String(message) : '',
      stack: typeof stack === 'string' ? stack : undefined,
      cause: cause === undefined ? undefined : inner(cause),
      errors: Array.isArray(errors) ? errors.map(inner) : undefined,
      properties,
    },
  };
}

export function decodeError(encoded: unknown): unknown {
  const { error, value } = encoded as { error?: WireError; value?: unknown };
  if (error === undefined) return value;
  const options = error.cause === undefined ? undefined : { cause: decodeError(error.cause) };
  const made =
    error.errors === undefined
      ? new (TYPES[error.type] ?? Error)(error.message, options)
      : new AggregateError(error.errors.map(decodeError), error.message, options);
  for (const [key, property] of Object.entries(error.properties))
    Object.defineProperty(made, key, {
      value: property,
      enumerable: key !== 'name',
      configurable: true,
      writable: true,
    });
  if (error.stack !== undefined)
    Object.defineProperty(made, 'stack', { value: error.stack, configurable: true, writable: true });
  return made;
}
