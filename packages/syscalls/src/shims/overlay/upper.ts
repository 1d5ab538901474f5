/**
 * upper.ts: the upper layer as plain data: laid over the lower ones when the overlay is made, and read again from what has become of it.
 *
 * Not here: what it is made of (memfs' inodes).
 */
import { types } from 'node:util';
import { invalidValue } from '@libcr/core/internal';
import { contentOf, directory, file, inodeOf, Marked, type MemfsContent, namesOf } from '../memfs/content.ts';
import { Directory, Entry } from '../memfs/inodes/directory.ts';
import { RegularFile } from '../memfs/inodes/file.ts';
import type { Inode } from '../memfs/inodes/inode.ts';
import { SymbolicLink } from '../memfs/inodes/symbolic-link.ts';
import { toText } from '../memfs/paths/byte-string.ts';
import type { Volume } from '../memfs/volume.ts';
import { LayeredDirectory } from './layered-directory.ts';
import type { LayerLoader } from './loader.ts';
import { LowerFile } from './lower-file.ts';
import type { OverlayDirectory } from './options.ts';

/** As memfs' contents, or false: what lies below is not there. */
export type OverlayContent = MemfsContent | false | OverlayDirectory;

const isLaidOver = (content: OverlayContent): content is OverlayDirectory =>
  typeof content === 'object' &&
  content !== null &&
  !types.isUint8Array(content) &&
  !(content instanceof Marked);

/** Lays contents over what is in a directory. */
export function cover(volume: Volume, into: Directory, contents: OverlayDirectory, shown = ''): void {
  for (const [key, content] of Object.entries(contents)) {
    const names = namesOf(key);
    const last = names.pop();
    const path = `${shown}/${key}`;
    if (last === undefined) throw invalidValue(`overlay: "${path}" is no name`);
    let at = into;
    for (const name of names) at = descend(volume, at, name, path);
    if (isLaidOver(content)) {
      cover(volume, descend(volume, at, last, path), content, path);
      continue;
    }
    const there = at.names.get(last);
    if (content === null && there?.inode instanceof Directory) continue;
    if (there !== undefined) volume.remove(at, there);
    if (content !== false) volume.add(at, new Entry(last, inodeOf(volume, path, content as MemfsContent)));
  }
}

/** The directory of a name, which is made where there is none. */
function descend(volume: Volume, at: Directory, name: string, shown: string): Directory {
  let entry = at.names.get(name);
  if (entry === undefined) {
    entry = new Entry(name, inodeOf(volume, shown, {}));
    volume.add(at, entry);
  }
  if (!(entry.inode instanceof Directory))
    throw invalidValue(`overlay: "${shown}" leads through something that is no directory`);
  return entry.inode;
}

/** What has become of something. */
export interface OverlayChange {
  /** Absolute. */
  path: string;
  /** 'attributes': mode, owner or modification time, and not the contents. */
  change: 'added' | 'changed' | 'attributes' | 'removed';
  type: 'file' | 'directory' | 'symlink' | 'other';
}

function typeOf(inode: Inode): OverlayChange['type'] {
  if (inode instanceof Directory) return 'directory';
  if (inode instanceof SymbolicLink) return 'symlink';
  return inode instanceof RegularFile ? 'file' : 'other';
}

/** All that is different from the lower layers, with the inode that is there, or was. Directories that nobody has looked into are not looked into. */
export function* differences(
  loader: LayerLoader,
  at: LayeredDirectory,
  path: string,
): Generator<OverlayChange & { inode: Inode }, void, void> {
  if (at.original === undefined) return;
  for (const [name, inode] of at.original)
    if (at.names.get(name)?.inode !== inode)
      yield { path: `${path}/${toText(name)}`, change: 'removed', type: typeOf(inode), inode };
  for (const { name, inode } of at.names.values()) {
    const child = `${path}/${toText(name)}`;
    if (at.original.get(name) !== inode) {
      yield* additions(inode, child);
      continue;
    }
    if (inode instanceof LowerFile && inode.isCopied)
      yield { path: child, change: 'changed', type: 'file', inode };
    else if (loader.hasOtherAttributes(inode))
      yield { path: child, change: 'attributes', type: typeOf(inode), inode };
    if (inode instanceof LayeredDirectory) yield* differences(loader, inode, child);
  }
}

function* additions(inode: Inode, path: string): Generator<OverlayChange & { inode: Inode }, void, void> {
  yield { path, change: 'added', type: typeOf(inode), inode };
  if (!(inode instanceof Directory)) return;
  for (const { name, inode: child } of inode.names.values())
    yield* additions(child, `${path}/${toText(name)}`);
}

/** An inode with all that is in it, as contents. */
function whole(inode: Inode): MemfsContent {
  const { uid, gid, mtime } = inode;
  const attributes = { mode: inode.mode & 0o7777, uid, gid, mtime: mtime.sec + mtime.nsec / 1e9 };
  if (inode instanceof Directory) {
    const entries = [...inode.names.values()].filter(({ inode: child }) => child.elsewhere === undefined);
    return directory(
      Object.fromEntries(entries.map((child) => [toText(child.name), whole(child.inode)])),
      attributes,
    );
  }
  const content = contentOf(inode);
  return content instanceof Marked ? content : file(content as string | Buffer, attributes);
}

/** The upper layer: what overlay() takes as upper. Paths begin at the overlay's directory. Changes of lower directories' attributes are not in it. */
export function upperOf(loader: LayerLoader, root: LayeredDirectory): OverlayDirectory {
  const found: Record<string, OverlayContent> = {};
  let within: string | undefined;
  for (const { path, change, inode } of differences(loader, root, '')) {
    if (within !== undefined && path.startsWith(`${within}/`)) continue; // is in what has been added
    const key = path.slice(1);
    if (change === 'removed') found[key] = false;
    else if (!(inode instanceof Directory) || change === 'added') {
      found[key] = whole(inode);
      if (inode instanceof Directory) within = path;
    }
  }
  return found;
}
