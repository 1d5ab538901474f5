/**
 * payload.ts: values as bytes, and back. Between libcr's ports: a byte for the version, a byte for the kind, and then what the kind says; with services of other languages: JSON.
 *
 * A value is what structured clone takes: plain data, Buffers and typed arrays, dates, maps, sets, errors, circular references. What it does not take (functions, ports, class instances' methods)
 * is a DataCloneError, or is left out, as postMessage() has it.
 *
 * Invariant: whatever bytes come, decode() gives a value or throws ERR_LIBCR_NATS_MALFORMED; nothing outside of that value is touched ("__proto__" is a property like others).
 */
import { deserialize, serialize } from 'node:v8';
import { decodeError, encodeError, invalidType } from '@libcr/core/internal';
import { natsError } from './errors.ts';
import { examine } from './examine.ts';

/** The first byte of what libcr sends: no JSON text begins so. Its lower half is the protocol's version. */
export const VERSION = 0xc1;
/** Bytes before what a message says. */
export const HEAD = 2;

/** The second byte. */
export const KIND = {
  /** v8's serializer. */
  value: 0,
  /** A Buffer or Uint8Array: the bytes. */
  bytes: 1,
  /** A string: UTF-8. */
  text: 2,
  undefined: 3,
  /** Packed: what a protocol of this package's own says. */
  packed: 4,
  /** Answers only. An error, as core's rforks send it to each other. */
  failure: 16,
  /** The message is still being worked on. */
  beat: 17,
  /** The message has gone on to this subject. */
  moved: 18,
} as const;

export type Encoding = 'structured' | 'json';
/** packed: of this package's own protocols, whose ports have Packed in both directions. */
export type InnerEncoding = Encoding | 'packed';

/** Bytes of a protocol of this package's own, behind as many that are free: what is sent so is not copied for that. */
export class Packed {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

const UNDEFINED = Buffer.from([VERSION, KIND.undefined]);
/** Strings that lose nothing as UTF-8. */
const isWellFormed = (text: string): boolean =>
  (text as { isWellFormed?(): boolean }).isWellFormed?.() ?? !/[\ud800-\udfff]/.test(text);

function withHead(kind: number, bytes: Uint8Array): Buffer {
  const made = Buffer.allocUnsafe(HEAD + bytes.length);
  made[0] = VERSION;
  made[1] = kind;
  made.set(bytes, HEAD);
  return made;
}

function textWithHead(kind: number, text: string): Buffer {
  const made = Buffer.allocUnsafe(HEAD + Buffer.byteLength(text));
  made[0] = VERSION;
  made[1] = kind;
  made.write(text, HEAD);
  return made;
}

function packedWithHead({ bytes }: Packed): Buffer {
  bytes[0] = VERSION;
  bytes[1] = KIND.packed;
  return bytes;
}

/** undefined is no bytes. */
function encodeJson(value: unknown): Buffer {
  const text = JSON.stringify(value);
  if (text === undefined && value !== undefined)
    throw invalidType('a message', 'what JSON has a text for', value);
  return Buffer.from(text ?? '');
}

/** Throws DataCloneError for what can't be cloned, and TypeError for what JSON has no text for. */
export function encode(value: unknown, encoding: InnerEncoding): Uint8Array {
  if (encoding === 'packed') return packedWithHead(value as Packed);
  if (encoding === 'json') return encodeJson(value);
  if (value === undefined) return UNDEFINED;
  if (typeof value === 'string' && isWellFormed(value)) return textWithHead(KIND.text, value);
  if (Buffer.isBuffer(value)) return withHead(KIND.bytes, value);
  return withHead(KIND.value, serialize(value));
}

export function encodeFailure(error: unknown): Uint8Array {
  const encoded = encodeError(error);
  try {
    return withHead(KIND.failure, serialize(encoded));
  } catch (cloneError) {
    return withHead(KIND.failure, serialize(encodeError(cloneError))); // thrown, and no Error: it may be anything
  }
}

/** The message that is to be answered there is no longer wanted. */
export function encodeAbort(reply: string, reason: unknown): Uint8Array {
  try {
    return withHead(KIND.value, serialize({ reply, reason: encodeError(reason) }));
  } catch {
    return withHead(KIND.value, serialize({ reply, reason: encodeError(undefined) })); // a reason may be anything
  }
}

export function decodeAbort(bytes: Uint8Array): { reply: string; reason: unknown } {
  const { reply, reason } = Object(decode(kindOf(bytes), bytes)) as { reply: unknown; reason: unknown };
  if (typeof reply !== 'string') throw malformed('an abort that says not of what');
  return { reply, reason: guarded('a reason that can not be read', () => decodeError(reason)) };
}

export const encodeBeat = (): Uint8Array => Buffer.from([VERSION, KIND.beat]);
export const encodeMoved = (subject: string): Uint8Array => textWithHead(KIND.moved, subject);

function malformed(why: string, cause?: unknown): Error {
  return natsError('ERR_LIBCR_NATS_MALFORMED', why, cause === undefined ? undefined : { cause });
}

/** The kind of an answer, or of a request: throws for one of another protocol or version. */
export function kindOf(bytes: Uint8Array): number {
  if (bytes.length < HEAD || ((bytes[0] as number) & 0xf0) !== (VERSION & 0xf0))
    throw malformed(
      `${bytes.length} bytes that are no message of libcr's: is the other side's encoding 'json'?`,
    );
  if (bytes[0] !== VERSION)
    throw malformed(
      `a message of version ${(bytes[0] as number) & 0xf} of the protocol, and this side has ${VERSION & 0xf}`,
    );
  return bytes[1] as number;
}

const bodyOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset + HEAD, bytes.length - HEAD);

