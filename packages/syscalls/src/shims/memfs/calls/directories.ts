/** directories.ts: mkdir, rmdir, mknod. (mkdir(2), rmdir(2), mknod(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { type Call, type Handlers, intOf, pass } from '../call.ts';
import { Directory, Entry } from '../inodes/directory.ts';
import { RegularFile } from '../inodes/file.ts';
import { NAME } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';

/** Where something may be made, or -errno: the checks that all calls have in common that make a name. */
export function placeFor(call: Call, target: Target, isDirectory: boolean): Directory | number {
  if (target.entry !== undefined) return -c.EEXIST;
  if (target.missing !== -c.ENOENT) return target.missing;
  if (target.slash && !isDirectory) return -c.ENOENT;
  const parent = target.parent as Directory;
  const may = call.volume.mayAdd(parent);
  return may < 0 ? may : parent;
}

function mkdir(call: Call, where: Where): number {
  const { volume, msg } = call;
  const mode = intOf(msg.args[where.path + 1]);
  if (mode === undefined) return pass(call);
  const target = resolve(call, where, NAME);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  const parent = placeFor(call, target, true);
  if (typeof parent === 'number') return parent;
  if (!volume.space.takeInode()) return -c.ENOSPC;
  const attributes = volume.credentials.attributes(parent, mode & 0o1777, true);
  volume.add(parent, new Entry(target.name, new Directory(volume.space, attributes)));
  return 0;
}

/** Devices, sockets and FIFOs are not for here: EPERM is what a file system says that has none of them. */
function mknod(call: Call, where: Where): number {
  const { volume, msg } = call;
  const mode = intOf(msg.args[where.path + 1]);
  if (mode === undefined) return pass(call);
  const target = resolve(call, where, NAME);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  const type = mode & c.S_IFMT;
  if (type === c.S_IFDIR) return -c.EPERM;
  const parent = placeFor(call, target, false);
  if (typeof parent === 'number') return parent;
  if (type !== 0 && type !== c.S_IFREG) return -c.EPERM;
  if (!volume.space.takeInode()) return -c.ENOSPC;
  const attributes = volume.credentials.attributes(parent, mode, false);
  volume.add(parent, new Entry(target.name, new RegularFile(volume.space, attributes)));
  return 0;
}

/** rmdir, and unlinkat with AT_REMOVEDIR. */
export function removeDirectory(call: Call, where: Where): number {
  const { volume } = call;
  const target = resolve(call, where, NAME);
  if (!(target instanceof Target)) return elsewhere(call, [where, target]);
  const { entry, parent } = target;
  if (entry === undefined) return target.missing;
  if (!target.isName) return lastIsDot(call, where) ? -c.EINVAL : -c.ENOTEMPTY;
  if (parent === undefined) return -c.EBUSY;
  const { inode } = entry;
  const may = volume.credentials.mayRemove(parent, inode);
  if (may < 0) return may;
  if (!(inode instanceof Directory)) return -c.ENOTDIR;
  if (inode.names.size > 0) return -c.ENOTEMPTY;
  volume.remove(parent, entry);
  return 0;
}

function lastIsDot({ msg }: Call, where: Where): boolean {
  const path = msg.args[where.path];
  const text = typeof path === 'string' ? path : Buffer.from(path as Uint8Array).toString('latin1');
  return /(^|\/)\.\/*$/.test(text);
}

export const directoryCalls: Handlers = {
  mkdir: (call) => mkdir(call, PATH),
  mkdirat: (call) => mkdir(call, AT),
  mknod: (call) => mknod(call, PATH),
  mknodat: (call) => mknod(call, AT),
  rmdir: (call) => removeDirectory(call, PATH),
};
