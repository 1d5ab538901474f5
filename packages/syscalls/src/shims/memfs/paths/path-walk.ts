/**
 * path-walk.ts: from a path to what it names, component by component, as the kernel does (path_resolution(7)): through the tree, into it at its
 * mount points, and out again by ".." and by symbolic links.
 *
 * In the real file system only names are followed, not its symbolic links: those are the kernel's affair. Where ".." has been
 * taken there on the way to a mount point, the kernel is asked where it has led.
 *
 * Invariant of a walk: exactly one of at, a place in the tree, and real, one outside of it, is set.
 */
import { constants as c } from '../../../generated/constants.ts';
import { type Credentials, MAY_EXECUTE } from '../credentials.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import { SymbolicLink } from '../inodes/symbolic-link.ts';
import type { MountPoint } from './mount-point.ts';
import { RealPlace } from './real-place.ts';
import { NAME_MAX, Outside, Target } from './target.ts';

/** A symbolic link at the end is followed. */
export const FOLLOW = 1;
/** The name is what is wanted: a link at the end is never followed, and a slash after it is the caller's affair. */
export const NAME = 2;
/** As FOLLOW, but a slash at the end is the caller's affair. */
export const CREATE = 4;

const LINKS_MAX = 40;

/** What a walk goes by. */
export interface Surroundings {
  root: MountPoint;
  credentials: Credentials;
  /** Asks the kernel where a directory really is: its path, or -errno. */
  realPath: (path: string) => string | number;
}

/** Where a walk begins: in the tree, or at an absolute path outside of it. */
export type Start = Entry | string;

const split = (path: string): string[] => path.split('/').filter((name) => name !== '');

class Walk {
  private readonly around: Surroundings;
  private readonly how: number;
  private at: Entry | undefined;
  private real: RealPlace | undefined;
  /** Components to come, the next one last. */
  private readonly todo: string[];
  /** Whether the path ends with a slash, or the link that its end has led to. */
  private slash: boolean;
  /** Whether it has been in the tree. */
  private been: boolean;
  private links = 0;
  /** The last component: where it lies, and its name, unless it was "." or "..". */
  private parent: Directory | undefined;
  private last = '';
  private isName = false;

  constructor(around: Surroundings, start: Start, path: string, how: number) {
    this.around = around;
    this.how = how;
    this.slash = path.endsWith('/');
    this.todo = split(path).reverse();
    this.been = typeof start !== 'string' && !path.startsWith('/');
    if (this.been) {
      this.at = start as Entry;
      return;
    }
    if (!path.startsWith('/')) this.todo.push(...split(start as string).reverse());
    this.toRoot();
  }

  end(): Target | Outside | number {
    while (this.todo.length > 0) {
      const name = this.todo.pop() as string;
      const { at, real } = this;
      const answer = real !== undefined ? this.outside(real, name) : this.inside(at as Entry, name);
      if (answer !== undefined) return answer;
    }
    const { at, real, slash } = this;
    if (real !== undefined)
      return new Outside(`${real.raw}${slash ? '/' : ''}` || '/', this.been, real.mount);
    const entry = at as Entry;
    if (slash && (this.how & (NAME | CREATE)) === 0 && !(entry.inode instanceof Directory)) return -c.ENOTDIR;
    return new Target(this.parent, this.last, entry, this.isName, slash);
  }

  private toRoot(): void {
    const { root } = this.around;
    this.at = root.root;
    this.real = root.root === undefined ? new RealPlace(root, []) : undefined;
    this.parent = undefined;
  }

  /** To the real directory that a mount point lies in. */
  private toParentOf(mount: MountPoint): void {
    if (mount.parent === undefined) return; // "/.." is "/"
    this.real = new RealPlace(this.around.root, mount.parent.names);
    this.at = undefined;
    this.parent = undefined;
  }

  /** A component outside of the tree. */
  private outside(place: RealPlace, name: string): number | undefined {
    if (name === '..') place.leave();
    if (name === '.' || name === '..') return undefined;
    const { raw, unsure } = place;
    place.enter(name);
    let here = place;
    if (place.mount?.root !== undefined && unsure) {
      const known = this.around.realPath(raw);
      if (typeof known === 'number') return known;
      here = new RealPlace(this.around.root, [...split(known), name]);
    }
    this.real = here;
    const root = here.mount?.root;
    if (root === undefined) return undefined;
    this.been = true;
    return this.onto(root, undefined, name);
  }

  /** A component in the tree. */
  private inside({ inode: directory }: Entry, name: string): Target | number | undefined {
    if (!(directory instanceof Directory)) return -c.ENOTDIR;
    if (!this.around.credentials.may(directory, MAY_EXECUTE)) return -c.EACCES;
    if (name === '.' || name === '..') {
      this.isName = false;
      if (name === '..') this.up(directory);
      return undefined;
    }
    const isLast = this.todo.length === 0;
    if (name.length > NAME_MAX && !(isLast && (this.how & NAME) !== 0))
      return directory.dead ? -c.ENOENT : -c.ENAMETOOLONG; // the kernel asks no file system about a directory that was removed
    const entry = directory.names.get(name);
    if (entry !== undefined) return this.onto(entry, directory, name);
    return isLast ? new Target(directory, name, undefined, true, this.slash) : -c.ENOENT;
  }

  private up({ entry }: Directory): void {
    this.parent = undefined;
    if (entry.mount !== undefined) this.toParentOf(entry.mount);
    else if (entry.parent !== undefined) this.at = entry.parent.entry;
  }

  /** Steps onto an entry that lies in a directory, or (undefined) is mounted; and on from there if it is a link that has to be followed. */
  private onto(entry: Entry, within: Directory | undefined, name: string): number | undefined {
    if (entry.inode instanceof SymbolicLink && this.follows()) {
      if (within !== undefined) this.at = within.entry;
      else if (entry.mount !== undefined) this.toParentOf(entry.mount);
      return this.follow(entry.inode);
    }
    this.real = undefined;
    [this.at, this.parent, this.last, this.isName] = [entry, within, name, true];
    return undefined;
  }

  /** Whether a link is followed here. */
  private follows(): boolean {
    if (this.todo.length > 0) return true;
    if (this.slash) return (this.how & (NAME | CREATE)) === 0;
    return (this.how & FOLLOW) !== 0;
  }

  private follow(link: SymbolicLink): number | undefined {
    if (++this.links > LINKS_MAX) return -c.ELOOP;
    link.accessed();
    if (this.todo.length === 0 && link.target.endsWith('/')) this.slash = true;
    this.todo.push(...split(link.target).reverse());
    this.isName = false;
    this.parent = undefined;
    if (link.target.startsWith('/')) this.toRoot();
    return undefined;
  }
}

/** Walks; how is FOLLOW, NAME, CREATE or 0. The path is not empty. The answer may be -errno. */
export function walk(
  around: Surroundings,
  start: Start,
  path: string,
  how: number,
): Target | Outside | number {
  return new Walk(around, start, path, how).end();
}
