/**
 * loader.ts: makes the inodes of what lies in the lower layers.
 *
 * Invariant: one file of a layer is one inode, whichever of its names is looked at: so hard links stay together when it is changed.
 */
import { constants as c } from '../../generated/constants.ts';
import type { Attributes, Inode } from '../memfs/inodes/inode.ts';
import { SymbolicLink } from '../memfs/inodes/symbolic-link.ts';
import type { Time } from '../memfs/inodes/time.ts';
import type { Volume } from '../memfs/volume.ts';
import { isOpaque, isWhiteout, type LayerStat, lstatOf, namesIn, targetOf } from './layer.ts';
import { LayeredDirectory, type Loader } from './layered-directory.ts';
import { LowerFile } from './lower-file.ts';
import { LowerLink, SpecialFile } from './lower-others.ts';

const SECOND = 1_000_000_000n;

function timeOf(ns: bigint): Time {
  const nsec = ((ns % SECOND) + SECOND) % SECOND;
  return { sec: Number((ns - nsec) / SECOND), nsec: Number(nsec) };
}

function attributesOf({ mode, uid, gid }: LayerStat): Attributes {
  return { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid) };
}

const typeOf = ({ mode }: LayerStat): number => Number(mode) & c.S_IFMT;

export class LayerLoader implements Loader {
  private readonly volume: Volume;
  /** Files with more than one name, by device and number. */
  private readonly linked = new Map<string, Inode>();

  /** Their attributes as they were. */
  private readonly before = new WeakMap<Inode, { mode: number; uid: number; gid: number; mtime: Time }>();

  constructor(volume: Volume) {
    this.volume = volume;
  }

  /** Each name once, whiteouts' too. */
  names(sources: readonly string[]): Iterable<string> {
    return new Set(sources.flatMap((source) => namesIn(source)));
  }

  inode(sources: readonly string[], name: string): Inode | undefined {
    for (const [i, source] of sources.entries()) {
      const path = `${source}/${name}`;
      const stat = lstatOf(path);
      if (stat === undefined) continue;
      if (isWhiteout(stat)) return undefined;
      if (typeOf(stat) !== c.S_IFDIR) return this.file(path, stat);
      const below = sources.slice(i + 1).map((other) => `${other}/${name}`);
      return this.directory([path, ...below], stat);
    }
    return undefined;
  }

  /** A directory out of the first of some paths and those of the others that show through it. */
  directory(paths: readonly string[], stat: LayerStat): LayeredDirectory {
    const sources: string[] = [];
    for (const [i, path] of paths.entries()) {
      const found = i === 0 ? stat : lstatOf(path);
      if (found === undefined) continue;
      if (typeOf(found) !== c.S_IFDIR) break;
      sources.push(path);
      if (isOpaque(path)) break;
    }
    this.volume.space.lend(0);
    const { space } = this.volume;
    return this.adopt(new LayeredDirectory(space, attributesOf(stat), sources, stat, this), stat);
  }

  /** Whether something of a lower layer has another mode, owner or, unless it is a directory, modification time than there. */
  hasOtherAttributes(inode: Inode): boolean {
    const before = this.before.get(inode);
    if (before === undefined) return false;
    const { mode, uid, gid, mtime } = inode;
    if (mode !== before.mode || uid !== before.uid || gid !== before.gid) return true;
    return !(inode instanceof LayeredDirectory) && mtime !== before.mtime;
  }

  private file(path: string, stat: LayerStat): Inode {
    const key = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined;
    const known = key === undefined ? undefined : this.linked.get(key);
    if (known !== undefined) {
      this.volume.space.lend(0); // for its other name
      return known;
    }
    const made = this.make(path, stat);
    made.nlink = Number(stat.nlink);
    if (key !== undefined) this.linked.set(key, made);
    return made;
  }

  private make(path: string, stat: LayerStat): Inode {
    const { space } = this.volume;
    const type = typeOf(stat);
    const target = type === c.S_IFLNK ? targetOf(path) : '';
    space.lend(SymbolicLink.pages(target));
    if (type === c.S_IFLNK) return this.adopt(new LowerLink(space, target, attributesOf(stat), path), stat);
    const Kind = type === c.S_IFREG ? LowerFile : SpecialFile;
    return this.adopt(new Kind(space, attributesOf(stat), path, stat), stat);
  }

  private adopt<I extends Inode>(inode: I, stat: LayerStat): I {
    inode.atime = timeOf(stat.atimeNs);
    inode.mtime = timeOf(stat.mtimeNs);
    inode.ctime = timeOf(stat.ctimeNs);
    inode.btime = timeOf(stat.birthtimeNs);
    const { mode, uid, gid, mtime } = inode;
    this.before.set(inode, { mode, uid, gid, mtime });
    return inode;
  }
}
