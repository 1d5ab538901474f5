/** links.ts: names: link, unlink, symlink, readlink. (link(2), unlink(2), symlink(2), readlink(2)) */
import { viewBytes } from '../../../codec/bytes.ts';
import { constants as c } from '../../../generated/constants.ts';
import { below, bytesOf, type Call, type Handlers, intOf, pass } from '../call.ts';
import { Directory, Entry } from '../inodes/directory.ts';
import { RegularFile } from '../inodes/file.ts';
import { SymbolicLink } from '../inodes/symbolic-link.ts';
import { toByteString, toBytes, toPathArgument } from '../paths/byte-string.ts';
import { pathOf } from '../paths/mount-point.ts';
import { FOLLOW, NAME } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, resolveBoth, type Where } from '../paths/resolve.ts';
import { type Outside, Target } from '../paths/target.ts';
import { linksChanged } from '../watching/events.ts';
import { placeFor, removeDirectory } from './directories.ts';

const AT_REMOVEDIR = 0x200;
/** A page is what a target has to fit into. */
const TARGET_MAX = 4095;

function unlink(call: Call, where: Where): number {
  const { volume } = call;
  const target = resolve(call, where, NAME);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  if (!target.isName) return -c.EISDIR;
  const { entry, parent } = target;
  if (entry === undefined) return target.missing;
  const { inode } = entry;
  if (target.slash) return inode instanceof Directory ? -c.EISDIR : -c.ENOTDIR;
  if (parent === undefined) return inode instanceof Directory ? -c.EISDIR : -c.EBUSY;
  const may = volume.credentials.mayRemove(parent, inode);
  if (may < 0) return may;
  if (inode instanceof Directory) return -c.EISDIR;
  volume.remove(parent, entry);
  return 0;
}

function unlinkat(call: Call): number {
  const flags = intOf(call.msg.args[2]);
  if (flags === undefined || (flags & ~AT_REMOVEDIR) !== 0) return pass(call);
  return flags === 0 ? unlink(call, AT) : removeDirectory(call, AT);
}

function link(call: Call, from: Where, to: Where, flags: number | undefined): number {
  const { volume } = call;
  if (flags === undefined || (flags & ~(c.AT_SYMLINK_FOLLOW | c.AT_EMPTY_PATH)) !== 0) return pass(call);
  const emptyPath = (flags & c.AT_EMPTY_PATH) !== 0;
  const how = (flags & c.AT_SYMLINK_FOLLOW) !== 0 ? FOLLOW : 0;
  const [old, target] = resolveBoth(
    call,
    () => resolve(call, from, how, emptyPath),
    () => resolve(call, to, NAME),
  );
  const isElsewhere = !(target instanceof Target) && typeof target !== 'number';
  if (!(old instanceof Target) && isElsewhere) return elsewhere(call, [from, old], [to, target]);
  if (typeof old === 'number') return old;
  if (!(old instanceof Target)) {
    const there = isThere(call, from, old, flags);
    if (there < 0) return there;
  } else if (old.entry === undefined) return -c.ENOENT;
  if (typeof target === 'number') return target;
  if (!(target instanceof Target)) return -c.EXDEV;
  const parent = placeFor(call, target, false);
  if (parent === -c.EEXIST || parent === -c.ENOENT) return parent;
  if (!(old instanceof Target)) return -c.EXDEV;
  const { inode } = old.entry as Entry;
  if (!isSameMount(old.entry as Entry, target)) return -c.EXDEV;
  if (typeof parent === 'number') return parent;
  if (inode instanceof Directory) return -c.EPERM;
  if (inode.nlink === 0 && !(inode instanceof RegularFile && inode.linkable)) return -c.ENOENT;
  if (inode.nlink > 0 && !volume.space.takeInode()) return -c.ENOSPC;
  inode.nlink++;
  inode.touchAttributes();
  linksChanged(inode);
  volume.add(parent, new Entry(target.name, inode));
  return 0;
}

