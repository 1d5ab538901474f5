/**
 * content.ts: how a tree is written down: nested objects, and marks for what has more to it than contents; and the inodes made from that.
 *
 * A key may be a path of several names ("src/index.js"), so that flat lists of paths do, too.
 */
import { types } from 'node:util';
import { CodedError, invalidType, invalidValue } from '@libcr/core/internal';
import { Directory, Entry } from './inodes/directory.ts';
import { RegularFile } from './inodes/file.ts';
import { type Attributes, Inode } from './inodes/inode.ts';
import { SymbolicLink } from './inodes/symbolic-link.ts';
import { timeOf } from './inodes/time.ts';
import { toByteString, toBytes } from './paths/byte-string.ts';
import type { Volume } from './volume.ts';

/** What a file, a directory or a link may have besides its contents. */
export interface MemfsAttributes {
  /** Permissions; 0o644 for files and 0o755 for directories if absent. The umask does not count here. */
  mode?: number | undefined;
  /** Owner and group; those of the options if absent. */
  uid?: number | undefined;
  gid?: number | undefined;
  /** Times as a Date or in seconds since 1970; now, if absent. */
  atime?: Date | number | undefined;
  mtime?: Date | number | undefined;
}

/** A string (UTF-8) or bytes: a file. An object: a directory. null: an empty directory. */
export type MemfsContent = string | Uint8Array | null | Marked | MemfsDirectory;

/** Names, or paths, and what they are. */
export interface MemfsDirectory {
  readonly [name: string]: MemfsContent;
}

/** What file(), directory() and symlink() make. */
export class Marked {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly content: string | Uint8Array | MemfsDirectory;
  readonly attributes: MemfsAttributes;

  /** @internal */
  constructor(kind: Marked['kind'], content: Marked['content'], attributes: MemfsAttributes) {
    this.kind = kind;
    this.content = content;
    this.attributes = attributes;
  }
}

/** A file with attributes: file('#!/bin/sh\n', { mode: 0o755 }). */
export function file(content: string | Uint8Array = '', attributes: MemfsAttributes = {}): Marked {
  if (typeof content !== 'string' && !types.isUint8Array(content))
    throw invalidType('content', 'of type string or an instance of Uint8Array', content);
  return new Marked('file', content, checked(attributes));
}

/** A directory with attributes: directory({ … }, { mode: 0o700 }). */
export function directory(content: MemfsDirectory = {}, attributes: MemfsAttributes = {}): Marked {
  if (typeof content !== 'object' || content === null || content instanceof Marked)
    throw invalidType('content', 'of type object', content);
  return new Marked('directory', content, checked(attributes));
}

/** A symbolic link; the target is looked up when somebody follows it, in the tree or in the real file system. */
export function symlink(
  target: string,
  attributes: Pick<MemfsAttributes, 'uid' | 'gid' | 'mtime'> = {},
): Marked {
  if (typeof target !== 'string') throw invalidType('target', 'of type string', target);
  if (target === '' || target.includes('\0') || toByteString(target).length > 4095)
    throw invalidValue('a symbolic link reads 1 to 4,095 bytes without NUL');
  return new Marked('symlink', target, checked(attributes));
}

function checked(attributes: MemfsAttributes): MemfsAttributes {
  if (typeof attributes !== 'object' || attributes === null)
    throw invalidType('attributes', 'of type object', attributes);
  for (const [key, value] of Object.entries(attributes)) {
    if (!['mode', 'uid', 'gid', 'atime', 'mtime'].includes(key))
      throw invalidValue(`memfs knows no attribute "${key}"`);
    if (value === undefined || (types.isDate(value) && key.endsWith('time'))) continue;
    if (typeof value !== 'number') throw invalidType(key, 'of type number', value);
  }
  return attributes;
}

/** No room for what a tree is made from: nothing that a caller could do anything about at run time. */
function full(): Error {
  return new CodedError(
    'ERR_OUT_OF_RANGE',
    "the tree needs more room than memfs' options size and inodes give",
  );
}

