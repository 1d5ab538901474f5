/**
 * real-upper.ts: the upper layer as programs have it: real files in a folder of this process', over the lower directories. What lies below is copied there before it is changed;
 * what is hidden of it is known here, and nowhere on the disk.
 *
 * Paths are byte strings. `virtual` is as the program knows it, `real` where it is; `path` is from the first directory on that leads to the overlay and is nowhere else: the
 * overlay's own (''), or one above it.
 *
 * Invariants: nothing is written to a lower directory; a directory that somebody has looked at is in the folder, so that it is the same each time. The folder is gone when the process has
 * ended.
 */
import { constants as c } from '../../../generated/constants.ts';
import { native } from '../../../native.ts';
import { nodeFs } from '../../../node-fs.ts';
import { toByteString, toBytes } from '../../memfs/paths/byte-string.ts';
import { makeFolder, removeFolder } from '../../memfs/programs/folder.ts';
import { LayerError, type LayerStat, lstatOf, xattrsOf } from '../layer.ts';
import { Identities } from './identities.ts';
import { isDirectory, Lowers, split, typeOf } from './lowers.ts';

/** What is at a path. */
export interface There {
  readonly real: string;
  readonly stat: LayerStat;
  readonly isUpper: boolean;
}

const within = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`);
const NS = 1_000_000_000n;

/** The first directory on the way to a path that is not there; or the path. */
function firstMissing(path: string): string {
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
    if (lstatOf(path.slice(0, end)) === undefined) return path.slice(0, end);
  return path;
}

export class RealUpper {
  /** Where it begins; and the overlay's directory, from there on. */
  readonly at: string;
  readonly within: string;
  readonly lowers: Lowers;
  readonly identities: Identities;
  /** Whether all files have the owners that they should have: only root may say so. */
  owners = true;
  private readonly folder: string;
  /** Where it begins, there. */
  private readonly root: string;
  /** Paths below which nothing of the lower directories shows, the path itself included. */
  private readonly hidden = new Set<string>();
  /** Directories that are in the folder with all directories that are in them. */
  private readonly complete = new Set<string>();
  /** The names below in directories that somebody lists, in their order. */
  private readonly lists = new Map<string, Set<string>>();
  private readonly onExit = (): void => this.remove();

  constructor(at: string, layers: readonly string[]) {
    this.at = firstMissing(at);
    this.within = at.slice(this.at.length);
    this.lowers = new Lowers(layers);
    this.folder = makeFolder('overlay');
    process.on('exit', this.onExit);
    this.root = `${toByteString(this.folder)}/0`;
    if (this.within !== '') nodeFs.mkdirSync(toBytes(this.upper(split(this.within)[0])), { recursive: true });
    this.identities = new Identities(toByteString(this.folder), layers[0] as string);
    this.make(this.within);
  }

  // ---------------------------------------------------------------- where what is

  /** undefined for what is not in it. */
  path(virtual: string): string | undefined {
    return within(virtual, this.at) ? virtual.slice(this.at.length) : undefined;
  }

  upper(path: string): string {
    return this.root + path;
  }

  /** What the program knows a real path in the folder as. */
  virtual(real: string): string | undefined {
    return within(real, this.root) ? this.at + real.slice(this.root.length) : undefined;
  }

  /** The same for what lies below: the path of a file that it has open. */
  shown(real: string): string | undefined {
    const layer = this.lowers.layers.find((each) => within(real, each));
    return (
      this.virtual(real) ??
      (layer === undefined ? undefined : this.at + this.within + real.slice(layer.length))
    );
  }

  /** Whether what lies below shows at a path. */
  isVisible(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.hidden.has(path.slice(0, end))) return false;
    return true;
  }

  find(path: string): There | undefined {
    const real = this.upper(path);
    const stat = lstatOf(real);
    if (stat !== undefined) return { real, stat, isUpper: true };
    const below = this.below(path);
    return below && { real: below.path, stat: below.stat, isUpper: false };
  }

  /** What shows of the lower directories. */
  below(path: string): ReturnType<Lowers['find']> {
    return this.isVisible(path) ? this.lower(path) : undefined;
  }

  /** The names in a directory that are not in the folder. */
  namesBelow(path: string): string[] {
    if (!this.isVisible(path) || !within(path, this.within)) return [];
    return this.lowers
      .names(path.slice(this.within.length))
      .filter(
        (name) => !this.hidden.has(`${path}/${name}`) && lstatOf(this.upper(`${path}/${name}`)) === undefined,
      );
  }

  /** The names in a directory that lie below, or have lain there: some may be hidden or copied by now. Names are only ever added. afresh: as there are now. */
  listed(path: string, afresh: boolean): ReadonlySet<string> {
    const known = this.lists.get(path);
    if (known !== undefined && !afresh) return known;
    const names = known ?? new Set();
    if (this.isVisible(path) && within(path, this.within)) {
      for (const name of this.lowers.names(path.slice(this.within.length))) names.add(name);
      this.lists.set(path, names);
    }
    return names;
  }

  /** Nothing of the lower directories shows there any more. */
  hide(path: string): void {
    const below = this.lower(path);
    if (below === undefined || isDirectory(below.stat))
      for (const known of [this.hidden, this.complete, this.lists])
        for (const each of known.keys()) if (within(each, path)) known.delete(each);
    if (below !== undefined) this.hidden.add(path);
  }

  private lower(path: string): ReturnType<Lowers['find']> {
    return within(path, this.within) ? this.lowers.find(path.slice(this.within.length)) : undefined;
  }

  /** The paths that are hidden, those above first. */
  get hiddenPaths(): string[] {
    return [...this.hidden].sort();
  }

  setHidden(path: string): void {
    this.hidden.add(path);
  }

  // ---------------------------------------------------------------- into the folder

  /** A directory, and those above it. What is there is one, or nothing happens. */
  make(path: string): void {
    const real = this.upper(path);
    if (lstatOf(real) !== undefined) return;
    const below = this.below(path);
    if (below === undefined || !isDirectory(below.stat)) return;
    if (path === this.within) nodeFs.mkdirSync(toBytes(real), 0o700);
    else this.inParent(path, () => nodeFs.mkdirSync(toBytes(real), 0o700));
    this.copyAttributes(below.path, below.stat, real);
  }

  /** A directory that somebody looks at, with those that are in it: later it would be another by each that is made then, with other times, size and links. */
  show(path: string): void {
    this.make(path);
    if (this.complete.has(path) || !within(path, this.within) || !this.isVisible(path)) return;
    this.complete.add(path);
    let missing: string[];
    try {
      missing = this.namesBelow(path);
    } catch (error) {
      if (error instanceof LayerError) return; // who lists it will be told
      throw error;
    }
    for (const name of missing) this.make(`${path}/${name}`);
  }

  /** Makes something in a directory of the folder, which is as old then as it was. */
  private inParent(path: string, make: () => void): void {
    const [parent] = split(path);
    this.make(parent);
    const real = this.upper(parent);
    const at = toBytes(real);
    const before = lstatOf(real);
    try {
      make();
    } catch (error) {
      // The folder's owner may write there, whatever the directory's mode says to others.
      if (before === undefined || (error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
      nodeFs.chmodSync(at, (Number(before.mode) & 0o7777) | 0o700);
      try {
        make();
      } finally {
        nodeFs.chmodSync(at, Number(before.mode) & 0o7777);
      }
    }
    if (before !== undefined) this.setTimes(at, before);
  }

  /** A file, or whatever else it is. empty: without what is in it. Whether it has been copied now. */
  copy(path: string, empty = false): boolean {
    const there = this.find(path);
    if (there === undefined || there.isUpper) return false;
    if (isDirectory(there.stat)) {
      this.make(path);
      return true;
    }
    this.inParent(path, () => this.copyContents(there, this.upper(path), empty));
    this.copyAttributes(there.real, there.stat, this.upper(path));
    return true;
  }

  private copyContents(there: There, real: string, empty: boolean): void {
    const [from, to] = [toBytes(there.real), toBytes(real)];
    const type = typeOf(there.stat);
    if (type === c.S_IFLNK) nodeFs.symlinkSync(nodeFs.readlinkSync(from, 'buffer'), to);
    else if (type !== c.S_IFREG)
      native.call(c.SYS_mknod, to, Number(there.stat.mode), Number(there.stat.rdev));
    else if (empty) nodeFs.closeSync(nodeFs.openSync(to, 'wx', 0o600));
    else nodeFs.copyFileSync(from, to, nodeFs.constants.COPYFILE_FICLONE);
  }

  /** With all that is in it. */
  copyWhole(path: string): void {
    this.copy(path);
    const there = this.find(path);
    if (there === undefined || !isDirectory(there.stat)) return;
    const names = nodeFs.readdirSync(toBytes(this.upper(path)), 'buffer').map((name) => toByteString(name));
    for (const name of [...names, ...this.namesBelow(path)]) this.copyWhole(`${path}/${name}`);
  }

  private copyAttributes(from: string, stat: LayerStat, to: string): void {
    const at = toBytes(to);
    const there = lstatOf(to);
    if (there === undefined) return;
    this.identities.keep(there, stat);
    if (there.uid !== stat.uid || there.gid !== stat.gid) this.copyOwner(at, stat);
    for (const [name, value] of xattrsOf(from))
      native.call(c.SYS_lsetxattr, at, toBytes(name), value, value.length, 0);
    if (typeOf(stat) !== c.S_IFLNK) nodeFs.chmodSync(at, Number(stat.mode) & 0o7777);
    this.setTimes(at, stat);
  }

  private setTimes(at: Buffer, stat: LayerStat): void {
    const times = Buffer.alloc(32);
    [stat.atimeNs / NS, stat.atimeNs % NS, stat.mtimeNs / NS, stat.mtimeNs % NS].forEach((value, i) => {
      times.writeBigInt64LE(value, i * 8);
    });
    native.call(c.SYS_utimensat, c.AT_FDCWD, at, times, c.AT_SYMLINK_NOFOLLOW);
  }

  private copyOwner(at: Buffer, { uid, gid }: LayerStat): void {
    try {
      nodeFs.lchownSync(at, Number(uid), Number(gid));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      this.owners = false;
    }
  }

  /** Nothing is left of it. */
  remove(): void {
    process.off('exit', this.onExit);
    removeFolder(this.folder);
  }
}
