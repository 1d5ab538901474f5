/**
 * copy-file.ts: copyFile: the bytes of one file, and its permissions.
 *
 * Not here: directories, links and what cp makes of them (copy.ts).
 */
import { constants as fsConstants } from 'node:fs';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { send } from '../../port/send.ts';
import { type CheckedPath, checkNativeBits, checkPath } from '../arguments/arguments.ts';
import { Steps, type Work } from '../forms/work.ts';
import { kindOf } from '../stat/kind.ts';

const CHUNK = 65536;

/** Why copy_file_range does not copy what read and write can. */
const NOT_BY_THE_KERNEL: readonly number[] = [c.EXDEV, c.ENOSYS, c.EINVAL, c.EOPNOTSUPP, c.EBADF, c.EPERM];

/** Copies what is open, by the kernel where it can, else through memory. */
function copyOpen(from: number, to: number, told: (reply: number) => Error): void {
  let buffer: Buffer | undefined;
  for (;;) {
    const reply =
      buffer === undefined ? send(c.SYS_copy_file_range, from, null, to, null, 2 ** 30, 0) : -c.EXDEV;
    if (reply === 0 && buffer === undefined) {
      buffer = Buffer.allocUnsafeSlow(CHUNK); // the end; or a file of /proc, whose size is not known
      continue;
    }
    if (reply > 0) continue;
    if (!NOT_BY_THE_KERNEL.includes(-reply)) throw told(reply);
    buffer ??= Buffer.allocUnsafeSlow(CHUNK);
    const n = send(c.SYS_read, from, buffer, CHUNK);
    if (n === 0) return;
    if (n < 0) throw told(n);
    for (let done = 0; done < n; ) {
      const put = send(c.SYS_write, to, buffer.subarray(done, n), n - done);
      if (put < 0) throw told(put);
      done += put;
    }
  }
}

/** As libuv's: errors are copyfile's, and a copy that is not whole is removed. A reflink (COPYFILE_FICLONE) is what the kernel makes of it. */
export function copyFile(src: unknown, dest: unknown, mode?: unknown): Work<void> {
  const [from, to, bits] = [checkPath(src, 'src'), checkPath(dest, 'dest'), checkNativeBits(mode)];
  const told = (reply: number): Error => failure(reply, 'copyfile', from, to);
  const opens = (path: CheckedPath, flags: number, permissions = 0): number => {
    const fd = send(c.SYS_open, path, flags | c.O_CLOEXEC, permissions);
    if (fd < 0) throw told(fd);
    return fd;
  };
  return new Steps('fs.copyFile', () => {
    if ((bits & fsConstants.COPYFILE_FICLONE_FORCE) !== 0) throw told(-c.EOPNOTSUPP);
    const source = opens(from, c.O_RDONLY);
    try {
      const { type, mode: permissions, id } = kindOf('copyfile', source);
      if (type === c.S_IFDIR) throw told(-c.EISDIR);
      const excl = (bits & fsConstants.COPYFILE_EXCL) !== 0 ? c.O_EXCL : 0;
      const target = opens(to, c.O_WRONLY | c.O_CREAT | excl, permissions & 0o7777);
      let whole = false;
      let same = false;
      try {
        same = kindOf('copyfile', target).id === id;
        if (!same) {
          const cut = send(c.SYS_ftruncate, target, 0);
          if (cut < 0) throw told(cut);
          send(c.SYS_fchmod, target, permissions & 0o7777);
          copyOpen(source, target, told);
        }
        whole = true;
      } finally {
        send(c.SYS_close, target);
        if (!whole) send(c.SYS_unlink, to);
      }
    } finally {
      send(c.SYS_close, source);
    }
  });
}