function attributesOf({ credentials }: Volume, mode: number, given: MemfsAttributes): Attributes {
  return {
    mode: (given.mode ?? mode) & 0o7777,
    uid: given.uid ?? credentials.uid,
    gid: given.gid ?? credentials.gid,
  };
}

/** An inode of what is written down. Throws TypeError for what is no content; name is for that. */
export function inodeOf(volume: Volume, name: string, content: MemfsContent | Inode): Inode {
  if (content instanceof Inode) return content;
  const { space } = volume;
  const marked = content instanceof Marked ? content : undefined;
  const plain = marked === undefined ? content : marked.content;
  const given = marked?.attributes ?? {};
  if (!space.takeInode()) throw full();
  let inode: Inode;
  if (marked?.kind === 'symlink') {
    const target = toByteString(plain as string);
    if (!space.takePages(SymbolicLink.pages(target))) throw full();
    inode = new SymbolicLink(space, target, attributesOf(volume, 0o777, given));
  } else if (typeof plain === 'string' || types.isUint8Array(plain)) {
    const made = new RegularFile(space, attributesOf(volume, 0o644, given));
    const bytes = typeof plain === 'string' ? Buffer.from(plain) : plain;
    if (made.write(bytes, 0) !== bytes.length) throw full();
    inode = made;
  } else if (plain === null || typeof plain === 'object') {
    inode = new Directory(space, attributesOf(volume, 0o755, given));
    fill(volume, inode as Directory, (plain ?? {}) as MemfsDirectory, name);
  } else {
    throw invalidType(
      name,
      'a string, bytes, an object, null, or one of file(), directory(), symlink()',
      plain,
    );
  }
  if (given.atime !== undefined) inode.atime = timeOf(given.atime);
  if (given.mtime !== undefined) inode.mtime = timeOf(given.mtime);
  return inode;
}

/** The names of a path, as byte strings. Throws TypeError for what no path of the tree can be. */
export function namesOf(path: string): string[] {
  if (typeof path !== 'string') throw invalidType('path', 'of type string', path);
  const names = toByteString(path)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  if (names.includes('..') || path.includes('\0') || names.some((name) => name.length > 255))
    throw invalidValue(`"${path}" is no path for memfs: it has "..", NUL or a name of more than 255 bytes`);
  return names;
}

/** Puts something at names below a directory; directories on the way are made. Throws where one of them is no directory. */
export function place(
  volume: Volume,
  root: Directory,
  names: readonly string[],
  content: MemfsContent,
  shown: string,
): void {
  let at = root;
  for (const name of names.slice(0, -1)) {
    let entry = at.names.get(name);
    if (entry === undefined) {
      entry = new Entry(name, inodeOf(volume, shown, {}));
      volume.add(at, entry);
    }
    if (!(entry.inode instanceof Directory))
      throw invalidValue(`memfs: "${shown}" leads through something that is no directory`);
    at = entry.inode;
  }
  const name = names[names.length - 1] as string;
  const there = at.names.get(name);
  const isDirectory =
    content === null ||
    (typeof content === 'object' && !types.isUint8Array(content) && !(content instanceof Marked));
  if (there?.inode instanceof Directory && isDirectory) {
    fill(volume, there.inode, content ?? {}, shown);
    return;
  }
  if (there !== undefined) throw invalidValue(`memfs: "${shown}" is there twice`);
  volume.add(at, new Entry(name, inodeOf(volume, shown, content)));
}

function fill(volume: Volume, into: Directory, content: MemfsDirectory, shown: string): void {
  for (const [key, value] of Object.entries(content)) {
    const names = namesOf(key);
    if (names.length === 0) throw invalidValue(`memfs: "${key}" in "${shown}" is no name`);
    place(volume, into, names, value, `${shown}/${key}`);
  }
}

/** What is written down for an inode: strings where the bytes are UTF-8, else bytes. */
export function contentOf(inode: Inode): string | Buffer | Marked | null {
  if (inode instanceof SymbolicLink) return new Marked('symlink', toBytes(inode.target).toString(), {});
  if (!(inode instanceof RegularFile)) return null;
  const bytes = Buffer.alloc(inode.size);
  inode.read(bytes, 0);
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}
