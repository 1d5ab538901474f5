/**
 * space.ts: how much room a tree has, and how much of it is taken: pages of data and inodes, counted as tmpfs counts them (tmpfs(5)).
 *
 * Invariant: usedPages is the number of pages that files and long symbolic links hold, unlinked but open ones included.
 */

/** Bytes of a page: the unit in which files grow. */
export const PAGE = 4096;

export class Space {
  pages: number;
  inodes: number;
  usedPages = 0;
  usedInodes = 0;
  private lastIno = 0;

  constructor(pages: number, inodes: number) {
    this.pages = pages;
    this.inodes = inodes;
  }

  /** Whether there was room for so many pages more; takes them. */
  takePages(count: number): boolean {
    if (this.usedPages + count > this.pages) return false;
    this.usedPages += count;
    return true;
  }

  /** The same for an inode, or for another name of one, which tmpfs counts, too. */
  takeInode(): boolean {
    if (this.usedInodes >= this.inodes) return false;
    this.usedInodes++;
    return true;
  }

  giveInode(): void {
    this.usedInodes--;
  }

  /** Something that lies elsewhere and costs nothing here: there is as much more room as it will be counted for. */
  lend(pages: number): void {
    this.inodes++;
    this.usedInodes++;
    this.pages += pages;
    this.usedPages += pages;
  }

  nextIno(): number {
    return ++this.lastIno;
  }
}
