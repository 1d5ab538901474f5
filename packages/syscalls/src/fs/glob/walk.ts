/**
 * walk.ts: glob's way through the directories, one after another: which are entered, and which of their entries are results. In blocking style.
 *
 * It goes as node:fs' own does (lib/internal/fs/glob.js of Node 26), and finds the same in the same order, its oddities included.
 *
 * Not here: the functions' arguments and forms (glob.ts), patterns (pattern.ts).
 *
 * Invariant: no path is a result twice, nor what is excluded ever.
 */
import type { Dirent } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Pattern } from './pattern.ts';
import { GlobTree } from './tree.ts';

export interface GlobSearch {
  patterns: Pattern[];
  /** Where relative patterns begin; as it was given. */
  root: string;
  withFileTypes: boolean;
  followSymlinks: boolean;
  maxDepth: number;
  /** By `exclude` as patterns: whether an absolute path is never a result, nor entered. */
  isExcluded: (path: string) => boolean;
  /** By `exclude` as a function: not entered. */
  exclude: ((entry: string | Dirent) => unknown) | undefined;
}

export interface GlobResult {
  path: string;
  entry: Dirent | null;
}

/** How a pattern begins that does not begin with a name, and where it begins then. */
const STARTS = new Map<unknown, string>([
  ['', '/'],
  ['..', '../'],
  ['.', '.'],
]);

const isOutside = (path: string): boolean => isAbsolute(path) || path === '..' || path.startsWith('../');

/** A directory that is being gone through, and a pattern for what is in it. */
interface Visit {
  path: string;
  pattern: Pattern;
  /** The directory itself may be a result. */
  isLast: boolean;
}

/** What an entry leads to: where the pattern goes on below it. */
interface Ahead {
  indexes: Set<number>;
  links: Set<number>;
}

export class GlobWalk {
  private readonly search: GlobSearch;
  private readonly tree = new GlobTree();
  private readonly results = new Set<string>();
  private readonly tried = new Map<string, Set<string>>();
  private readonly queue: { path: string; patterns: Pattern[] }[];
  private below = new Map<string, Pattern[]>();
  private found: GlobResult[] = [];

  constructor(search: GlobSearch) {
    this.search = search;
    this.queue = [{ path: '.', patterns: search.patterns }];
  }

  /** What the next directory has; undefined at the end. Blocks. */
  next(): GlobResult[] | undefined {
    const item = this.queue.pop();
    if (item === undefined) return undefined;
    this.found = [];
    for (const pattern of item.patterns) this.visit(item.path, pattern);
    for (const [path, patterns] of this.below) this.queue.push({ path, patterns });
    this.below.clear();
    return this.found;
  }

  /** globSync's entry for a result, which is looked for after the walk. Blocks. */
  entry(path: string): Dirent | null {
    return this.tree.entry(isAbsolute(path) ? path : join(this.search.root, path));
  }

  private visit(path: string, pattern: Pattern): void {
    const { tree, search } = this;
    if (!this.isNew(path, pattern)) return;
    const full = resolve(search.root, path);
    const entry = tree.entry(full);
    const isDirectory = this.isDirectory(full, entry, pattern.passesLinks);
    if (search.isExcluded(full)) return;
    const start = pattern.indexes.has(0) ? STARTS.get(pattern.segment(0)) : undefined;
    if (start !== undefined) {
      this.enter(start, pattern.at(new Set([1])));
      return;
    }
    const isLast = pattern.isLast(isDirectory);
    if (isLast && this.addLast({ path, pattern, isLast }, full, entry, isDirectory)) return;
    if (!isDirectory || !this.isWithinDepth(path, pattern)) return;
    const real = search.followSymlinks ? tree.realpath(full) : null;
    if (real !== null && pattern.realpaths.has(real)) return;
    const realpaths = real === null ? pattern.realpaths : new Set([...pattern.realpaths, real]);
    for (const child of this.children(full, pattern)) {
      const ahead = this.tryEntry({ path, pattern, isLast }, full, child);
      if (ahead.indexes.size > 0)
        this.enter(join(path, child.name), pattern.at(ahead.indexes, ahead.links, realpaths));
    }
  }

  /** Whether the places in the pattern have not been tried with the path before. */
  private isNew(path: string, pattern: Pattern): boolean {
    const rests = this.tried.get(path) ?? new Set();
    this.tried.set(path, rests);
    const before = rests.size;
    for (const index of pattern.indexes) rests.add(pattern.rest(index));
    return rests.size === before + pattern.indexes.size;
  }

  private hasTried(path: string, pattern: Pattern, index: number): boolean {
    return this.tried.get(path)?.has(pattern.rest(index)) === true;
  }

  private isDirectory(full: string, entry: Dirent | null, passesLinks: boolean): boolean {
    if (entry?.isDirectory()) return true;
    if (!entry?.isSymbolicLink()) return false;
    return this.search.followSymlinks ? this.tree.leadsToDirectory(full) : passesLinks;
  }

  private depth(path: string): number {
    const root = resolve(this.search.root);
    const below = relative(root, resolve(root, path));
    return below === '' ? 0 : below.split('/').length;
  }

  /** An absolute pattern may have to come to the root first. */
  private isWithinDepth(path: string, pattern: Pattern): boolean {
    const { maxDepth, root } = this.search;
    if (maxDepth === Infinity || this.depth(path) < maxDepth) return true;
    const down = relative(resolve(root, path), resolve(root));
    return pattern.isAbsolute && down !== '' && !isOutside(down);
  }

