/** lines.ts: where lines end. Bytes, not text: a character of UTF-8 may come in two pieces, a line's bytes are decoded together. */
import { CodedError, invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import type { ReadAhead } from './read-ahead.ts';

const LF = 10;
const CR = 13;
const CRLF = Buffer.from('\r\n');
const MAX_LENGTH = 65_536;

export interface LineOptions {
  /** 'auto' (default): LF, and a CR before it is no part of the line. 'lf': LF only. 'crlf': CR LF only; a lone LF is part of the line. */
  newline?: 'auto' | 'lf' | 'crlf' | undefined;
  /** Bytes, without the end of the line; 65,536 if absent. A longer line is ERR_LWKT_LINE_TOO_LONG. */
  maxLength?: number | undefined;
  /** 'utf8' if absent. What is no UTF-8 becomes U+FFFD. */
  encoding?: BufferEncoding | undefined;
}

/** Finds the lines of one reading; checks the options once. */
export class LineFinder {
  private readonly newline: 'auto' | 'lf' | 'crlf';
  private readonly maxLength: number;
  private readonly encoding: BufferEncoding;
  /** So many of the bytes have been looked at. */
  private seen = 0;

  constructor({ newline = 'auto', maxLength = MAX_LENGTH, encoding = 'utf8' }: LineOptions = {}) {
    if (newline !== 'auto' && newline !== 'lf' && newline !== 'crlf')
      throw invalidValue(`options.newline must be 'auto', 'lf' or 'crlf'. Received ${String(newline)}`);
    if (typeof maxLength !== 'number') throw invalidType('options.maxLength', 'of type number', maxLength);
    if (!(maxLength >= 1)) throw outOfRange('options.maxLength', '>= 1', maxLength);
    if (!Buffer.isEncoding(encoding))
      throw invalidValue(`options.encoding: there is no "${String(encoding)}"`);
    this.newline = newline;
    this.maxLength = maxLength;
    this.encoding = encoding;
  }

  /** A new call: others may have taken bytes since the last one. */
  restart(): void {
    this.seen = 0;
  }

  /** The next whole line, taken out of ahead; undefined while there is none. Throws for one that is too long, and takes nothing. */
  next(ahead: ReadAhead): string | undefined {
    const { bytes } = ahead;
    const at =
      this.newline === 'crlf'
        ? bytes.indexOf(CRLF, Math.max(0, this.seen - 1))
        : bytes.indexOf(LF, this.seen);
    if (at < 0) {
      this.seen = bytes.length;
      const half = this.newline !== 'lf' && bytes.at(-1) === CR ? 1 : 0; // of an end, perhaps
      this.check(bytes.length - half);
      return undefined;
    }
    const length = this.newline === 'auto' && at > 0 && bytes[at - 1] === CR ? at - 1 : at;
    this.check(length);
    const line = bytes.toString(this.encoding, 0, length);
    ahead.drop(at + (this.newline === 'crlf' ? CRLF.length : 1));
    return line;
  }

  /** What is left at the end of the stream; undefined where that is nothing. */
  last(ahead: ReadAhead): string | undefined {
    if (ahead.length === 0) return undefined;
    this.check(ahead.length);
    return ahead.take(ahead.length).toString(this.encoding);
  }

  private check(length: number): void {
    if (length > this.maxLength)
      throw new CodedError('ERR_LWKT_LINE_TOO_LONG', `a line of more than ${this.maxLength} bytes`);
  }
}
