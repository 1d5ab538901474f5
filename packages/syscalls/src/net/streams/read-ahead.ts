/**
 * read-ahead.ts: bytes that a stream has received and nobody has taken yet: what is left after a line, or of a read that was given up.
 *
 * Invariant: the bytes are buffer[start..end); an empty one keeps no more than SMALL bytes of memory. There is more room where more comes.
 */

const SMALL = 4096;
const LARGE = 65_536;
const EMPTY = Buffer.alloc(0);

export class ReadAhead {
  private buffer: Buffer = EMPTY;
  private start = 0;
  private end = 0;
  private size = SMALL;

  get length(): number {
    return this.end - this.start;
  }

  /** A view of what is there; good until the next change. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }

  /** The first n bytes, which are the caller's from now on. */
  take(n: number): Buffer {
    const taken = Buffer.from(this.buffer.subarray(this.start, this.start + n));
    this.drop(n);
    return taken;
  }

  /** As many as there are and fit; how many. */
  takeInto(target: Uint8Array): number {
    const n = Math.min(this.length, target.byteLength);
    this.buffer.copy(target, 0, this.start, this.start + n);
    this.drop(n);
    return n;
  }

  drop(n: number): void {
    this.start += n;
    if (this.start < this.end) return;
    this.start = 0;
    this.end = 0;
    if (this.buffer.length > SMALL) this.buffer = EMPTY;
  }

  /** Room behind the bytes, to be filled; added() says how much of it was. */
  room(): Buffer {
    if (this.end === this.buffer.length) {
      const { length } = this;
      const larger = Buffer.allocUnsafeSlow(Math.max(this.size, length * 2));
      this.buffer.copy(larger, 0, this.start, this.end);
      this.buffer = larger;
      this.start = 0;
      this.end = length;
    }
    return this.buffer.subarray(this.end);
  }

  added(n: number): void {
    this.end += n;
    if (this.end === this.buffer.length) this.size = Math.min(LARGE, this.size * 2);
    else if (n < SMALL) this.size = SMALL;
  }

  /** Puts bytes back in front. */
  unread(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.buffer = Buffer.concat([bytes, this.bytes]);
    this.start = 0;
    this.end = this.buffer.length;
  }
}
