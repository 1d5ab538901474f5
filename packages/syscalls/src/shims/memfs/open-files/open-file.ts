/** open-file.ts: an open file description: what descriptors share that were made from one another by dup (open(2)). */
import { constants as c } from '../../../generated/constants.ts';
import type { Entry } from '../inodes/directory.ts';
import type { Inode } from '../inodes/inode.ts';
import { used } from '../watching/events.ts';

/** What F_SETFL can change. */
const SETTABLE = c.O_APPEND | c.O_NONBLOCK | c.O_DIRECT | c.O_NOATIME;

export class OpenFile {
  /** The name it was opened by; for one without a name, an entry that is in no directory. */
  readonly entry: Entry;
  readonly readable: boolean;
  readonly writable: boolean;
  /** O_PATH: stands for a place only. */
  readonly pathOnly: boolean;
  /** As F_GETFL answers. */
  flags: number;
  /** Bytes, or a directory's position. */
  position = 0;
  /** How many descriptors there are. */
  descriptors = 0;

  constructor(entry: Entry, flags: number) {
    const access = flags & 3;
    this.entry = entry;
    this.flags = flags;
    this.pathOnly = (flags & c.O_PATH) !== 0;
    this.readable = !this.pathOnly && (access === c.O_RDONLY || access === c.O_RDWR);
    this.writable = !this.pathOnly && (access === c.O_WRONLY || access === c.O_RDWR);
  }

  get inode(): Inode {
    return this.entry.inode;
  }

  setFlags(flags: number): void {
    this.flags = (this.flags & ~SETTABLE) | (flags & SETTABLE);
  }

  /** It has been read from; told where there was something to read. */
  accessed(told = true): void {
    if ((this.flags & c.O_NOATIME) === 0) this.inode.accessed();
    if (told) used(this.entry, c.IN_ACCESS);
  }
}
