/** status.ts: what a file is: stat and its relatives, statfs, access. (stat(2), statx(2), statfs(2), access(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handlers, intOf, pass } from '../call.ts';
import { encodeStat, encodeStatfs, encodeStatx, STAT_SIZE, STATFS_SIZE, STATX_SIZE } from '../encode.ts';
import type { Inode } from '../inodes/inode.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';

const AT_FLAGS = c.AT_SYMLINK_NOFOLLOW | c.AT_NO_AUTOMOUNT | c.AT_EMPTY_PATH;
const STATX_FLAGS = AT_FLAGS | 0x6000;
const AT_EACCESS = 0x200;
const STATX_RESERVED = 2 ** 31;

/** Writes an inode's struct into the argument at into, or passes the call on. */
type Write = (call: Call, inode: Inode) => number;

const writeStat =
  (into: number): Write =>
  (call, inode) => {
    const struct = bytesOf(call.msg.args[into], STAT_SIZE);
    if (struct === undefined) return pass(call);
    encodeStat(struct, call.volume, inode);
    return 0;
  };

const writeStatx: Write = (call, inode) => {
  const struct = bytesOf(call.msg.args[4], STATX_SIZE);
  const mask = call.msg.args[3];
  if (struct === undefined || typeof mask !== 'number') return pass(call);
  if ((mask & STATX_RESERVED) !== 0) return -c.EINVAL;
  encodeStatx(struct, call.volume, inode);
  return 0;
};

const writeStatfs: Write = (call) => {
  const struct = bytesOf(call.msg.args[1], STATFS_SIZE);
  if (struct === undefined) return pass(call);
  encodeStatfs(struct, call.volume);
  return 0;
};

function ofPath(call: Call, where: Where, flags: unknown, known: number, write: Write): number {
  const bits = intOf(flags);
  if (bits === undefined) return pass(call);
  const follow = (bits & c.AT_SYMLINK_NOFOLLOW) === 0 ? FOLLOW : 0;
  const target = resolve(call, where, follow, (bits & c.AT_EMPTY_PATH) !== 0);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  if ((bits & ~known) !== 0) return -c.EINVAL;
  return target.entry === undefined ? -c.ENOENT : write(call, target.entry.inode);
}

function ofDescriptor(call: Call, write: Write): number {
  const file = call.volume.descriptors.get(call.msg.args[0]);
  return file === undefined ? pass(call) : write(call, file.inode);
}

function access(call: Call, where: Where, givenFlags: unknown): number {
  const [mode, flags] = [intOf(call.msg.args[where.path + 1]), intOf(givenFlags)];
  if (mode === undefined || flags === undefined) return pass(call);
  const follow = (flags & c.AT_SYMLINK_NOFOLLOW) === 0 ? FOLLOW : 0;
  const target = resolve(call, where, follow, (flags & c.AT_EMPTY_PATH) !== 0);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  if ((mode & ~7) !== 0 || (flags & ~(AT_EACCESS | c.AT_SYMLINK_NOFOLLOW | c.AT_EMPTY_PATH)) !== 0)
    return -c.EINVAL;
  if (target.entry === undefined) return -c.ENOENT;
  return call.volume.credentials.may(target.entry.inode, mode) ? 0 : -c.EACCES;
}

export const statusCalls: Handlers = {
  stat: (call) => ofPath(call, PATH, 0, 0, writeStat(1)),
  lstat: (call) => ofPath(call, PATH, c.AT_SYMLINK_NOFOLLOW, AT_FLAGS, writeStat(1)),
  fstat: (call) => ofDescriptor(call, writeStat(1)),
  newfstatat: (call) => ofPath(call, AT, call.msg.args[3], AT_FLAGS, writeStat(2)),
  statx: (call) => ofPath(call, AT, call.msg.args[2], STATX_FLAGS, writeStatx),
  statfs: (call) => ofPath(call, PATH, 0, 0, writeStatfs),
  fstatfs: (call) => ofDescriptor(call, writeStatfs),
  access: (call) => access(call, PATH, 0),
  faccessat: (call) => access(call, AT, 0),
  faccessat2: (call) => access(call, AT, call.msg.args[3]),
};