/** What v8 has serialized; whatever else it is, it throws. */
function readValue(bytes: Uint8Array): unknown {
  examine(bytes);
  return deserialize(bytes) as unknown;
}

function guarded<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw malformed(what, error);
  }
}

/** A value of that kind. Bytes are a view of the message's. */
export function decode(kind: number, bytes: Uint8Array): unknown {
  switch (kind) {
    case KIND.undefined:
      return undefined;
    case KIND.bytes:
      return bodyOf(bytes);
    case KIND.text:
      return bodyOf(bytes).toString();
    case KIND.value:
      return guarded('a value that can not be read', () => readValue(bodyOf(bytes)));
    default:
      throw malformed(`a message of an unknown kind, ${kind}`);
  }
}

/** What was thrown there. from: where, for the stack. */
export function decodeFailure(bytes: Uint8Array, from: string): unknown {
  const error = guarded('an error that can not be read', () => decodeError(readValue(bodyOf(bytes))));
  if (error instanceof Error && typeof error.stack === 'string')
    Object.defineProperty(error, 'stack', {
      value: error.stack.replace(/\n {4}at /, `\n    [thrown by ${from}]\n    at `),
      configurable: true,
      writable: true,
    });
  return error;
}

export const decodeMoved = (bytes: Uint8Array): string => bodyOf(bytes).toString();

/** What a message brings, in any encoding. */
export function decodeMessage(bytes: Uint8Array, encoding: InnerEncoding): unknown {
  return encoding === 'json' ? decodeJson(bytes) : decodeKind(kindOf(bytes), bytes, encoding);
}

/** The same for a kind that is known, and no JSON. */
export function decodeKind(kind: number, bytes: Uint8Array, encoding: InnerEncoding): unknown {
  if (encoding !== 'packed') return decode(kind, bytes);
  if (kind !== KIND.packed) throw malformed(`a message of kind ${kind} to a port that takes none of it`);
  return new Packed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

export function decodeJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  return guarded(
    'a message that is no JSON text',
    () => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown,
  );
}
