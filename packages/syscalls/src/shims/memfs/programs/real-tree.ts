/**
 * real-tree.ts: a tree as programs have it: real files in a folder of this process', in memory (/dev/shm) where files there may be run. So they can be mapped, run, inherited and
 * passed on, and the kernel does what it does with files.
 *
 * Paths are byte strings (byte-string.ts). `virtual` is a path as the program knows it, `real` where that is.
 *
 * Invariant: the folder is gone when the process has ended; one that is killed leaves it to the next (folder.ts).
 */
import { posix } from 'node:path';
import { failure } from '../../../failure.ts';
import { constants as c } from '../../../generated/constants.ts';
import { nodeFs } from '../../../node-fs.ts';
import { directory, file, type MemfsAttributes, type MemfsContent, symlink } from '../content.ts';
import { Handle } from '../handle.ts';
import { InodeWriter } from '../inode-writer.ts';
import type { Inode } from '../inodes/inode.ts';
import type { SymbolicLink } from '../inodes/symbolic-link.ts';
import { credentialsOf, spaceOf } from '../options.ts';
import { toByteString, toBytes, toText } from '../paths/byte-string.ts';
import { mountAll } from '../paths/mounting.ts';
import { Volume } from '../volume.ts';
import { makeFolder, removeFolder } from './folder.ts';

interface Mount {
  readonly virtual: string;
  readonly real: string;
}

const within = (path: string, above: string): boolean =>
  path === above || path.startsWith(above === '/' ? '/' : `${above}/`);

class TreeWriter extends InodeWriter {
  private readonly tree: RealTree;

  constructor(tree: RealTree) {
    super();
    this.tree = tree;
  }

  protected override targetOf({ target }: SymbolicLink, path: string): string {
    return this.tree.realTarget(target, path);
  }

  protected override owner(inode: Inode, path: string): void {
    try {
      super.owner(inode, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      this.tree.owners = false;
    }
  }
}

export class RealTree {
  /** Whether all files have the owners that they were given: only root may say so. */
  owners = true;
  private readonly folder: string;
  private readonly mounts: readonly Mount[];
  private readonly onExit = (): void => this.remove();

  /** Throws what making files throws. */
  constructor(volume: Volume) {
    this.folder = makeFolder('memfs');
    process.on('exit', this.onExit);
    const roots = [...volume.root.roots()];
    this.mounts = roots.map(({ mount }, i) => ({
      virtual: mount?.path as string,
      real: `${toByteString(this.folder)}/${i}`,
    }));
    const writer = new TreeWriter(this);
    roots.forEach(({ inode }, i) => {
      writer.whole(inode, this.mounts[i]?.real as string);
    });
  }

  /** Where a path of the program's is; undefined for one that is not in the tree. It is absolute, without "." and "..". */
  real(virtual: string): string | undefined {
    const mount = this.mounts.find((each) => within(virtual, each.virtual));
    if (mount === undefined) return undefined;
    return (
      mount.real +
      (mount.virtual === '/' ? (virtual === '/' ? '' : virtual) : virtual.slice(mount.virtual.length))
    );
  }

  /** What the program knows a real path as; undefined for one that is not the tree's. */
  virtual(real: string): string | undefined {
    const mount = this.mounts.find((each) => within(real, each.real));
    if (mount === undefined) return undefined;
    const rest = real.slice(mount.real.length);
    return mount.virtual === '/' ? rest || '/' : mount.virtual + rest;
  }

  isMount(virtual: string): boolean {
    return this.mounts.some((each) => each.virtual === virtual);
  }

  /** The roots that are names in a directory, and where they are really. */
  namesIn(virtual: string): Map<string, string> {
    const roots = this.mounts.filter(
      (mount) => mount.virtual !== '/' && posix.dirname(mount.virtual) === virtual,
    );
    return new Map(roots.map((mount) => [posix.basename(mount.virtual), mount.real]));
  }

