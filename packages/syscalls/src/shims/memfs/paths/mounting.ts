/**
 * mounting.ts: puts what a tree's keys name where they say: each becomes a mount point, or part of one above it.
 *
 * Directories on the way to a key that the real file system has are left to it; those that it has not are made in memory, and then the first of
 * them is the mount point. That is looked up once, here.
 */
import { resolve } from 'node:path';
import { invalidType, invalidValue } from '@libcr/core/internal';
import { nodeFs } from '../../../node-fs.ts';
import { inodeOf, Marked, type MemfsContent, type MemfsDirectory, namesOf, place } from '../content.ts';
import { Directory, Entry } from '../inodes/directory.ts';
import type { Inode } from '../inodes/inode.ts';
import type { Volume } from '../volume.ts';
import { toPathArgument } from './byte-string.ts';
import type { MountPoint } from './mount-point.ts';

function isThere(path: string): boolean {
  try {
    return nodeFs.lstatSync(toPathArgument(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // where one may not look: the kernel shall answer
  }
}

/** Mounts a tree's keys: absolute paths, or relative ones to the working directory. Throws TypeError for what is no tree. */
export function mountAll(volume: Volume, tree: MemfsDirectory): void {
  if (typeof tree !== 'object' || tree === null || tree instanceof Marked || ArrayBuffer.isView(tree))
    throw invalidType('tree', 'of type object', tree);
  const wanted = Object.entries(tree).map(([key, content]) => ({
    key,
    names: namesOf(resolve(key)),
    content,
  }));
  wanted.sort((a, b) => a.names.length - b.names.length); // what is above first: what is below becomes part of it
  for (const { key, names, content } of wanted) mountOne(volume, key, names, content);
}

/** Mounts an inode at an absolute path. */
export function mountInode(volume: Volume, path: string, inode: Inode): void {
  mountOne(volume, path, namesOf(path), inode);
}

function mountOne(
  volume: Volume,
  key: string,
  names: readonly string[],
  content: MemfsContent | Inode,
): void {
  let at: MountPoint = volume.root;
  for (let i = 0; ; i++) {
    if (at.root !== undefined) {
      const { inode } = at.root;
      if (i === names.length) throw invalidValue(`memfs: "${key}" is there twice`);
      if (!(inode instanceof Directory))
        throw invalidValue(`memfs: "${key}" leads through something that is no directory`);
      place(volume, inode, names.slice(i), content as MemfsContent, key);
      return;
    }
    if (i === names.length) {
      mount(volume, at, inodeOf(volume, key, content));
      return;
    }
    if (i > 0 && at.children.size === 0 && !isThere(at.path)) {
      mount(volume, at, inodeOf(volume, key, {}));
      i--;
      continue;
    }
    at = at.child(names[i] as string);
  }
}

function mount(volume: Volume, at: MountPoint, inode: Entry['inode']): void {
  if (at.parent === undefined && !(inode instanceof Directory))
    throw invalidValue('memfs: "/" has to be a directory');
  at.mount(new Entry(at.name, inode));
  volume.changes++;
}
