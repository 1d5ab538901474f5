/**
 * events.ts: what watches are told of, in the kernel's order (fsnotify): of what happens to a file first who watches the directory it lies in, with its
 * name, then who watches the file.
 *
 * Invariant: where nobody watches, each of these looks at one or two fields and does nothing.
 */
import { constants as c } from '../../../generated/constants.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import type { Inode } from '../inodes/inode.ts';

/** Counted where the kernel's own do not soon come. */
let cookies = 0x80000000;

const kindOf = (inode: Inode): number => (inode instanceof Directory ? c.IN_ISDIR : 0);

function tell(inode: Inode | undefined, mask: number, name = '', cookie = 0, unlinked = false): void {
  const watches = inode?.watches;
  if (watches === undefined) return;
  for (const watch of watches)
    if (!unlinked || (watch.mask & c.IN_EXCL_UNLINK) === 0) watch.tell(mask, name, cookie);
}

function tellBoth(entry: Entry, mask: number, unlinked: boolean): void {
  const { inode, mount } = entry;
  const parent = mount === undefined ? entry.parent : undefined;
  if (parent?.watches === undefined && inode.watches === undefined) return;
  const all = mask | kindOf(inode);
  tell(parent, all, entry.name, 0, unlinked);
  tell(inode, all, '', 0, unlinked);
}

/** Something has been done with an open file: IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CLOSE_*. */
export function used(entry: Entry, mask: number): void {
  tellBoth(entry, mask, entry.removed);
}

/** A file's attributes or length have been set, by its path or a descriptor: IN_ATTRIB, IN_MODIFY, IN_ACCESS. */
export function changed(entry: Entry, mask: number): void {
  if (mask !== 0) tellBoth(entry, mask, false);
}

/** A directory has a new entry. */
export function created({ parent, inode, name }: Entry): void {
  tell(parent, c.IN_CREATE | kindOf(inode), name);
}

/** A file has one name more, or one less. */
export function linksChanged(inode: Inode): void {
  tell(inode, c.IN_ATTRIB | kindOf(inode));
}

/** An entry is gone from a directory. */
export function deleted(directory: Directory, { inode, name }: Entry): void {
  tell(directory, c.IN_DELETE | kindOf(inode), name);
}

/** An entry has come from a directory, where it had a name; its target is what it has replaced. */
export function moved(entry: Entry, from: Directory, name: string, target: Inode | undefined): void {
  const { inode, parent } = entry;
  const cookie = cookies;
  cookies = cookies === 0xffffffff ? 0x80000000 : cookies + 1;
  const kind = kindOf(inode);
  tell(from, c.IN_MOVED_FROM | kind, name, cookie);
  tell(parent, c.IN_MOVED_TO | kind, entry.name, cookie);
  if (target !== undefined) linksChanged(target);
  tell(inode, c.IN_MOVE_SELF);
}

/** Nothing leads to an inode any more: the end of its watches. */
export function gone(inode: Inode): void {
  tell(inode, c.IN_DELETE_SELF);
  for (const watch of inode.watches ?? []) watch.end();
}
