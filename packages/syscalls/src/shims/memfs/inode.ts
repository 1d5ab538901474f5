/**
 * inode.ts: what all files, directories and symbolic links have: number, mode, owner, link count, times.
 *
 * Invariant: what an inode holds is given back when it has neither a name nor an open descriptor any more, and not before.
 */
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
  readonly btime: Time;

  constructor(space: Space, { mode, uid, gid }: Attributes) {
    this.space = space;
    this.ino = space.nextIno();
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.atime = this.mtime = this.ctime = this.btime = now();
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
