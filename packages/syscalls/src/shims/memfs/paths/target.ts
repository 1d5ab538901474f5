/** target.ts: where a path has led: to a place in the tree, or out of it. */
import { constants as c } from '../../../generated/constants.ts';
import type { Directory, Entry } from '../inodes/directory.ts';
import type { MountPoint } from './mount-point.ts';

/** Bytes of the longest name. */
export const NAME_MAX = 255;

/** What a path names in the tree. */
export class Target {
  /** Where the name would be, or is; undefined for what is mounted and what an open descriptor stands for. */
  readonly parent: Directory | undefined;
  readonly name: string;
  /** undefined where nothing has the name. */
  readonly entry: Entry | undefined;
  /** Whether the last component is a name, not "." or "..". */
  readonly isName: boolean;
  /** Whether a slash comes after it. */
  readonly slash: boolean;

  constructor(
    parent: Directory | undefined,
    name: string,
    entry: Entry | undefined,
    isName = true,
    slash = false,
  ) {
    this.parent = parent;
    this.name = name;
    this.entry = entry;
    this.isName = isName;
    this.slash = slash;
  }

  /** Why there is no entry, as -errno. */
  get missing(): number {
    return this.name.length > NAME_MAX && !this.parent?.dead ? -c.ENAMETOOLONG : -c.ENOENT;
  }
}

/** A path that ends in the real file system. */
export class Outside {
  /** Absolute, a byte string. */
  readonly path: string;
  /** Whether it has come out of the tree: only then it has to replace the path that was given. */
  readonly rewritten: boolean;
  /** The real directory on the way to a mount point that it is, if it is one. */
  readonly mount: MountPoint | undefined;

  constructor(path: string, rewritten: boolean, mount: MountPoint | undefined) {
    this.path = path;
    this.rewritten = rewritten;
    this.mount = mount;
  }
}
