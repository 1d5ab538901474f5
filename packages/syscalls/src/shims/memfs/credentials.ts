/** credentials.ts: as whom the tree is used, and what that permits: the kernel's rules for modes (path_resolution(7), inode(7)). */
import { constants as c } from '../../generated/constants.ts';
import type { Directory } from './inodes/directory.ts';
import type { Attributes, Inode } from './inodes/inode.ts';

/** What access(2) asks for, too. */
export const MAY_READ = 4;
export const MAY_WRITE = 2;
export const MAY_EXECUTE = 1;

export class Credentials {
  readonly uid: number;
  readonly gid: number;
  umask: number;
  private readonly groups: ReadonlySet<number>;

  constructor(uid: number, gid: number, groups: readonly number[], umask: number) {
    this.uid = uid;
    this.gid = gid;
    this.groups = new Set([gid, ...groups]);
    this.umask = umask;
  }

  get root(): boolean {
    return this.uid === 0;
  }

  inGroup(gid: number): boolean {
    return this.groups.has(gid);
  }

  owns(inode: Inode): boolean {
    return this.root || inode.uid === this.uid;
  }

  /** Whether all of what (MAY_*) is permitted. */
  may(inode: Inode, what: number): boolean {
    const { mode } = inode;
    if (this.root)
      return (what & MAY_EXECUTE) === 0 || (mode & c.S_IFMT) === c.S_IFDIR || (mode & 0o111) !== 0;
    const bits = inode.uid === this.uid ? mode >> 6 : this.groups.has(inode.gid) ? mode >> 3 : mode;
    return (bits & what) === what;
  }

  /** 0 where an entry of a directory may be removed or renamed, else -errno. */
  mayRemove(directory: Directory, inode: Inode): number {
    if (!this.may(directory, MAY_WRITE | MAY_EXECUTE)) return -c.EACCES;
    const sticky = (directory.mode & c.S_ISVTX) !== 0;
    return sticky && !this.owns(inode) && directory.uid !== this.uid ? -c.EPERM : 0;
  }

  /** What a new file gets in a directory. mode is what was asked for. */
  attributes(parent: Directory, mode: number, isDirectory: boolean): Attributes {
    const inherits = (parent.mode & c.S_ISGID) !== 0;
    const gid = inherits ? parent.gid : this.gid;
    let bits = mode & ~this.umask & 0o7777;
    if (inherits && isDirectory) bits |= c.S_ISGID;
    else if (inherits && (bits & 0o2010) === 0o2010 && !this.root && !this.inGroup(gid)) bits &= ~c.S_ISGID;
    return { mode: bits, uid: this.uid, gid };
  }

  /** A file that runs as somebody else does so no more, once its contents or its owner have changed. */
  stripPrivileges(inode: Inode): void {
    const { mode, gid } = inode;
    if ((mode & c.S_IFMT) === c.S_IFDIR) return;
    const keepsGroup = (mode & 0o010) === 0 && (this.root || this.inGroup(gid));
    inode.mode = mode & ~c.S_ISUID & ~(keepsGroup ? 0 : c.S_ISGID);
  }

  /** The same for contents only, which root may change without that. */
  written(inode: Inode): void {
    if (!this.root) this.stripPrivileges(inode);
  }
}
