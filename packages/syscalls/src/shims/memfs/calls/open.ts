/** open.ts: open, openat, creat, openat2. (open(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { below, type Call, type Handlers, intOf, pass } from '../call.ts';
import { MAY_READ, MAY_WRITE } from '../credentials.ts';
import { Directory, Entry } from '../inodes/directory.ts';
import { RegularFile } from '../inodes/file.ts';
import { SymbolicLink } from '../inodes/symbolic-link.ts';
import { OpenFile } from '../open-files/open-file.ts';
import { placeholder } from '../open-files/placeholder.ts';
import { toPathArgument } from '../paths/byte-string.ts';
import { CREATE, FOLLOW } from '../paths/path-walk.ts';
import { RealDirectory } from '../paths/real-directory.ts';
import { AT, elsewhere, PATH, type Resolved, resolve, type Where } from '../paths/resolve.ts';
import { Outside, Target } from '../paths/target.ts';
import type { Volume } from '../volume.ts';
import { changed, used } from '../watching/events.ts';

const O_TMPFILE = c.O_TMPFILE & ~c.O_DIRECTORY;
/** What 64-bit programs always have. */
const O_LARGEFILE = 0o100000;
/** What is gone once the file is open. */
const AT_OPENING = c.O_CREAT | c.O_EXCL | c.O_NOCTTY | c.O_TRUNC;
const OF_PATH = c.O_PATH | c.O_DIRECTORY | c.O_NOFOLLOW | c.O_CLOEXEC;

/** What is about to be opened: what is there, or a new file in a directory, with a name or (O_TMPFILE) without. */
interface Opening {
  entry?: Entry;
  parent?: Directory;
  name?: string;
}

function areInvalid(flags: number): boolean {
  if ((flags & c.O_PATH) !== 0) return false;
  if ((flags & O_TMPFILE) !== 0)
    return (flags & (c.O_DIRECTORY | c.O_CREAT)) !== c.O_DIRECTORY || (flags & 3) === c.O_RDONLY;
  return (flags & c.O_CREAT) !== 0 && (flags & c.O_DIRECTORY) !== 0;
}

/** The kernel's checks, in its order. Changes nothing. */
function prepare(volume: Volume, target: Target, flags: number): Opening | number {
  const { credentials } = volume;
  const { entry, parent, name } = target;
  const creates = (flags & c.O_CREAT) !== 0;
  const pathOnly = (flags & c.O_PATH) !== 0;
  if (creates && target.isName && target.slash) return -c.EISDIR;
  if (entry === undefined) {
    if (!creates || parent === undefined) return -c.ENOENT;
    const may = volume.mayAdd(parent);
    if (may < 0) return may;
    return volume.space.usedInodes < volume.space.inodes ? { parent, name } : -c.ENOSPC;
  }
  const { inode } = entry;
  const isDirectory = inode instanceof Directory;
  if (creates && (flags & c.O_EXCL) !== 0) return -c.EEXIST;
  if (creates && isDirectory) return -c.EISDIR;
  if ((flags & c.O_DIRECTORY) !== 0 && !isDirectory) return -c.ENOTDIR;
  if (pathOnly) return { entry };
  if (inode instanceof SymbolicLink) return -c.ELOOP;
  if ((flags & O_TMPFILE) !== 0) {
    if (isDirectory && inode.dead) return -c.ENOENT;
    if (!credentials.may(inode, 3)) return -c.EACCES;
    return volume.space.usedInodes < volume.space.inodes ? { parent: inode as Directory } : -c.ENOSPC;
  }
  const access = flags & 3;
  const writes = access !== c.O_RDONLY || (flags & c.O_TRUNC) !== 0;
  if (isDirectory && writes) return -c.EISDIR;
  if (!credentials.may(inode, (access !== c.O_WRONLY ? MAY_READ : 0) | (writes ? MAY_WRITE : 0)))
    return -c.EACCES;
  if ((flags & c.O_NOATIME) !== 0 && !credentials.owns(inode)) return -c.EPERM;
  return { entry };
}

/** O_TRUNC. Those who watch are told of the opening first, as by Linux since 6.8. */
function cut({ credentials }: Volume, entry: Entry): void {
  const { inode } = entry;
  if (!(inode instanceof RegularFile)) return;
  const { mode } = inode;
  inode.resize(0);
  inode.touch();
  credentials.written(inode);
  changed(entry, c.IN_MODIFY | (inode.mode === mode ? 0 : c.IN_ATTRIB));
}

