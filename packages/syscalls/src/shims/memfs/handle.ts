/**
 * handle.ts: what a program sees of a tree from outside, to fill it and to look into it: no system calls, no permissions, from everywhere at once.
 *
 * Not here: system calls on it, which go through the port the shim is on.
 */
import { isAbsolute } from 'node:path';
import { invalidType } from '@libcr/core/internal';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { workingDirectory } from '../../working-directory.ts';
import { contentOf, file, inodeOf, type Marked, type MemfsAttributes, symlink } from './content.ts';
import { Credentials } from './credentials.ts';
import { Directory, Entry } from './inodes/directory.ts';
import { RegularFile } from './inodes/file.ts';
import type { Inode } from './inodes/inode.ts';
import { toByteString, toText } from './paths/byte-string.ts';
import { FOLLOW, NAME, walk } from './paths/path-walk.ts';
import { Target } from './paths/target.ts';
import type { Volume } from './volume.ts';
import { used } from './watching/events.ts';

const ANYTHING = new Credentials(0, 0, [], 0);

/** How much of a tree is in use. */
export interface MemfsUsage {
  /** Bytes of pages. */
  bytes: number;
  /** Files, directories and links, and further names of files. */
  inodes: number;
  /** Descriptors that stand for something in it. */
  descriptors: number;
}

/**
 * What can be done with a tree from outside: none of it blocks, makes a system call through the port or looks at permissions. They throw Node-shaped errors
 * (ENOENT, EISDIR, …). Paths that are not absolute begin at the working directory.
 */
export interface TreeMethods {
  /** A file's contents: a copy, or text. */
  readFile(path: string): Buffer;
  readFile(path: string, encoding: BufferEncoding): string;
  /** Makes a file, or replaces one's contents. Its directory has to be there. */
  writeFile(path: string, data: string | Uint8Array, attributes?: MemfsAttributes): void;
  /** Makes a directory, and those on the way to it; nothing if it is there. */
  mkdir(path: string): void;
  /** Makes path a symbolic link that reads target. */
  symlink(target: string, path: string): void;
  /** The names in a directory, sorted. */
  readdir(path: string): string[];
  /** Whether a path leads to something in the tree; links are followed. */
  exists(path: string): boolean;
  /** Removes what is there, with all that is in it; nothing if nothing is there. EBUSY for what is mounted. */
  rm(path: string): void;
  usage(): MemfsUsage;
}

export function methodsOf(handle: TreeHandle): TreeMethods {
  return {
    readFile: ((path: string, encoding?: BufferEncoding) =>
      handle.readFile(path, encoding)) as TreeMethods['readFile'],
    writeFile: (path, data, attributes = {}) => handle.writeFile(path, data, attributes),
    mkdir: (path) => handle.mkdir(path),
    symlink: (target, path) => handle.symlink(target, path),
    readdir: (path) => handle.readdir(path),
    exists: (path) => handle.exists(path),
    rm: (path) => handle.rm(path),
    usage: () => handle.usage(),
  };
}

/** What the methods need. */
export type TreeHandle = Pick<
  Handle,
  'readFile' | 'writeFile' | 'mkdir' | 'symlink' | 'readdir' | 'exists' | 'rm' | 'usage'
>;

export class Handle {
  /** @internal */ readonly volume: Volume;

  constructor(volume: Volume) {
    this.volume = volume;
  }

  private find(path: string, how: number, call: string): Target {
    if (typeof path !== 'string') throw invalidType('path', 'of type string', path);
    const absolute = isAbsolute(path) ? path : `${workingDirectory()}/${path}`;
    const { root } = this.volume;
    const context = { root, credentials: ANYTHING, realPath: (known: string) => known };
    const found = walk(context, '/', toByteString(absolute), how);
    if (found instanceof Target) return found;
    throw failure(typeof found === 'number' ? found : -c.ENOENT, call, path);
  }

  private inode(path: string, call: string): Inode {
    const { entry } = this.find(path, FOLLOW, call);
    if (entry === undefined) throw failure(-c.ENOENT, call, path);
    return entry.inode;
  }

  /** Puts an inode at a path where nothing is. */
  private put(path: string, make: () => Inode, call: string): Entry {
    const { parent, name, entry } = this.find(path, NAME, call);
    if (entry !== undefined || parent === undefined) throw failure(-c.EEXIST, call, path);
    const made = new Entry(name, make());
    this.volume.add(parent, made);
    return made;
  }

