/**
 * memfs: a shim that answers the file system calls from a tree in memory over chosen paths, and passes the others on.
 *
 * An observation and testing tool, not a security boundary: node:fs and native addons do not go through the port and do not see the tree.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import type { Shim } from '../../port/shim.ts';
import { FOR_PROGRAMS } from '../../supervisor/for-programs.ts';
import type { MemfsContent, MemfsDirectory } from './content.ts';
import { Handle, methodsOf, type TreeMethods } from './handle.ts';
import { checkOptions, credentialsOf, type MemfsOptions, spaceOf } from './options.ts';
import { mountAll } from './paths/mounting.ts';
import { SharedTree } from './programs/index.ts';
import { shimOf } from './tree-shim.ts';
import { Volume } from './volume.ts';

export {
  directory,
  file,
  type Marked as MemfsMarked,
  type MemfsAttributes,
  type MemfsContent,
  type MemfsDirectory,
  symlink,
} from './content.ts';
export type { MemfsUsage, TreeMethods } from './handle.ts';
export type { MemfsOptions } from './options.ts';

/** The shim, and a handle on its tree. */
export interface Memfs extends Shim, TreeMethods {
  /**
   * All paths, sorted, and what is there: text, bytes where it is no UTF-8, null for an empty directory, symlink()s. Attributes are not in it. It may be given to
   * memfs() again.
   */
  toJSON(): Record<string, MemfsContent>;
}

/**
 * A file system in memory. tree's keys are paths, absolute or from the working directory on: at and below each of them only the tree is, and
 * everything else is the next level's. Directories on the way to a key that are missing in the real file system, when this is called, are in
 * the tree, too. Values are a string or bytes for a file, an object or null for a directory, file(), directory() or symlink().
 *
 * It may be installed on several ports, which then share it. Before a program (@libcr/syscalls/supervisor) it is real files, as docs/shims/memfs.md says. Throws TypeError and RangeError for what is no tree, or no option.
 *
 * (The shape of the tree is that of the packages memfs and mock-fs; the rules are tmpfs', path_resolution(7).)
 */
export function memfs(tree: MemfsDirectory = {}, options: MemfsOptions = {}): Memfs {
  checkOptions(options);
  const volume = new Volume(spaceOf(options), credentialsOf(options));
  mountAll(volume, tree);
  const shared = new SharedTree(new Handle(volume), options);
  return {
    ...shimOf('memfs', volume),
    ...methodsOf(shared),
    toJSON: () => shared.toJSON(),
    [FOR_PROGRAMS]: () => shared.forPrograms(),
  } as Memfs;
}