/** Does what was found permitted: makes the file if there is none. */
function commit(volume: Volume, { entry, parent, name }: Opening, flags: number, mode: number): Entry {
  if (entry !== undefined) {
    return entry;
  }
  const { space, credentials } = volume;
  const directory = parent as Directory;
  space.takeInode();
  const file = new RegularFile(space, credentials.attributes(directory, mode, false));
  const made = new Entry(name ?? `#${file.ino}`, file);
  if (name !== undefined) {
    volume.add(directory, made);
  } else {
    file.nlink = 0;
    file.linkable = (flags & c.O_EXCL) === 0;
    made.lieIn(directory);
  }
  return made;
}

function find(call: Call, where: Where, flags: number): Resolved {
  const creates = (flags & c.O_CREAT) !== 0;
  const stops = (flags & c.O_NOFOLLOW) !== 0 || (creates && (flags & c.O_EXCL) !== 0);
  return resolve(call, where, (stops ? 0 : FOLLOW) | (creates ? CREATE : 0));
}

function open(call: Call, where: Where, givenFlags: unknown, givenMode: unknown): number {
  const { volume } = call;
  const [given, mode] = [intOf(givenFlags), intOf(givenMode ?? 0)];
  if (given === undefined || mode === undefined) return pass(call);
  const flags = (given & c.O_PATH) !== 0 ? given & OF_PATH : given;
  const target = find(call, where, flags);
  if ((target instanceof Target || typeof target === 'number') && areInvalid(flags)) return -c.EINVAL;
  if (!(target instanceof Target)) return outside(call, where, target);
  let opening = prepare(volume, target, flags);
  if (typeof opening === 'number') return opening;
  const elsewherePath = opening.entry?.inode.elsewhere;
  if (elsewherePath !== undefined) return openThere(call, elsewherePath, flags);
  const before = volume.changes;
  const fd = placeholder(call, (flags & c.O_CLOEXEC) !== 0);
  if (fd < 0) return fd;
  if (volume.changes !== before) {
    const again = find(call, where, flags); // the level below has let others run
    opening = again instanceof Target ? prepare(volume, again, flags) : -c.ENOENT;
    if (typeof opening === 'number') {
      below(call, 'close', fd);
      return opening;
    }
  }
  const kept = flags & ~AT_OPENING & ~c.O_CLOEXEC;
  const entry = commit(volume, opening, flags, mode);
  volume.descriptors.add(fd, new OpenFile(entry, (flags & c.O_PATH) !== 0 ? kept : kept | O_LARGEFILE));
  if ((flags & c.O_PATH) !== 0) return fd;
  used(entry, c.IN_OPEN);
  if (opening.entry !== undefined && (flags & c.O_TRUNC) !== 0) cut(volume, entry);
  return fd;
}

/** A device, a FIFO or a socket: the descriptor is the kernel's own. */
function openThere(call: Call, path: string, flags: number): number {
  const fd = below(call, 'openat', c.AT_FDCWD, toPathArgument(path), flags & ~(c.O_CREAT | c.O_EXCL), 0);
  if (fd >= 0) call.volume.descriptors.drop(fd);
  return fd;
}

/** Opens what isn't the tree's; a directory that leads to it is remembered, for its listing. */
function outside(call: Call, where: Where, resolved: Resolved): number {
  const fd = elsewhere(call, [where, resolved]);
  if (fd < 0) return fd;
  const { descriptors } = call.volume;
  descriptors.drop(fd);
  if (resolved instanceof Outside && resolved.mount !== undefined)
    descriptors.addRealDirectory(fd, new RealDirectory(resolved.mount));
  return fd;
}

/** openat2's struct open_how; what it says about how paths are resolved cannot be kept to here. */
function openat2(call: Call): number {
  const { args } = call.msg;
  const how = args[2];
  if (!ArrayBuffer.isView(how) || how.byteLength < 24) return pass(call);
  const view = new DataView(how.buffer, how.byteOffset, how.byteLength);
  const flags = Number(view.getBigUint64(0, true));
  const mode = Number(view.getBigUint64(8, true));
  const target = find(call, AT, flags | 0);
  if (!(target instanceof Target)) return outside(call, AT, target);
  if (view.getBigUint64(16, true) !== 0n) return -c.EOPNOTSUPP;
  return open(call, AT, flags, mode);
}

export const openCalls: Handlers = {
  open: (call) => open(call, PATH, call.msg.args[1], call.msg.args[2]),
  openat: (call) => open(call, AT, call.msg.args[2], call.msg.args[3]),
  creat: (call) => open(call, PATH, c.O_CREAT | c.O_WRONLY | c.O_TRUNC, call.msg.args[1]),
  openat2,
};
