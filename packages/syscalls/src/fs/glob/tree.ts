/**
 * tree.ts: what glob sees of the file system: each path is looked at once, and what can't be looked at is not there.
 *
 * Not here: which paths glob is after (walk.ts).
 *
 * Invariant: an error that does not come from the kernel, as that of an abort, is not taken for something missing.
 */
import type { Dirent, Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { countStep } from '../../port/budget.ts';
import { lstat, stat } from '../arguments/paths.ts';
import { direntOf, readdir } from '../directories.ts';
import type { Work } from '../forms/work.ts';
import { realpath } from '../trees/trees.ts';

function orElse<R>(look: () => R, missing: R): R {
  try {
    return look();
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    // A pattern may make a path that is none.
    if (syscall === undefined && code !== 'ERR_INVALID_ARG_VALUE') throw error;
    return missing;
  }
}

function lookAt(path: string): Dirent | null {
  const stats = orElse(() => (lstat(path) as Work<Stats>).run(), undefined);
  if (stats === undefined) return null;
  const entry = { name: Buffer.from(basename(path)), type: stats.mode >>> 12 };
  return direntOf(entry as Parameters<typeof direntOf>[0], dirname(path), undefined);
}

function remembered<R>(seen: Map<string, R>, path: string, look: (path: string) => R): R {
  const before = seen.get(path);
  if (before !== undefined) return before;
  countStep();
  const found = look(path);
  seen.set(path, found);
  return found;
}

export class GlobTree {
  private readonly ofPath = new Map<string, Dirent | null>();
  private readonly ofDirectory = new Map<string, Dirent[]>();
  private readonly directories = new Map<string, boolean>();
  private readonly realpaths = new Map<string, string | null>();

  /** Links are not followed. null: not there. */
  entry(path: string): Dirent | null {
    return remembered(this.ofPath, path, lookAt);
  }

  /** What a directory has told of a path need not be asked again. */
  learn(path: string, entry: Dirent): void {
    this.ofPath.set(path, entry);
  }

  entries(path: string): Dirent[] {
    const read = (): Dirent[] => readdir(path, { withFileTypes: true }).run() as Dirent[];
    return remembered(this.ofDirectory, path, () => orElse(read, []));
  }

  /** Links are followed. */
  leadsToDirectory(path: string): boolean {
    const ask = (): boolean => (stat(path) as Work<Stats>).run().isDirectory();
    return remembered(this.directories, path, () => orElse(ask, false));
  }

  realpath(path: string): string | null {
    return remembered(this.realpaths, path, () => orElse(() => realpath(path).run() as string, null));
  }
}
