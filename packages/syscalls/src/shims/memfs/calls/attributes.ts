/** attributes.ts: mode, owner and times: chmod, chown, utime and their relatives. (chmod(2), chown(2), utimensat(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handlers, intOf, pass } from '../call.ts';
import { MAY_WRITE } from '../credentials.ts';
import type { Entry } from '../inodes/directory.ts';
import { SymbolicLink } from '../inodes/symbolic-link.ts';
import { now, type Time } from '../inodes/time.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';
import type { Volume } from '../volume.ts';
import { changed } from '../watching/events.ts';

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const FLAGS = c.AT_SYMLINK_NOFOLLOW | c.AT_EMPTY_PATH;

type Change = (volume: Volume, entry: Entry) => number;

function ofPath(call: Call, where: Where, givenFlags: unknown, change: Change): number {
  const flags = intOf(givenFlags);
  if (flags === undefined) return pass(call);
  const follow = (flags & c.AT_SYMLINK_NOFOLLOW) === 0 ? FOLLOW : 0;
  const target = resolve(call, where, follow, (flags & c.AT_EMPTY_PATH) !== 0);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  if ((flags & ~FLAGS) !== 0) return -c.EINVAL;
  return target.entry === undefined ? -c.ENOENT : change(call.volume, target.entry);
}

function ofDescriptor(call: Call, change: Change): number {
  const file = call.volume.descriptors.get(call.msg.args[0]);
  if (file === undefined) return pass(call);
  return file.pathOnly ? -c.EBADF : change(call.volume, file.entry);
}

function chmod(mode: number): Change {
  return ({ credentials }, entry) => {
    const { inode } = entry;
    if (inode instanceof SymbolicLink) return -c.EOPNOTSUPP;
    if (!credentials.owns(inode)) return -c.EPERM;
    let bits = mode & 0o7777;
    if (!credentials.root && !credentials.inGroup(inode.gid)) bits &= ~c.S_ISGID;
    inode.mode = (inode.mode & c.S_IFMT) | bits;
    inode.touchAttributes();
    changed(entry, c.IN_ATTRIB);
    return 0;
  };
}

/** -1 leaves the owner, or the group, as it is. */
function chown(uid: number, gid: number): Change {
  return ({ credentials }, entry) => {
    const { inode } = entry;
    const { mode } = inode;
    if (!credentials.root) {
      if (uid !== -1 && (inode.uid !== credentials.uid || uid !== inode.uid)) return -c.EPERM;
      const mayGroup =
        inode.uid === credentials.uid && (gid >>> 0 === inode.gid || credentials.inGroup(gid >>> 0));
      if (gid !== -1 && !mayGroup) return -c.EPERM;
    }
    if (uid !== -1) inode.uid = uid >>> 0;
    if (gid !== -1) inode.gid = gid >>> 0;
    credentials.stripPrivileges(inode);
    inode.touchAttributes();
    if (uid !== -1 || gid !== -1 || inode.mode !== mode) changed(entry, c.IN_ATTRIB);
    return 0;
  };
}

/** undefined: as it is; 'now': now. */
type NewTime = Time | 'now' | undefined;

function setTimes(atime: NewTime, mtime: NewTime): Change {
  return ({ credentials }, entry) => {
    const { inode } = entry;
    if (atime === undefined && mtime === undefined) return 0;
    if (atime === 'now' && mtime === 'now') {
      if (!credentials.owns(inode) && !credentials.may(inode, MAY_WRITE)) return -c.EACCES;
    } else if (!credentials.owns(inode)) return -c.EPERM;
    const time = now();
    if (atime !== undefined) inode.atime = atime === 'now' ? time : atime;
    if (mtime !== undefined) inode.mtime = mtime === 'now' ? time : mtime;
    inode.touchAttributes();
    changed(entry, atime === undefined ? c.IN_MODIFY : mtime === undefined ? c.IN_ACCESS : c.IN_ATTRIB);
    return 0;
  };
}

const NOW: Change = setTimes('now', 'now');

