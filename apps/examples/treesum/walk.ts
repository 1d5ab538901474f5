/**
 * walk.ts: every regular file below a folder, in the same order each time, in blocking style. Symbolic links,
 * sockets, FIFOs and devices are passed by without being opened; a link given as the folder itself is
 * followed, as by sha256sum.
 */
import { constants, sys } from '@libcr/syscalls';

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW, DT_DIR, DT_REG, DT_UNKNOWN, S_IFMT, STATX_TYPE } = constants;
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC } = constants;

const TYPE_SHIFT = 12; // a DT_* is the type of st_mode, shifted

interface Entry {
  name: Buffer;
  type: number;
}

function isDots(name: Buffer): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/**
 * A folder's entries, sorted by their bytes. It is closed again before anything below it is opened: depth
 * costs no descriptors.
 */
function list(folder: Buffer, flags: number): Entry[] {
  const fd = sys.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
  try {
    const entries: Entry[] = [];
    const buffer = Buffer.allocUnsafeSlow(32 * 1024);
    for (;;) {
      const some = sys.getdents64(fd, buffer, 'buffer');
      if (some.length === 0) return entries.sort((a, b) => a.name.compare(b.name));
      for (const { name, type } of some)
        if (!isDots(name as Buffer)) entries.push({ name: name as Buffer, type });
    }
  } finally {
    sys.close(fd);
  }
}

/**
 * Calls onFile with the path of each file below folder, and onError with what cannot be read; goes on after
 * that.
 */
export function walk(
  folder: Buffer,
  onError: (path: Buffer, error: unknown) => void,
  onFile: (path: Buffer) => void,
  flags = 0,
): void {
  let entries: Entry[];
  try {
    entries = list(folder, flags);
  } catch (error) {
    onError(folder, error);
    return;
  }
  const prefix = folder.at(-1) === 0x2f ? folder : Buffer.concat([folder, Buffer.from('/')]);
  for (const { name, type } of entries) {
    const path = Buffer.concat([prefix, name]);
    let known = type;
    if (known === DT_UNKNOWN) {
      // some file systems do not say
      try {
        known = (sys.statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE).mode & S_IFMT) >> TYPE_SHIFT;
      } catch (error) {
        onError(path, error);
      }
    }
    if (known === DT_DIR) walk(path, onError, onFile, O_NOFOLLOW);
    else if (known === DT_REG) onFile(path);
  }
}
