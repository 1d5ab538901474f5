/** listing.ts: getdents64, of directories in memory, and of real ones that lead to mount points, which show those, too. (getdents(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handlers, pass } from '../call.ts';
import { encodeDirent, encodeOldDirent } from '../encode.ts';
import { Directory, direntType, type Entry } from '../inodes/directory.ts';
import type { OpenFile } from '../open-files/open-file.ts';
import { toBytes } from '../paths/byte-string.ts';
import type { RealDirectory } from '../paths/real-directory.ts';

type Encode = typeof encodeDirent;

function list(file: OpenFile, into: Uint8Array, encode: Encode): number {
  const directory = file.inode;
  if (file.pathOnly) return -c.EBADF;
  if (!(directory instanceof Directory)) return -c.ENOTDIR;
  if (directory.dead) return -c.ENOENT;
  let used = 0;
  const put = (name: string, { inode }: Entry, next: number): boolean => {
    const dirent = { name: toBytes(name), ino: inode.ino, type: direntType(inode), next };
    const size = encode(into, used, dirent);
    if (size > 0) file.position = next;
    used += size;
    return size > 0;
  };
  const { entry } = directory;
  let fits = true;
  if (file.position === 0) fits = put('.', entry, 1);
  if (fits && file.position === 1) fits = put('..', entry.parent?.entry ?? entry, 2);
  if (fits)
    for (const [child, position] of directory.from(file.position)) {
      fits = put(child.name, child, position + 1);
      if (!fits) break;
    }
  file.accessed();
  return used === 0 && !fits ? -c.EINVAL : used;
}

function getdents(call: Call, encode: Encode): number {
  const { volume, msg } = call;
  const [fd, buffer, length] = msg.args;
  const file = volume.descriptors.get(fd);
  const real = volume.descriptors.realDirectory(fd);
  const into = bytesOf(buffer, length);
  // The old form's entries of real directories are the kernel's only.
  if (file === undefined && encode === encodeOldDirent) return pass(call);
  if (into === undefined || (file === undefined && real === undefined)) return pass(call);
  return file === undefined ? listReal(call, real as RealDirectory, into) : list(file, into, encode);
}

function listReal(call: Call, real: RealDirectory, into: Uint8Array): number {
  const length = pass(call);
  if (length > 0) real.correct(into, length);
  if (length !== 0) return length;
  const rest = real.rest(into);
  return rest < 0 ? -c.EINVAL : rest;
}

export const listingCalls: Handlers = {
  getdents64: (call) => getdents(call, encodeDirent),
  getdents: (call) => getdents(call, encodeOldDirent),
};
