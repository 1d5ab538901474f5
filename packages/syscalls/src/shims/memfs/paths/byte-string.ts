/**
 * byte-string.ts: paths and names as they are on the disk: strings with one character for each byte. They can be compared, split and used as
 * keys, their length is the kernel's, and a name that is no UTF-8 survives.
 */

const ASCII = /^[\0-\x7f]*$/;

/** Of text (UTF-8) or bytes. */
export function toByteString(value: string | Uint8Array): string {
  if (typeof value === 'string') return ASCII.test(value) ? value : Buffer.from(value).toString('latin1');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

export function toBytes(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** As text; what is no UTF-8 becomes U+FFFD. */
export function toText(bytes: string): string {
  return ASCII.test(bytes) ? bytes : toBytes(bytes).toString();
}

/** As a path for the next level: text where it is plain, so that other shims can read it. */
export function toPathArgument(bytes: string): string | Buffer {
  return ASCII.test(bytes) ? bytes : toBytes(bytes);
}
