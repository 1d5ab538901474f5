/**
 * memfs: a shim that answers the file system calls from a tree in memory over chosen paths, and passes the others on.
 *
 * An observation and testing tool, not a security boundary: node:fs and native addons do not go through the port and do not see the tree.
 */
import type { CallName } from '../../generated/rows.ts';
import { CALL_COUNT, rowNamed } from '../../port/calls.ts';
import { defineShim, type Shim } from '../../port/shim.ts';
import type { Handler } from './call.ts';
import { handlers } from './calls/index.ts';
import type { MemfsAttributes, MemfsContent, MemfsDirectory } from './content.ts';
import { Handle, type MemfsUsage } from './handle.ts';
import { mountAll } from './mounting.ts';
import { checkOptions, credentialsOf, type MemfsOptions, spaceOf } from './options.ts';
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
export type { MemfsUsage } from './handle.ts';
export type { MemfsOptions } from './options.ts';

/**
 * The shim, and a handle on its tree: none of the methods blocks, makes a system call or looks at permissions. They throw Node-shaped errors
 * (ENOENT, EISDIR, …). Paths that are not absolute begin at the working directory.
 */
export interface Memfs extends Shim {
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
  /**
   * All paths, sorted, and what is there: text, bytes where it is no UTF-8, null for an empty directory, symlink()s. Attributes are not in it. It may be given to
   * memfs() again.
   */
  toJSON(): Record<string, MemfsContent>;
  usage(): MemfsUsage;
}

/** Those of the handlers whose calls are in the table. */
const byNumber: (Handler | undefined)[] = new Array(CALL_COUNT).fill(undefined);
const names: CallName[] = [];
for (const [name, handler] of Object.entries(handlers)) {
  const row = rowNamed(name);
  if (row === undefined) continue;
  byNumber[row.number] = handler;
  names.push(row.name);
}

/**
 * A file system in memory. tree's keys are paths, absolute or from the working directory on: at and below each of them only the tree is, and
 * everything else is the next level's. Directories on the way to a key that are missing in the real file system, when this is called, are in
 * the tree, too. Values are a string or bytes for a file, an object or null for a directory, file(), directory() or symlink().
 *
 * It may be installed on several ports, which then share it. Throws TypeError and RangeError for what is no tree, or no option.
 *
 * (The shape of the tree is that of the packages memfs and mock-fs; the rules are tmpfs', path_resolution(7).)
 */
export function memfs(tree: MemfsDirectory = {}, options: MemfsOptions = {}): Memfs {
  checkOptions(options);
  const volume = new Volume(spaceOf(options), credentialsOf(options));
  mountAll(volume, tree);
  const handle = new Handle(volume);
  const shim = defineShim({
    name: 'memfs',
    on: names,
    shim: (next) => (msg) => {
      const handler = byNumber[msg.number];
      return handler === undefined ? next(msg) : handler({ volume, msg, next });
    },
  });
  return {
    ...shim,
    readFile: ((path: string, encoding?: BufferEncoding) =>
      handle.readFile(path, encoding)) as Memfs['readFile'],
    writeFile: (path, data, attributes = {}) => handle.writeFile(path, data, attributes),
    mkdir: (path) => handle.mkdir(path),
    symlink: (target, path) => handle.symlink(target, path),
    readdir: (path) => handle.readdir(path),
    exists: (path) => handle.exists(path),
    rm: (path) => handle.rm(path),
    toJSON: () => handle.toJSON(),
    usage: () => handle.usage(),
  };
}