/** Pairs of 64-bit integers: struct timespec[2], struct timeval[2]. undefined where the argument is no such buffer. */
function pairsOf(buffer: unknown): [sec: number, fraction: number][] | undefined {
  const bytes = ArrayBuffer.isView(buffer) ? bytesOf(buffer, 32) : undefined;
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  const at = (i: number): number => Number(view.getBigInt64(i * 8, true));
  return [
    [at(0), at(1)],
    [at(2), at(3)],
  ];
}

/** struct timespec[2], or null for now. The answer may be -errno, or undefined for what is none. */
function timespecs(buffer: unknown): Change | number | undefined {
  if (buffer === null || buffer === undefined) return NOW;
  const pairs = pairsOf(buffer);
  if (pairs === undefined) return undefined;
  const times: NewTime[] = [];
  for (const [sec, nsec] of pairs) {
    if (nsec === UTIME_NOW) times.push('now');
    else if (nsec === UTIME_OMIT) times.push(undefined);
    else if (nsec < 0 || nsec >= 1e9) return -c.EINVAL;
    else times.push({ sec, nsec });
  }
  return setTimes(times[0], times[1]);
}

/** struct timeval[2], or null. */
function timevals(buffer: unknown): Change | number | undefined {
  if (buffer === null || buffer === undefined) return NOW;
  const pairs = pairsOf(buffer);
  if (pairs === undefined) return undefined;
  if (pairs.some(([, usec]) => usec < 0 || usec >= 1e6)) return -c.EINVAL;
  const [atime, mtime] = pairs.map(([sec, usec]) => ({ sec, nsec: usec * 1000 }));
  return setTimes(atime, mtime);
}

/** struct utimbuf, or null. */
function utimbuf(buffer: unknown): Change | undefined {
  if (buffer === null || buffer === undefined) return NOW;
  const bytes = ArrayBuffer.isView(buffer) ? bytesOf(buffer, 16) : undefined;
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const [atime, mtime] = [0, 8].map((at) => ({ sec: Number(view.getBigInt64(at, true)), nsec: 0 }));
  return setTimes(atime, mtime);
}

function withTimes(call: Call, where: Where, flags: unknown, change: Change | number | undefined): number {
  if (change === undefined) return pass(call);
  const path = call.msg.args[where.path];
  const answer: Change = typeof change === 'number' ? () => change : change;
  if (where.dirfd >= 0 && (path === null || path === undefined)) return ofDescriptor(call, answer); // as futimens does
  return ofPath(call, where, flags, answer);
}

/** A change by the arguments from one on, which are integers; where they are none, the call passes on. */
function withInts(call: Call, from: number, count: number, change: (values: number[]) => number): number {
  const values = call.msg.args.slice(from, from + count).map(intOf);
  return values.length < count || values.includes(undefined) ? pass(call) : change(values as number[]);
}

export const attributeCalls: Handlers = {
  chmod: (call) => withInts(call, 1, 1, ([mode]) => ofPath(call, PATH, 0, chmod(mode))),
  fchmod: (call) => withInts(call, 1, 1, ([mode]) => ofDescriptor(call, chmod(mode))),
  fchmodat: (call) => withInts(call, 2, 1, ([mode]) => ofPath(call, AT, 0, chmod(mode))),
  fchmodat2: (call) => withInts(call, 2, 2, ([mode, flags]) => ofPath(call, AT, flags, chmod(mode))),
  chown: (call) => withInts(call, 1, 2, ([uid, gid]) => ofPath(call, PATH, 0, chown(uid, gid))),
  lchown: (call) =>
    withInts(call, 1, 2, ([uid, gid]) => ofPath(call, PATH, c.AT_SYMLINK_NOFOLLOW, chown(uid, gid))),
  fchown: (call) => withInts(call, 1, 2, ([uid, gid]) => ofDescriptor(call, chown(uid, gid))),
  fchownat: (call) => withInts(call, 2, 3, ([uid, gid, flags]) => ofPath(call, AT, flags, chown(uid, gid))),
  utimensat: (call) => withTimes(call, AT, call.msg.args[3], timespecs(call.msg.args[2])),
  futimesat: (call) => withTimes(call, AT, 0, timevals(call.msg.args[2])),
  utimes: (call) => withTimes(call, PATH, 0, timevals(call.msg.args[1])),
  utime: (call) => withTimes(call, PATH, 0, utimbuf(call.msg.args[1])),
};
