/**
 * bytes.ts: bytes in JSON: as text where all of them are printable ASCII, so that a recording can be read, else in base64.
 *
 * Invariant: the same bytes always have the same form, so forms can be compared.
 */

export type EncodedBytes = { text: string } | { base64: string };

const printable = (byte: number): boolean =>
  (byte >= 32 && byte < 127) || byte === 10 || byte === 13 || byte === 9;

export function encodeBytes(bytes: Buffer): EncodedBytes {
  return bytes.every(printable) ? { text: bytes.toString('latin1') } : { base64: bytes.toString('base64') };
}

/** undefined for what is no bytes. */
export function decodeBytes(value: unknown): Buffer | undefined {
  const { text, base64 } = (value ?? {}) as { text?: unknown; base64?: unknown };
  if (typeof text === 'string') return Buffer.from(text, 'latin1');
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

/** The memory of a view, at most length bytes of it. Nothing is copied. */
export function memoryOf(view: ArrayBufferView, length: number): Buffer {
  const { buffer, byteOffset, byteLength } = view;
  if (byteLength === 0) return Buffer.alloc(0); // detached, perhaps
  return Buffer.from(buffer as ArrayBuffer, byteOffset, Math.max(0, Math.min(byteLength, length)));
}
