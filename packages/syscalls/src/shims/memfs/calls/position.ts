/** position.ts: lseek, and how long a file is: truncate, ftruncate, fallocate. (lseek(2), truncate(2), fallocate(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { type Call, type Handlers, intOf, longOf, pass } from '../call.ts';
import { MAY_WRITE } from '../credentials.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import { RegularFile, SIZE_MAX } from '../inodes/file.ts';
import type { OpenFile } from '../open-files/open-file.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { elsewhere, PATH, resolve } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';
import type { Volume } from '../volume.ts';
import { changed, used } from '../watching/events.ts';
import { written } from './read-write.ts';

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

/** The new position, or -errno. */
function sought({ inode, position }: OpenFile, offset: number, whence: number): number {
  const isFile = inode instanceof RegularFile;
  if (isFile && (whence === c.SEEK_DATA || whence === c.SEEK_HOLE))
    return inode.seek(offset, whence === c.SEEK_HOLE);
  let base = 0;
  if (whence === c.SEEK_CUR) base = position;
  else if (whence === c.SEEK_END && isFile) base = inode.size;
  else if (whence !== c.SEEK_SET) return -c.EINVAL;
  const sum = base + offset;
  return sum < 0 || sum > SIZE_MAX ? -c.EINVAL : sum;
}

function lseek(call: Call): number {
  const { args } = call.msg;
  const file = call.volume.descriptors.get(args[0]);
  if (file === undefined) {
    const answer = pass(call);
    if (answer === 0) call.volume.descriptors.realDirectory(args[0])?.rewind();
    return answer;
  }
  const [offset, whence] = [longOf(args[1]), intOf(args[2])];
  if (offset === undefined || whence === undefined) return pass(call);
  if (file.pathOnly) return -c.EBADF;
  const position = sought(file, offset, whence);
  if (position >= 0) file.position = position;
  return position;
}

function resize({ credentials }: Volume, entry: Entry, length: number): number {
  if (length > SIZE_MAX) return -c.EFBIG;
  const file = entry.inode as RegularFile;
  file.resize(length);
  file.touch();
  const { mode } = file;
  credentials.written(file);
  changed(entry, c.IN_MODIFY | (file.mode === mode ? 0 : c.IN_ATTRIB));
  return 0;
}

function ftruncate(call: Call): number {
  const { args } = call.msg;
  const file = call.volume.descriptors.get(args[0]);
  if (file === undefined) return pass(call);
  const length = longOf(args[1]);
  if (length === undefined) return pass(call);
  if (length < 0) return -c.EINVAL;
  if (file.pathOnly) return -c.EBADF;
  if (!(file.inode instanceof RegularFile) || !file.writable) return -c.EINVAL;
  return resize(call.volume, file.entry, length);
}

function truncate(call: Call): number {
  const length = longOf(call.msg.args[1]);
  if (length === undefined || length < 0) return pass(call);
  const target = resolve(call, PATH, FOLLOW);
  if (!(target instanceof Target)) return elsewhere(call, [PATH, target]);
  if (target.entry === undefined) return -c.ENOENT;
  const { inode } = target.entry;
  if (inode instanceof Directory) return -c.EISDIR;
  if (!(inode instanceof RegularFile)) return -c.EINVAL;
  if (!call.volume.credentials.may(inode, MAY_WRITE)) return -c.EACCES;
  return resize(call.volume, target.entry, length);
}

function fallocate(call: Call): number {
  const { args } = call.msg;
  const file = call.volume.descriptors.get(args[0]);
  if (file === undefined) return pass(call);
  const [mode, at, length] = [intOf(args[1]), longOf(args[2]), longOf(args[3])];
  if (mode === undefined || at === undefined || length === undefined) return pass(call);
  if (file.pathOnly) return -c.EBADF;
  if (at < 0 || length <= 0) return -c.EINVAL;
  if ((mode & ~(KEEP_SIZE | PUNCH_HOLE)) !== 0 || mode === PUNCH_HOLE) return -c.EOPNOTSUPP;
  if (!file.writable) return -c.EBADF;
  if (at + length > SIZE_MAX) return -c.EFBIG;
  const inode = file.inode as RegularFile;
  if ((mode & PUNCH_HOLE) !== 0) {
    inode.punch(at, length);
  } else {
    const answer = inode.reserve(at, length);
    if (answer < 0) return answer;
    if ((mode & KEEP_SIZE) === 0 && at + length > inode.size) inode.resize(at + length);
  }
  inode.touch();
  written(call.volume, file.entry);
  used(file.entry, c.IN_MODIFY);
  return 0;
}

export const positionCalls: Handlers = { lseek, ftruncate, truncate, fallocate };
