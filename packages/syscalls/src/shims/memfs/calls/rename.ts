/** rename.ts: rename, renameat, renameat2. (rename(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { type Call, type Handlers, intOf, pass } from '../call.ts';
import { MAY_WRITE } from '../credentials.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import { NAME } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, type Resolved, resolve, resolveBoth, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';
import type { Volume } from '../volume.ts';
import { moved } from '../watching/events.ts';
import { isSameMount } from './links.ts';

const NOREPLACE = 1;
const EXCHANGE = 2;
const WHITEOUT = 4;
const FLAGS = NOREPLACE | EXCHANGE | WHITEOUT;

/** Whether a directory lies in another one, or is it. */
function isWithin(directory: Directory, other: Entry): boolean {
  for (let at: Directory | undefined = directory; at !== undefined; at = at.entry.parent)
    if (at.entry === other) return true;
  return false;
}

/** What the names alone forbid. 0, or -errno. */
function checkNames(from: Target, to: Target, flags: number): number {
  const [entry, there] = [from.entry, to.entry];
  if (entry === undefined) return from.missing;
  if (to.missing !== -c.ENOENT) return to.missing;
  if (there !== undefined && (flags & NOREPLACE) !== 0) return -c.EEXIST;
  const exchanges = (flags & EXCHANGE) !== 0;
  if (exchanges && there === undefined) return -c.ENOENT;
  if (exchanges && to.slash && !(there?.inode instanceof Directory)) return -c.ENOTDIR;
  if (!(entry.inode instanceof Directory) && (from.slash || (!exchanges && to.slash))) return -c.ENOTDIR;
  if (to.parent !== undefined && isWithin(to.parent, entry)) return -c.EINVAL;
  if (from.parent !== undefined && there !== undefined && isWithin(from.parent, there))
    return exchanges ? -c.EINVAL : -c.ENOTEMPTY;
  return 0;
}

/** What permissions and types forbid. 0, or -errno. */
function checkInodes(volume: Volume, from: Target, to: Target, exchanges: boolean): number {
  const { credentials } = volume;
  const { inode } = from.entry as Entry;
  const there = to.entry?.inode;
  const isDirectory = inode instanceof Directory;
  const mayLeave = credentials.mayRemove(from.parent as Directory, inode);
  if (mayLeave < 0) return mayLeave;
  const mayArrive =
    there === undefined
      ? volume.mayAdd(to.parent as Directory)
      : credentials.mayRemove(to.parent as Directory, there);
  if (mayArrive < 0) return mayArrive;
  if (!exchanges && there !== undefined && isDirectory !== there instanceof Directory)
    return isDirectory ? -c.ENOTDIR : -c.EISDIR;
  if (from.parent !== to.parent) {
    if (isDirectory && !credentials.may(inode, MAY_WRITE)) return -c.EACCES;
    if (exchanges && there instanceof Directory && !credentials.may(there, MAY_WRITE)) return -c.EACCES;
  }
  return !exchanges && there instanceof Directory && there.names.size > 0 ? -c.ENOTEMPTY : 0;
}

function move(entry: Entry, from: Directory, to: Directory, name: string): void {
  from.take(entry);
  entry.name = name;
  to.add(entry);
  entry.inode.touchAttributes();
}

function renameWithin(call: Call, from: Target, to: Target, flags: number): number {
  const { volume } = call;
  if (!from.isName) return -c.EBUSY;
  if (!to.isName) return (flags & NOREPLACE) !== 0 ? -c.EEXIST : -c.EBUSY;
  const names = checkNames(from, to, flags);
  if (names < 0) return names;
  const [entry, there] = [from.entry as Entry, to.entry];
  const [source, target] = [from.parent, to.parent];
  if (entry.inode === there?.inode) return 0;
  if (source === undefined || target === undefined) return -c.EBUSY;
  const may = checkInodes(volume, from, to, (flags & EXCHANGE) !== 0);
  if (may < 0) return may;
  if (there !== undefined && (flags & EXCHANGE) !== 0) {
    source.take(entry);
    move(there, target, source, from.name);
    entry.name = to.name;
    target.add(entry);
    entry.inode.touchAttributes();
    moved(entry, source, from.name, undefined);
    moved(there, target, to.name, undefined);
  } else {
    if (there !== undefined) target.remove(there);
    move(entry, source, target, to.name);
    moved(entry, source, from.name, there?.inode);
    there?.settle();
  }
  volume.changes++;
  return 0;
}

function rename(call: Call, from: Where, to: Where, flags: number | undefined): number {
  if (flags === undefined || (flags & ~FLAGS) !== 0) return pass(call);
  const [old, target] = resolveBoth(
    call,
    () => resolve(call, from, NAME),
    () => resolve(call, to, NAME),
  );
  const isOurs = (found: Resolved): boolean => found instanceof Target || typeof found === 'number';
  if (!isOurs(old) && !isOurs(target)) return elsewhere(call, [from, old], [to, target]);
  if ((flags & WHITEOUT) !== 0 || flags === (NOREPLACE | EXCHANGE)) return -c.EINVAL; // whiteouts are for overlays
  if (typeof old === 'number') return old;
  if (typeof target === 'number') return target;
  if (!(old instanceof Target) || !(target instanceof Target)) return -c.EXDEV;
  if (!isSameMount((old.entry ?? old.parent?.entry) as Entry, target)) return -c.EXDEV;
  return renameWithin(call, old, target, flags);
}

export const renameCalls: Handlers = {
  rename: (call) => rename(call, PATH, { dirfd: -1, path: 1 }, 0),
  renameat: (call) => rename(call, AT, { dirfd: 2, path: 3 }, 0),
  renameat2: (call) => rename(call, AT, { dirfd: 2, path: 3 }, intOf(call.msg.args[4])),
};
