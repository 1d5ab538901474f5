/**
 * file.ts: a regular file: its data in pages, so that it grows without being copied and holes cost nothing.
 *
 * Invariants: bytes of a page beyond the file's size are 0. A number is in at most one of pages and reserved; both together are what it
 * has taken of its space.
 */
import { constants as c } from '../../../generated/constants.ts';
import { type Attributes, Inode } from './inode.ts';
import { PAGE, type Space } from './space.ts';

/** Sizes and offsets are JavaScript's numbers. */
export const SIZE_MAX: number = Number.MAX_SAFE_INTEGER;

export class RegularFile extends Inode {
  /** O_TMPFILE without O_EXCL made it: it may be given a name while it has none. */
  linkable = false;
  protected length = 0;
  private readonly pages = new Map<number, Uint8Array>();
  /** Pages that fallocate has set aside, not written yet. */
  private readonly reserved = new Set<number>();

  constructor(space: Space, attributes: Attributes) {
    super(space, { ...attributes, mode: (attributes.mode & 0o7777) | c.S_IFREG });
  }

  override get size(): number {
    return this.length;
  }

  override get blocks(): number {
    return (this.pages.size + this.reserved.size) * (PAGE / 512);
  }

  /** Fills into from the byte at on; the answer is how many bytes there were. */
  read(into: Uint8Array, at: number): number {
    const end = Math.min(this.length, at + into.length);
    for (let from = at; from < end; ) {
      const within = from % PAGE;
      const n = Math.min(PAGE - within, end - from);
      const page = this.pages.get((from - within) / PAGE);
      const where = from - at;
      if (page === undefined) into.fill(0, where, where + n);
      else into.set(n === PAGE ? page : page.subarray(within, within + n), where);
      from += n;
    }
    return Math.max(0, end - at);
  }

  /** The answer is how many bytes were written; fewer than asked for, or -ENOSPC, where the space is used up. */
  write(data: Uint8Array, at: number): number {
    let done = 0;
    while (done < data.length) {
      const within = (at + done) % PAGE;
      const n = Math.min(PAGE - within, data.length - done);
      const page = this.pageFor((at + done - within) / PAGE);
      if (page === undefined) break;
      page.set(data.subarray(done, done + n), within);
      done += n;
    }
    if (done > 0) this.length = Math.max(this.length, at + done);
    return done === 0 && data.length > 0 ? -c.ENOSPC : done;
  }

  /** Cuts it, or lets it grow by a hole. */
  resize(length: number): void {
    if (length <= this.length) {
      this.drop(Math.ceil(length / PAGE), Infinity);
      const within = length % PAGE;
      if (within > 0) this.pages.get((length - within) / PAGE)?.fill(0, within);
    }
    this.length = length;
  }

  /**
   * Sets the pages of a range aside. 0, or -ENOSPC, and then nothing has changed that a read shows. One that has been set aside before is data
   * from then on, to SEEK_DATA and SEEK_HOLE: so it is in Linux' tmpfs.
   */
  reserve(at: number, length: number): number {
    const missing: number[] = [];
    for (let i = Math.floor(at / PAGE); i < Math.ceil((at + length) / PAGE); i++) {
      if (this.pages.has(i)) continue;
      if (this.reserved.has(i)) {
        this.pageFor(i);
        continue;
      }
      missing.push(i);
      if (this.space.usedPages + missing.length > this.space.pages) return -c.ENOSPC;
    }
    this.space.takePages(missing.length);
    for (const i of missing) this.reserved.add(i);
    return 0;
  }

  /** Makes a range a hole. */
  punch(at: number, length: number): void {
    const end = at + length;
    const [first, last] = [Math.ceil(at / PAGE), Math.floor(end / PAGE)];
    if (first <= last) this.drop(first, last);
    if (first > last) {
      this.pages.get(last)?.fill(0, at % PAGE, end % PAGE);
      return;
    }
    if (at % PAGE > 0) this.pages.get(first - 1)?.fill(0, at % PAGE);
    if (end % PAGE > 0) this.pages.get(last)?.fill(0, 0, end % PAGE);
  }

  /** The first byte from at on that lies in data, or in a hole (the end is one). -ENXIO beyond the end. (lseek(2)) */
  seek(at: number, hole: boolean): number {
    if (at < 0 || at >= this.length) return -c.ENXIO;
    const first = Math.floor(at / PAGE);
    let found: number;
    if (hole) {
      found = first;
      while (this.pages.has(found)) found++;
    } else {
      found = Infinity;
      for (const i of this.pages.keys()) if (i >= first && i < found) found = i;
    }
    const byte = Math.max(at, found * PAGE);
    if (hole) return Math.min(byte, this.length);
    return byte < this.length ? byte : -c.ENXIO;
  }

  protected override free(): void {
    this.drop(0, Infinity);
    this.length = 0;
  }

  private pageFor(i: number): Uint8Array | undefined {
    let page = this.pages.get(i);
    if (page !== undefined) return page;
    if (!this.reserved.delete(i) && !this.space.takePages(1)) return undefined;
    page = new Uint8Array(PAGE);
    this.pages.set(i, page);
    return page;
  }

  /** Gives back the pages first to end - 1. */
  private drop(first: number, end: number): void {
    const before = this.pages.size + this.reserved.size;
    for (const held of [this.pages, this.reserved]) {
      if (end - first <= held.size) for (let i = first; i < end; i++) held.delete(i);
      else for (const i of held.keys()) if (i >= first && i < end) held.delete(i);
    }
    this.space.usedPages -= before - this.pages.size - this.reserved.size;
  }
}
