/**
 * text.ts: bytes of names as text, and back, with nothing lost: a byte that is no UTF-8 is the lone surrogate U+DC00 + byte, which is no text that the kernel
 * can be given otherwise. (Python's surrogateescape, PEP 383)
 */
const REPLACEMENT = '\ufffd';
const ESCAPE = 0xdc00;
const LONE = /\p{Surrogate}/u;

function lengthAt(byte: number): number {
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

export function textOfBytes(bytes: Buffer): string {
  const plain = bytes.toString();
  if (!plain.includes(REPLACEMENT)) return plain;
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const some = bytes.subarray(i, i + lengthAt(bytes[i] as number));
    const one = some.toString();
    const isText = Buffer.from(one).equals(some);
    text += isText ? one : String.fromCharCode(ESCAPE + (bytes[i] as number));
    i += isText ? some.length : 1;
  }
  return text;
}

/** Text that a program gives, as the kernel gets it: a lone surrogate becomes U+FFFD. */
export function givenText(text: string): string {
  return LONE.test(text) ? Buffer.from(text).toString() : text;
}

/** The bytes of text that textOfBytes() has made. */
export function bytesOfText(text: string): string | Buffer {
  if (!LONE.test(text)) return text;
  const parts = Array.from(text, (one) => {
    const code = one.charCodeAt(0);
    return one.length === 1 && code > ESCAPE && code <= ESCAPE + 0xff
      ? Buffer.of(code - ESCAPE)
      : Buffer.from(one);
  });
  return Buffer.concat(parts);
}