/** 0 where what shall be linked exists outside of the tree, else -errno, which comes before EXDEV. */
function isThere(call: Call, { dirfd, path }: Where, found: Outside | undefined, flags: number): number {
  const { args } = call.msg;
  const [from, name] =
    found?.rewritten === true ? [c.AT_FDCWD, toPathArgument(found.path)] : [undefined, args[path]];
  const follow = (flags & c.AT_SYMLINK_FOLLOW) !== 0 ? 0 : c.AT_SYMLINK_NOFOLLOW;
  const at = from ?? (dirfd < 0 ? c.AT_FDCWD : args[dirfd]);
  return below(call, 'statx', at, name, follow | (flags & c.AT_EMPTY_PATH), 0, Buffer.alloc(256));
}

/** Whether an entry and the place a target names hang below one mount point. */
export function isSameMount(entry: Entry, target: Target): boolean {
  return rootOf(entry) === rootOf((target.entry ?? target.parent?.entry) as Entry);
}

function rootOf(entry: Entry): Entry {
  let at = entry;
  while (at.mount === undefined && at.parent !== undefined) at = at.parent.entry;
  return at;
}

function symlink(call: Call, to: Where): number {
  const { volume, msg } = call;
  const given = msg.args[0];
  if (typeof given !== 'string' && !ArrayBuffer.isView(given)) return pass(call);
  const text = toByteString(typeof given === 'string' ? given : viewBytes(given));
  if (text.includes('\0') || text.length > TARGET_MAX) return pass(call);
  const target = resolve(call, to, NAME);
  if (text === '' && (target instanceof Target || typeof target === 'number')) return -c.ENOENT;
  if (!(target instanceof Target)) return elsewhere(call, [to, target]);
  const parent = placeFor(call, target, false);
  if (typeof parent === 'number') return parent;
  const { space, credentials } = volume;
  const pages = SymbolicLink.pages(text);
  if (space.usedInodes >= space.inodes || !space.takePages(pages)) return -c.ENOSPC;
  space.takeInode();
  volume.add(
    parent,
    new Entry(target.name, new SymbolicLink(space, text, credentials.attributes(parent, 0o777, false))),
  );
  return 0;
}

function answer(call: Call, where: Where, text: string): number {
  const { args } = call.msg;
  const into = bytesOf(args[where.path + 1], args[where.path + 2]);
  if (into === undefined) return pass(call);
  if (into.length === 0) return -c.EINVAL;
  const bytes = toBytes(text).subarray(0, into.length);
  into.set(bytes);
  return bytes.length;
}

const OWN_DESCRIPTOR = new RegExp(`^/(?:proc/(?:self|thread-self|${process.pid})/fd|dev/fd)/(\\d+)$`);

function readlink(call: Call, where: Where): number {
  const path = call.msg.args[where.path];
  const [, number] = (typeof path === 'string' && OWN_DESCRIPTOR.exec(path)) || [];
  const file = number === undefined ? undefined : call.volume.descriptors.get(Number(number));
  if (file !== undefined) return answer(call, where, pathOf(file.entry));
  const target = resolve(call, where, 0, where.dirfd >= 0);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  if (target.entry === undefined) return -c.ENOENT;
  const { inode } = target.entry;
  if (!(inode instanceof SymbolicLink)) return path === '' ? -c.ENOENT : -c.EINVAL;
  inode.accessed();
  return answer(call, where, inode.target);
}

export const linkCalls: Handlers = {
  unlink: (call) => unlink(call, PATH),
  unlinkat,
  link: (call) => link(call, PATH, { dirfd: -1, path: 1 }, 0),
  linkat: (call) => link(call, AT, { dirfd: 2, path: 3 }, intOf(call.msg.args[4])),
  symlink: (call) => symlink(call, { dirfd: -1, path: 1 }),
  symlinkat: (call) => symlink(call, { dirfd: 1, path: 2 }),
  readlink: (call) => readlink(call, PATH),
  readlinkat: (call) => readlink(call, AT),
};