  /** What a link at a real path has to read, to lead where target does at its virtual one. */
  realTarget(target: string, path: string): string {
    if (target.startsWith('/')) return this.real(posix.normalize(target).replace(/(.)\/$/, '$1')) ?? target;
    const at = this.virtual(path) as string;
    const leads = posix.resolve(posix.dirname(at), target);
    const mount = this.mounts.find((each) => within(at, each.virtual)) as Mount;
    return within(leads, mount.virtual) ? target : (this.real(leads) ?? leads);
  }

  // ---------------------------------------------------------------- from outside

  private place(path: string, call: string): Buffer {
    const real = this.real(toByteString(posix.resolve(path)));
    if (real === undefined) throw failure(-c.ENOENT, call, path);
    return toBytes(real);
  }

  /** Does what node:fs does, with the program's path in errors. */
  private attempt(path: string, call: string, act: (at: Buffer) => void): void {
    try {
      act(this.place(path, call));
    } catch (error) {
      const { errno } = error as NodeJS.ErrnoException;
      throw errno === undefined ? error : failure(errno, call, path);
    }
  }

  writeFile(
    path: string,
    data: string | Uint8Array,
    { mode, uid, gid, atime, mtime }: MemfsAttributes,
  ): void {
    this.attempt(path, 'open', (at) => {
      nodeFs.writeFileSync(at, data);
      if (mode !== undefined) nodeFs.chmodSync(at, mode & 0o7777);
      if (uid !== undefined || gid !== undefined) {
        const is = nodeFs.statSync(at);
        nodeFs.chownSync(at, uid ?? is.uid, gid ?? is.gid);
      }
      if (atime !== undefined || mtime !== undefined)
        nodeFs.utimesSync(at, atime ?? new Date(), mtime ?? new Date());
    });
  }

  mkdir(path: string): void {
    this.attempt(path, 'mkdir', (at) => void nodeFs.mkdirSync(at, { recursive: true }));
  }

  symlink(target: string, path: string): void {
    const bytes = toByteString(target);
    this.attempt(path, 'symlink', (at) =>
      nodeFs.symlinkSync(toBytes(this.realTarget(bytes, at.toString('latin1'))), at),
    );
  }

  rm(path: string): void {
    const virtual = toByteString(posix.resolve(path));
    if (this.isMount(virtual)) throw failure(-c.EBUSY, 'rm', path);
    if (this.real(virtual) === undefined) return;
    this.attempt(path, 'rm', (at) => nodeFs.rmSync(at, { recursive: true, force: true }));
  }

  /** The tree as it is now, in memory: to look into. */
  pull(): Handle {
    const content = Object.fromEntries(
      this.mounts.map(({ virtual, real }) => [toText(virtual), this.content(real)]),
    );
    const volume = new Volume(spaceOf({}), credentialsOf({}));
    mountAll(volume, content as Record<string, MemfsContent>);
    return new Handle(volume);
  }

  private content(real: string): MemfsContent {
    const at = toBytes(real);
    const { mode, uid, gid, atime, mtime } = nodeFs.lstatSync(at);
    const attributes = { mode: mode & 0o7777, uid, gid, atime, mtime };
    const type = mode & c.S_IFMT;
    if (type === c.S_IFLNK) {
      const target = toByteString(nodeFs.readlinkSync(at, 'buffer'));
      return symlink(toText(this.virtual(target) ?? target), { uid, gid, mtime });
    }
    if (type !== c.S_IFDIR) return file(type === c.S_IFREG ? nodeFs.readFileSync(at) : '', attributes);
    const names = nodeFs.readdirSync(at, 'buffer').map((name) => toByteString(name));
    return directory(
      Object.fromEntries(names.map((name) => [toText(name), this.content(`${real}/${name}`)])),
      attributes,
    );
  }

  /** Nothing is left of it. */
  remove(): void {
    process.off('exit', this.onExit);
    removeFolder(this.folder);
  }
}