  private add(path: string, entry: () => Dirent | null): void {
    const { maxDepth, isExcluded, root } = this.search;
    if (this.results.has(path) || (maxDepth !== Infinity && this.depth(path) > maxDepth)) return;
    if (isExcluded(resolve(root, path))) return;
    this.results.add(path);
    this.found.push({ path, entry: this.search.withFileTypes ? entry() : null });
  }

  /** For a directory that may be a result, or the name in it that the pattern ends with. The answer: whether that was all. */
  private addLast(
    { path, pattern }: Visit,
    full: string,
    entry: Dirent | null,
    isDirectory: boolean,
  ): boolean {
    const name = pattern.segment(-1);
    if (typeof name === 'string') {
      const there = this.tree.entry(join(full, name));
      if (there !== null && (name !== '' || isDirectory)) this.add(join(path, name), () => there);
      return pattern.indexes.size === 1 && pattern.indexes.has(pattern.last);
    }
    // "." is a result of "**" and of what begins with ".", and of nothing else.
    const counts = path !== '.' || pattern.segment(0) === '.' || (pattern.last === 0 && entry !== null);
    if (pattern.isGlobstar(-1) && counts) this.add(path, () => entry);
    return false;
  }

  /** All of a directory, or the one that the pattern names. */
  private children(full: string, pattern: Pattern): Dirent[] {
    const [index, ...others] = pattern.indexes;
    const name = others.length === 0 ? pattern.segment(index as number) : undefined;
    if (typeof name !== 'string') return this.tree.entries(full);
    const entry = this.tree.entry(join(full, name));
    if (entry === null) return [];
    entry.name = name;
    return [entry];
  }

  private tryEntry(visit: Visit, full: string, entry: Dirent): Ahead {
    const { pattern, path } = visit;
    const at = join(full, entry.name);
    this.tree.learn(at, entry);
    const isDirectory =
      entry.isDirectory() ||
      (this.search.followSymlinks && entry.isSymbolicLink() && this.tree.leadsToDirectory(at));
    const ahead: Ahead = { indexes: new Set(), links: new Set() };
    const result = (): void => this.add(join(path, entry.name), () => entry);
    for (const index of pattern.indexes) {
      const segment = pattern.segment(index);
      if (pattern.isGlobstar(index)) this.tryGlobstar(visit, index, entry, isDirectory, ahead);
      else if (typeof segment === 'string') {
        if (index !== pattern.last && pattern.fits(index, entry.name)) ahead.indexes.add(index + 1);
        else if (segment === '.' && pattern.fits(index + 1, entry.name)) {
          if (index + 1 === pattern.last) result();
          else ahead.indexes.add(index + 2);
        }
      } else if (pattern.fits(index, entry.name)) {
        if (index === pattern.last) result();
        else if (isDirectory) ahead.indexes.add(index + 1);
      }
    }
    return ahead;
  }

  private tryGlobstar(
    { path, pattern, isLast }: Visit,
    index: number,
    entry: Dirent,
    isDirectory: boolean,
    ahead: Ahead,
  ): void {
    const { exclude, withFileTypes, followSymlinks } = this.search;
    const next = index + 1;
    const nextFits = pattern.fits(next, entry.name);
    let named = next;
    while (pattern.isGlobstar(named)) named++;
    if (entry.name.startsWith('.') && !pattern.fits(named, entry.name)) return;
    if (exclude?.(withFileTypes ? entry : entry.name)) return;
    const result = (): void => this.add(join(path, entry.name), () => entry);
    const behindLink = !followSymlinks && pattern.links.has(index);
    if (!behindLink && isDirectory) ahead.indexes.add(index);
    else if (!behindLink && index === pattern.last) result();
    // "**" stands for nothing, too: what is after it may fit already.
    if (nextFits && next === pattern.last && !isLast) result();
    else if (nextFits && isDirectory) ahead.indexes.add(index + 2);
    if (!behindLink && isDirectory && (nextFits || pattern.segment(0) === '.')) ahead.indexes.add(next);
    if (!followSymlinks && entry.isSymbolicLink()) ahead.links.add(index);
    if (isDirectory && pattern.segment(next) === '..') this.climb(path, pattern, next);
  }

  /** ".." after "**": from a directory in here it leads here, and from here to the one above. */
  private climb(path: string, pattern: Pattern, index: number): void {
    const above = join(path, '..');
    if (index < pattern.last) {
      for (const to of [path, above])
        if (!this.below.has(to) && !this.hasTried(to, pattern, index + 1))
          this.below.set(to, [pattern.at(new Set([index + 1]))]);
      return;
    }
    const { root } = this.search;
    const here = pattern.at(new Set([index]));
    if (!this.hasTried(path, pattern, index)) {
      this.isNew(path, here);
      this.add(path, () => this.tree.entry(resolve(root, path)));
    }
    if (!this.hasTried(above, pattern, index)) {
      this.isNew(above, here);
      this.add(above, () => this.tree.entry(join(root, above)));
    }
  }

  /** To be visited, unless it is excluded. */
  private enter(path: string, pattern: Pattern): void {
    const { isExcluded, exclude, withFileTypes, root } = this.search;
    const full = resolve(root, path);
    if (isExcluded(path)) return;
    if (isExcluded(`${full}/`) && this.tree.entry(full)?.isDirectory()) return;
    if (exclude !== undefined) {
      // As node:fs has it: not from the root, but from the working directory on.
      const entry = withFileTypes ? this.tree.entry(path) : path;
      if (entry !== null && exclude(entry)) return;
    }
    const patterns = this.below.get(path);
    if (patterns === undefined) this.below.set(path, [pattern]);
    else patterns.push(pattern);
  }
}
