/**
 * examine.ts: whether bytes that somebody else has made may be given to v8's deserializer. That takes what it is told of an array with holes, or of a buffer that may grow, and asks for all the memory at once: some
 * twenty bytes would end the process.
 *
 * It reads the format as v8 writes it (its value-serializer.cc, versions 13 to 15) and looks at nothing but lengths.
 *
 * Invariant: what is passed asks for no more memory than some times its own size, and HOLES_MAX elements.
 */

/** Elements that all arrays with holes of a value may have together. */
const HOLES_MAX = 2 ** 20;
/** How deep values lie in each other: v8 itself gives up later. */
const DEPTH_MAX = 2000;

const ARRAY_WITH_HOLES = 0x61; // "a"
const GROWING_BUFFER = 0x7e; // "~"

class Refused extends Error {}

class Examination {
  private readonly bytes: Uint8Array;
  private at = 0;
  private holes = 0;
  private depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  run(): void {
    if (this.peek() === 0xff) {
      this.at++;
      this.number();
    }
    this.value();
  }

  private peek(): number {
    while (this.bytes[this.at] === 0) this.at++; // padding
    return this.bytes[this.at] ?? -1;
  }

  private tag(): string {
    const tag = this.peek();
    if (tag < 0) throw new Refused('it ends too soon');
    this.at++;
    return String.fromCharCode(tag);
  }

  /** Seven bits a byte, the lowest first. */
  private number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Refused('it ends too soon');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor > 2 ** 42) throw new Refused('a number is too long');
    }
  }

  private skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.bytes.length) throw new Refused('it ends too soon');
  }

  private countHoles(length: number): void {
    this.holes += length;
    if (this.holes > HOLES_MAX)
      throw new Refused(`its arrays with holes have more than ${HOLES_MAX} elements`);
  }

  /** Values up to that tag, and the numbers behind it. */
  private until(end: string, numbers: number): void {
    while (this.peek() !== end.charCodeAt(0)) this.value();
    this.at++;
    for (let i = 0; i < numbers; i++) this.number();
  }

  private value(): void {
    if (++this.depth > DEPTH_MAX) throw new Refused('it is too deep');
    this.valueOf(this.tag());
    this.depth--;
    if (this.peek() === 0x56) this.view(); // "V": a view of the buffer before it
  }

  private valueOf(tag: string): void {
    switch (tag) {
      case '_':
      case '0':
      case 'T':
      case 'F':
      case 'x':
      case 'y':
      case '-':
        return;
      case 'I':
      case 'U':
      case '^':
      case '?':
        this.number();
        if (tag === '?') this.value();
        return;
      case 'N':
      case 'D':
      case 'n':
        this.skip(8);
        return;
      case 'Z':
      case 'z':
        this.skip(Math.floor(this.number() / 2)); // a bit for the sign
        return;
      case '"':
      case 'c':
      case 'S':
      case 'B':
        this.skip(this.number());
        return;
      case 's':
        this.value();
        return;
      case 'R':
        this.value();
        this.number();
        return;
      case 'o':
        this.until('{', 1);
        return;
      case 'A':
        this.number();
        this.until('$', 2);
        return;
      case 'a':
        this.countHoles(this.number());
        this.until('@', 2);
        return;
      case ';':
        this.until(':', 1);
        return;
      case "'":
        this.until(',', 1);
        return;
      case '~':
        this.growing();
        return;
      case '\\':
        this.number(); // Node's: which class
        this.skip(this.number());
        return;
      case 'r':
        this.error();
        return;
      default:
        throw new Refused(`it has a tag ${JSON.stringify(tag)}`);
    }
  }

  private view(): void {
    this.at++;
    this.skip(1); // its class
    for (let i = 0; i < 3; i++) this.number();
  }

  private growing(): void {
    const length = this.number();
    this.countHoles(this.number());
    this.skip(length);
  }

  private error(): void {
    for (;;) {
      const tag = this.tag();
      if (tag === '.') return;
      if (tag === 'm' || tag === 's' || tag === 'c') this.value();
      else if (!'EFRSTU'.includes(tag)) throw new Refused(`an error has a tag ${JSON.stringify(tag)}`);
    }
  }
}

/** Throws an Error that says why, for bytes that are not to be given to v8. */
export function examine(bytes: Uint8Array): void {
  if (!bytes.includes(ARRAY_WITH_HOLES) && !bytes.includes(GROWING_BUFFER)) return;
  new Examination(bytes).run();
}
