/**
 * directory.ts: a directory and its entries. An entry is a name in a place: it moves when it is renamed, and whoever has opened it sees that.
 *
 * Invariants: an entry's position never changes while it stays in its directory and is never used again, so that a listing that goes on
 * later neither repeats an entry nor misses one. order is sorted by position. nlink is 2 and one for each directory in it.
 */
import { constants as c } from '../../../generated/constants.ts';
import type { MountPoint } from '../paths/mount-point.ts';
import { gone } from '../watching/events.ts';
import { type Attributes, Inode } from './inode.ts';
import type { Space } from './space.ts';

/** What tmpfs says an entry takes. */
const ENTRY_SIZE = 20;
/** 0 and 1 are "." and "..". */
const FIRST_POSITION = 2;

/** A place in a directory's order, which stays when its entry goes. */
interface Slot {
  readonly position: number;
  entry: Entry | undefined;
}

export class Entry {
  /** A byte string. */
  name: string;
  readonly inode: Inode;
  /** The directory it lies in, or lay in when it was removed; undefined for what is mounted. */
  parent: Directory | undefined;
  /** Where it is in its directory's order. */
  slot: Slot | undefined;
  removed = false;
  /** Where it is mounted. */
  mount: MountPoint | undefined;
  /** Open file descriptions, working directories, and removed entries in it that are held themselves. */
  private holders = 0;
  private holdsParent = false;

  constructor(name: string, inode: Inode) {
    this.name = name;
    this.inode = inode;
    if (inode instanceof Directory) inode.entry = this;
  }

  /** A file that has never had a name lies in a directory, which is held as long as it is itself. */
  lieIn(directory: Directory): void {
    this.parent = directory;
    this.removed = true;
    this.holdsParent = true;
    directory.entry.hold();
  }

  hold(): void {
    this.holders++;
  }

  /** The opposite of hold(). What has no name any more is gone with its last holder. */
  letGo(): void {
    if (--this.holders === 0 && this.removed) this.settle();
  }

  /** It has been removed: watches of its inode end now, or when nobody holds it any more. */
  settle(): void {
    const { parent } = this;
    if (this.holders > 0) {
      if (!this.holdsParent) parent?.entry.hold();
      this.holdsParent = true;
      return;
    }
    if (this.inode.nlink === 0) gone(this.inode);
    if (this.holdsParent) parent?.entry.letGo();
    this.holdsParent = false;
  }
}

export class Directory extends Inode {
  /** Its only name. */
  entry!: Entry;
  private readonly entries = new Map<string, Entry>();
  private order: Slot[] = [];
  private position = FIRST_POSITION;

  constructor(space: Space, attributes: Attributes) {
    super(space, { ...attributes, mode: (attributes.mode & 0o7777) | c.S_IFDIR });
    this.nlink = 2;
  }

  /** Its entries by their names. */
  get names(): Map<string, Entry> {
    return this.entries;
  }

  override get size(): number {
    return ENTRY_SIZE * (2 + this.names.size);
  }

  /** Whether it has been removed. */
  get dead(): boolean {
    return this.nlink === 0;
  }

  /** Puts an entry in, whose name must be free. */
  add(entry: Entry): void {
    this.put(entry);
    this.touch();
  }

  /** The same, of one that has always been there. */
  protected put(entry: Entry): void {
    entry.parent = this;
    entry.removed = false;
    entry.slot = { position: this.position++, entry };
    this.entries.set(entry.name, entry);
    this.order.push(entry.slot);
    if (entry.inode instanceof Directory) this.nlink++;
  }

  /** Takes an entry out. The inode's link count is the caller's affair. */
  take(entry: Entry): void {
    this.entries.delete(entry.name);
    entry.removed = true;
    if (entry.slot !== undefined) entry.slot.entry = undefined;
    if (entry.inode instanceof Directory) this.nlink--;
    if (this.order.length > 32 && this.order.length > 2 * this.names.size)
      this.order = this.order.filter((slot) => slot.entry !== undefined);
    this.touch();
  }

  /** Takes an entry out for good. */
  remove(entry: Entry): void {
    this.take(entry);
    const { inode } = entry;
    if (inode instanceof Directory) inode.nlink = 1; // "." and the name go together
    inode.unlinked();
  }

  /** The entries from a position on, each with its own. */
  *from(position: number): Generator<[entry: Entry, position: number], void, void> {
    const { order } = this;
    let low = 0;
    for (let high = order.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((order[middle] as Slot).position < position) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < order.length; i++) {
      const { entry, position: at } = order[i] as Slot;
      if (entry !== undefined) yield [entry, at];
    }
  }
}

/** DT_*, of getdents64. */
export function direntType(inode: Inode): number {
  return (inode.mode & c.S_IFMT) >> 12;
}
