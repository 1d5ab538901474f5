/**
 * inode.ts: what all files, directories and symbolic links have: number, mode, owner, link count, times.
 *
 * Invariant: what an inode holds is given back when it has neither a name nor an open descriptor any more, and not before.
 */

import type { Watch } from '../watching/watch.ts';
import type { Space } from './space.ts';
import { now, type Time } from './time.ts';

export interface Attributes {
  /** Type and permissions. */
  mode: number;
  uid: number;
  gid: number;
}

export abstract class Inode {
  readonly ino: number;
  readonly space: Space;
  mode: number;
  uid: number;
  gid: number;
  nlink = 1;
  /** Open file descriptions of it. */
  opens = 0;
  atime: Time;
  mtime: Time;
  ctime: Time;
  btime: Time;
  /** Extended attributes, by name; undefined until somebody asks. */
  private attributes: Map<string, Buffer> | undefined;
  /** Who is told of what happens to it; undefined where nobody is. */
  watches: readonly Watch[] | undefined;

  constructor(space: Space, { mode, uid, gid }: Attributes) {
    this.space = space;
    this.ino = space.nextIno();
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.atime = this.mtime = this.ctime = this.btime = now();
  }

  get xattrs(): Map<string, Buffer> {
    this.attributes ??= this.loadXattrs();
    return this.attributes;
  }

  /** Those that it has had from the beginning. */
  protected loadXattrs(): Map<string, Buffer> {
    return new Map();
  }

  /** Link count and device as stat shows them. */
  get links(): number {
    return this.nlink;
  }

  /** A path where it is opened instead; undefined for what memory has. */
  get elsewhere(): string | undefined {
    return undefined;
  }

  get rdev(): number {
    return 0;
  }

  /** Bytes, as stat shows them. */
  abstract get size(): number;

  /** Of 512 bytes. */
  get blocks(): number {
    return 0;
  }

  /** Its contents have changed. */
  touch(): void {
    this.mtime = this.ctime = now();
  }

  /** Its attributes have changed. */
  touchAttributes(): void {
    this.ctime = now();
  }

  /** It has been read. As mounted with relatime: noted where the last change, or a day, lies between (mount(8)). */
  accessed(): void {
    const time = now();
    const { atime } = this;
    const later = (t: Time): boolean => t.sec > atime.sec || (t.sec === atime.sec && t.nsec >= atime.nsec);
    if (later(this.mtime) || later(this.ctime) || time.sec - atime.sec >= 86_400) this.atime = time;
  }

  /** One name less. */
  unlinked(): void {
    this.nlink--;
    this.ctime = now();
    if (this.nlink > 0) this.space.giveInode();
    this.settle();
  }

  opened(): void {
    this.opens++;
  }

  closed(): void {
    this.opens--;
    this.settle();
  }

  private settle(): void {
    if (this.nlink > 0 || this.opens > 0) return;
    this.space.giveInode();
    this.free();
  }

  /** Gives back the pages it holds. */
  protected free(): void {}
}
