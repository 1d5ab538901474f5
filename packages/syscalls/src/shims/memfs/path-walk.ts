/**
 * path-walk.ts: from a path to what it names, component by component, as the kernel does (path_resolution(7)): through the tree, into it at its
 * mount points, and out again by ".." and by symbolic links.
 *
 * In the real file system only names are followed, not its symbolic links: those are the kernel's affair. Where ".." has been
 * taken there on the way to a mount point, the kernel is asked where it has led.
 */
import { constants as c } from '../../generated/constants.ts';
import { type Credentials, MAY_EXECUTE } from './credentials.ts';
import { Directory, type Entry } from './directory.ts';
import type { MountPoint } from './mount-point.ts';
import { SymbolicLink } from './symbolic-link.ts';

/** A symbolic link at the end is followed. */
export const FOLLOW = 1;
/** The name is what is wanted: a link at the end is never followed, and a slash after it is the caller's affair. */
export const NAME = 2;
/** As FOLLOW, but a slash at the end is the caller's affair. */
export const CREATE = 4;

const LINKS_MAX = 40;
const NAME_MAX = 255;

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
    return this.name.length > NAME_MAX ? -c.ENAMETOOLONG : -c.ENOENT;
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

/** A place in the real file system, by its names. */
class RealPlace {
  names: string[] = [];
  /** The mount point at each of them, the root's first. */
  private mounts: (MountPoint | undefined)[];
  /** As the kernel would be given it: ".." after a name is left in. */
  raw = '';
  /** ".." has been taken where the kernel knows better where it leads. */
  unsure = false;

  constructor(root: MountPoint, names: readonly string[]) {
    this.mounts = [root];
    for (const name of names) this.enter(name);
  }

  get mount(): MountPoint | undefined {
    return this.mounts[this.mounts.length - 1];
  }

  enter(name: string): void {
    this.mounts.push(this.mount?.children.get(name));
    this.names.push(name);
    this.raw += `/${name}`;
  }

  leave(): void {
    if (this.names.length === 0) return;
    if (this.mount === undefined) {
      this.unsure = true;
      this.raw += '/..';
    } else {
      this.raw = `/${this.names.slice(0, -1).join('/')}`;
      if (this.raw === '/') this.raw = '';
    }
    this.names.pop();
    this.mounts.pop();
  }
}

export interface Walk {
  root: MountPoint;
  credentials: Credentials;
  /** Asks the kernel where a directory really is: its path, or -errno. */
  realPath: (path: string) => string | number;
}

const split = (path: string): string[] => path.split('/').filter((name) => name !== '');

/** Where a walk begins: in the tree, or at an absolute path outside of it. */
export type Start = Entry | string;

/** Walks; how is FOLLOW, NAME, CREATE or 0. The path is not empty. The answer may be -errno. */
export function walk(
  { root, credentials, realPath }: Walk,
  start: Start,
  path: string,
  how: number,
): Target | Outside | number {
  let real: RealPlace | undefined;
  let at: Entry | undefined;
  let been = typeof start !== 'string' && !path.startsWith('/');
  let links = 0;
  let slash = path.endsWith('/');
  const todo = split(path).reverse();
  if (path.startsWith('/') || typeof start === 'string') {
    real = new RealPlace(root, []);
    if (!path.startsWith('/')) todo.push(...split(start as string).reverse());
    if (root.root !== undefined) [at, real] = [root.root, undefined];
  } else {
    at = start;
  }
  let parent: Directory | undefined;
  let last = '';
  let isName = false;

  const follow = (link: SymbolicLink): number => {
    if (++links > LINKS_MAX) return -c.ELOOP;
    if (todo.length === 0 && link.target.endsWith('/')) slash = true;
    todo.push(...split(link.target).reverse());
    isName = false;
    if (!link.target.startsWith('/')) return 0;
    [at, parent] = [root.root, undefined];
    real = at === undefined ? new RealPlace(root, []) : undefined;
    return 0;
  };

  /** Steps onto an entry, and through it if it is a link that has to be followed. in: where it lies. */
  const step = (entry: Entry, within: Directory | undefined, name: string): number => {
    const wanted = todo.length > 0 || (how & FOLLOW) !== 0 || (how === 0 && slash);
    if (
      entry.inode instanceof SymbolicLink &&
      wanted &&
      !(todo.length === 0 && slash && (how & CREATE) !== 0)
    ) {
      if (within === undefined && entry.mount?.parent !== undefined) {
        real = new RealPlace(root, entry.mount.parent.names); // a link that is mounted: relative to where it lies
        at = undefined;
      } else if (within !== undefined) {
        at = within.entry;
        parent = undefined;
      }
      entry.inode.accessed();
      return follow(entry.inode);
    }
    [at, parent, last, isName] = [entry, within, name, true];
    return 0;
  };

  while (todo.length > 0) {
    const name = todo.pop() as string;
    if (real !== undefined) {
      if (name === '..') real.leave();
      if (name === '.' || name === '..') continue;
      const before: string = real.raw || '/';
      const [unsure, names]: [boolean, string[]] = [real.unsure, real.names];
      real.enter(name);
      let mount: MountPoint | undefined = real.mount;
      if (mount?.root !== undefined && unsure) {
        const known = realPath(before);
        if (typeof known === 'number') return known;
        if (known !== `/${names.slice(0, -1).join('/')}`) {
          real = new RealPlace(root, [...split(known), name]);
          mount = real.mount;
        }
      }
      if (mount?.root === undefined) continue;
      been = true;
      const entry: Entry = mount.root;
      real = undefined;
      const answer = step(entry, undefined, name);
      if (answer < 0) return answer;
      continue;
    }
    const directory = (at as Entry).inode;
    if (!(directory instanceof Directory)) return -c.ENOTDIR;
    if (!credentials.may(directory, MAY_EXECUTE)) return -c.EACCES;
    if (name === '.') {
      isName = false;
      continue;
    }
    if (name === '..') {
      const { entry } = directory;
      isName = false;
      parent = undefined;
      if (entry.mount === undefined) {
        if (entry.parent !== undefined) at = entry.parent.entry;
      } else if (entry.mount.parent !== undefined) {
        real = new RealPlace(root, entry.mount.parent.names);
        at = undefined;
      }
      continue;
    }
    const tooLong = name.length > NAME_MAX;
    if (tooLong && (todo.length > 0 || (how & NAME) === 0)) return -c.ENAMETOOLONG;
    const entry = directory.names.get(name);
    if (entry === undefined) {
      if (todo.length > 0) return -c.ENOENT;
      return new Target(directory, name, undefined, true, slash);
    }
    const answer = step(entry, directory, name);
    if (answer < 0) return answer;
  }
  if (real !== undefined) return new Outside(`${real.raw}${slash ? '/' : ''}` || '/', been, real.mount);
  const found = at as Entry;
  if (slash && (how & (NAME | CREATE)) === 0 && !(found.inode instanceof Directory)) return -c.ENOTDIR;
  return new Target(parent, last, found, isName, slash);
}