  readFile(path: string, encoding?: BufferEncoding): Buffer | string {
    const inode = this.inode(path, 'open');
    if (!(inode instanceof RegularFile)) throw failure(-c.EISDIR, 'read', path);
    const bytes = Buffer.alloc(inode.size);
    inode.read(bytes, 0);
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }

  writeFile(path: string, data: string | Uint8Array, attributes: MemfsAttributes): void {
    const made = file(data, attributes); // checks both
    const { entry } = this.find(path, FOLLOW, 'open');
    if (entry === undefined) {
      const put = this.put(path, () => inodeOf(this.volume, path, made), 'open');
      for (const mask of [c.IN_OPEN, c.IN_MODIFY, c.IN_CLOSE_WRITE]) used(put, mask);
      return;
    }
    const { inode } = entry;
    if (!(inode instanceof RegularFile)) throw failure(-c.EISDIR, 'open', path);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    used(entry, c.IN_OPEN);
    inode.resize(0);
    const enough = inode.write(bytes, 0) === bytes.length;
    inode.touch();
    used(entry, c.IN_MODIFY);
    used(entry, c.IN_CLOSE_WRITE);
    if (!enough) throw failure(-c.ENOSPC, 'write', path);
    if (attributes.mode !== undefined) inode.mode = c.S_IFREG | (attributes.mode & 0o7777);
  }

  mkdir(path: string): void {
    const absolute = isAbsolute(path) ? path : `${workingDirectory()}/${path}`;
    const names = absolute.split('/').filter((name) => name !== '');
    for (let i = 1; i <= names.length; i++) {
      const at = `/${names.slice(0, i).join('/')}`;
      if (i < names.length && !this.covers(at)) continue; // a real directory on the way
      const { entry, parent, name } = this.find(at, FOLLOW, 'mkdir');
      if (entry?.inode instanceof Directory) continue;
      if (entry !== undefined) throw failure(-c.EEXIST, 'mkdir', path);
      this.volume.add(parent as Directory, new Entry(name, inodeOf(this.volume, path, {})));
    }
  }

  private covers(path: string): boolean {
    try {
      this.find(path, FOLLOW, 'mkdir');
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return false;
      throw error;
    }
  }

  symlink(target: string, path: string): void {
    const made = symlink(target);
    this.put(path, () => inodeOf(this.volume, path, made), 'symlink');
  }

  readdir(path: string): string[] {
    const inode = this.inode(path, 'scandir');
    if (!(inode instanceof Directory)) throw failure(-c.ENOTDIR, 'scandir', path);
    return [...inode.names.keys()].map(toText).sort();
  }

  exists(path: string): boolean {
    try {
      return this.find(path, FOLLOW, 'access').entry !== undefined;
    } catch (error) {
      if ((error as { errno?: number }).errno === undefined) throw error;
      return false;
    }
  }

  rm(path: string): void {
    if (!this.exists(path) && this.missing(path)) return;
    const { entry, parent, isName } = this.find(path, NAME, 'rm');
    if (entry === undefined) return;
    if (parent === undefined || !isName) throw failure(-c.EBUSY, 'rm', path);
    this.removeAll(parent, entry);
  }

  private missing(path: string): boolean {
    try {
      return this.find(path, NAME, 'rm').entry === undefined;
    } catch {
      return true;
    }
  }

  private removeAll(parent: Directory, entry: Entry): void {
    if (entry.inode instanceof Directory)
      for (const child of [...entry.inode.names.values()]) this.removeAll(entry.inode, child);
    this.volume.remove(parent, entry);
  }

  toJSON(): Record<string, string | Buffer | Marked | null> {
    const all: [path: string, content: string | Buffer | Marked | null][] = [];
    const collect = ({ inode }: Entry, path: string): void => {
      if (!(inode instanceof Directory) || inode.names.size === 0) all.push([path || '/', contentOf(inode)]);
      else for (const child of inode.names.values()) collect(child, `${path}/${toText(child.name)}`);
    };
    for (const root of this.volume.root.roots()) {
      const path = root.mount?.path as string;
      collect(root, path === '/' ? '' : toText(path));
    }
    return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  usage(): MemfsUsage {
    const { space, descriptors } = this.volume;
    return { bytes: space.usedPages * 4096, inodes: space.usedInodes, descriptors: descriptors.count };
  }
}
