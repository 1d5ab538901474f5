/**
 * exchange.ts: an overlay from memory into the folder that programs have (push), and back (pull).
 *
 * Invariant: what is the same as in the lower directories is neither in the one, by what push() writes, nor changed in the other.
 */
import { constants as c } from '../../../generated/constants.ts';
import { nodeFs } from '../../../node-fs.ts';
import { directory, file, inodeOf, type MemfsContent, symlink } from '../../memfs/content.ts';
import { InodeWriter } from '../../memfs/inode-writer.ts';
import { Directory, Entry } from '../../memfs/inodes/directory.ts';
import type { Inode } from '../../memfs/inodes/inode.ts';
import type { Time } from '../../memfs/inodes/time.ts';
import { toByteString, toBytes, toText } from '../../memfs/paths/byte-string.ts';
import { type LayerStat, lstatOf } from '../layer.ts';
import { LayeredDirectory } from '../layered-directory.ts';
import { LowerFile } from '../lower-file.ts';
import type { State } from '../state.ts';
import { isDirectory, typeOf } from './lowers.ts';
import type { RealUpper } from './real-upper.ts';

const NS = 1_000_000_000n;

class Pushing extends InodeWriter {
  private readonly state: State;
  private readonly upper: RealUpper;

  constructor(state: State, upper: RealUpper) {
    super();
    this.state = state;
    this.upper = upper;
  }

  /** What is other in a directory that lies below, too. */
  directory(at: LayeredDirectory, path: string): void {
    if (at.original === undefined) return;
    for (const name of at.original.keys()) if (!at.names.has(name)) this.upper.setHidden(`${path}/${name}`);
    for (const { name, inode } of at.names.values()) {
      const child = `${path}/${name}`;
      const real = this.upper.upper(child);
      const before = at.original.get(name);
      const { loader } = this.state;
      if (before !== inode) {
        this.upper.make(path);
        this.whole(inode, real);
        if (before !== undefined) this.upper.setHidden(child);
      } else if (inode instanceof LayeredDirectory) {
        if (loader.hasOtherAttributes(inode)) {
          this.upper.make(child);
          this.attributes(inode, real);
        }
        this.directory(inode, child);
      } else if ((inode instanceof LowerFile && inode.isCopied) || loader.hasOtherAttributes(inode)) {
        this.upper.make(path);
        this.whole(inode, real);
      }
    }
  }

  protected override owner(inode: Inode, path: string): void {
    try {
      super.owner(inode, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      this.upper.owners = false;
    }
  }
}

/** What has been changed in memory, into the folder. */
export function push(state: State, upper: RealUpper): void {
  new Pushing(state, upper).directory(state.root, upper.within);
}

// ---------------------------------------------------------------- back

const timeOf = (ns: bigint): Time => ({ sec: Number(ns / NS), nsec: Number(ns % NS) });

/** owners: whether those in the folder are the ones that programs have given. */
function attributesTo(inode: Inode, stat: LayerStat, owners: boolean): void {
  const [mode, uid, gid] = [Number(stat.mode) & 0o7777, Number(stat.uid), Number(stat.gid)];
  if ((inode.mode & 0o7777) !== mode) inode.mode = (inode.mode & ~0o7777) | mode;
  if (owners && inode.uid !== uid) inode.uid = uid;
  if (owners && inode.gid !== gid) inode.gid = gid;
  const mtime = timeOf(stat.mtimeNs);
  if (inode.mtime.sec !== mtime.sec || inode.mtime.nsec !== mtime.nsec) inode.mtime = mtime;
}

/** What lies at a real path, with all that is in it. */
function contentAt(real: string, stat: LayerStat): MemfsContent {
  const at = toBytes(real);
  const attributes = {
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number(stat.mtimeNs) / 1e9,
  };
  const type = typeOf(stat);
  if (type === c.S_IFLNK) {
    const { uid, gid, mtime } = attributes;
    return symlink(toText(toByteString(nodeFs.readlinkSync(at, 'buffer'))), { uid, gid, mtime });
  }
  if (type !== c.S_IFDIR) return file(type === c.S_IFREG ? nodeFs.readFileSync(at) : '', attributes);
  const names = nodeFs.readdirSync(at, 'buffer').map((name) => toByteString(name));
  return directory(
    Object.fromEntries(
      names.map((name) => [
        toText(name),
        contentAt(`${real}/${name}`, lstatOf(`${real}/${name}`) as LayerStat),
      ]),
    ),
    attributes,
  );
}

function fileTo(inode: LowerFile, real: string): void {
  const data = nodeFs.readFileSync(toBytes(real));
  const before = Buffer.alloc(inode.size);
  inode.read(before, 0);
  if (before.equals(data)) return;
  inode.resize(0);
  inode.write(data, 0);
}

function hide(state: State, path: string): void {
  const names = path.slice(1).split('/');
  const last = names.pop() as string;
  let at: Inode | undefined = state.root;
  for (const name of names) at = at instanceof Directory ? at.names.get(name)?.inode : undefined;
  const entry = at instanceof Directory ? at.names.get(last) : undefined;
  if (entry !== undefined) state.volume.remove(at as Directory, entry);
}

function pullDirectory(state: State, upper: RealUpper, at: Directory, path: string): void {
  const names = nodeFs.readdirSync(toBytes(upper.upper(path)), 'buffer').map((name) => toByteString(name));
  for (const name of names) {
    const child = `${path}/${name}`;
    const real = upper.upper(child);
    const stat = lstatOf(real) as LayerStat;
    const there = at.names.get(name);
    if (isDirectory(stat) && there?.inode instanceof Directory) {
      pullDirectory(state, upper, there.inode, child);
      attributesTo(there.inode, stat, upper.owners);
    } else if (typeOf(stat) === c.S_IFREG && there?.inode instanceof LowerFile) {
      fileTo(there.inode, real);
      attributesTo(there.inode, stat, upper.owners);
    } else {
      if (there !== undefined) state.volume.remove(at, there);
      state.volume.add(at, new Entry(name, inodeOf(state.volume, toText(child), contentAt(real, stat))));
    }
  }
}

/** What is in the folder, laid over an overlay that nobody has changed. */
export function pull(state: State, upper: RealUpper): State {
  for (const path of upper.hiddenPaths) hide(state, path.slice(upper.within.length));
  pullDirectory(state, upper, state.root, upper.within);
  return state;
}
