/**
 * brands.ts: what kind of object something is, whichever realm it comes from: code in a vm context (every test under Jest) has an Error and an Array of its own,
 * and `instanceof` says no to them.
 *
 * Not here: what node:util's types, Array.isArray and ArrayBuffer.isView tell already.
 */
import { types } from 'node:util';

/** Errors, DOMExceptions, and what inherits from Error as was done before classes. A proxy is none: it would be asked itself. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || (!types.isProxy(value) && value instanceof Error);
}

/** As Node looks at it, but that it has to be one that can be listened to. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    typeof (value as Partial<AbortSignal>).addEventListener === 'function'
  );
}

/** As Node looks at it: url.parse()'s results are none. */
export function isUrl(value: unknown): value is URL {
  if (typeof value !== 'object' || value === null) return false;
  const { href, protocol, auth, path } = value as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}
