/**
 * volume.ts: one tree in memory with all that belongs to it: where it is mounted, its open files, its working directory. What the calls work on.
 *
 * Not here: the calls (calls/), and the handle that users get (handle.ts).
 */
import { constants as c } from '../../generated/constants.ts';
import { treeMade } from '../../trees.ts';
import type { Credentials } from './credentials.ts';
import { Directory, type Entry } from './inodes/directory.ts';
import type { Space } from './inodes/space.ts';
import { Descriptors } from './open-files/descriptors.ts';
import { MountPoint } from './paths/mount-point.ts';
import { created, deleted, linksChanged } from './watching/events.ts';

/** Device numbers that the kernel gives to file systems without a device are counted from 1: ours from the other end. */
let nextDevice = (1 << 20) - 1;

const TMPFS_MAGIC = 0x01021994;

export class Volume {
  readonly root: MountPoint = new MountPoint('', undefined);
  readonly descriptors: Descriptors = new Descriptors();
  readonly space: Space;
  readonly credentials: Credentials;
  /** What statfs says it is. */
  readonly magic: number;
  /** The minor half of st_dev; the major one is 0. */
  readonly device: number = nextDevice--;
  /** Where relative paths begin, if chdir has gone into the tree. */
  workingDirectory: Directory | undefined;
  /** Moves with every change of what paths lead to. */
  changes = 0;

  constructor(space: Space, credentials: Credentials, magic: number = TMPFS_MAGIC) {
    treeMade();
    this.magic = magic;
    this.space = space;
    this.credentials = credentials;
  }

  /** A new name for an inode, in a directory that may be written to. 0, or -errno. */
  mayAdd(directory: Directory): number {
    if (directory.dead) return -c.ENOENT;
    return this.credentials.may(directory, 3) ? 0 : -c.EACCES;
  }

  add(directory: Directory, entry: Entry): void {
    directory.add(entry);
    this.changes++;
    created(entry);
  }

  /** Takes an entry out for good. */
  remove(directory: Directory, entry: Entry): void {
    directory.remove(entry);
    this.changes++;
    if (!(entry.inode instanceof Directory)) linksChanged(entry.inode);
    entry.settle();
    deleted(directory, entry);
  }
}
