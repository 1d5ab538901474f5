/**
 * inode-writer.ts: inodes written into the real file system, with all that is in them: overlay's save(), and the tree that programs have.
 *
 * Invariant: nothing but what it is told is written to.
 */
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { native } from '../../native.ts';
import { nodeFs } from '../../node-fs.ts';
import { Directory } from './inodes/directory.ts';
import { RegularFile } from './inodes/file.ts';
import type { Inode } from './inodes/inode.ts';
import { SymbolicLink } from './inodes/symbolic-link.ts';
import type { Time } from './inodes/time.ts';
import { toBytes, toText } from './paths/byte-string.ts';

const CHUNK = 1 << 20;

/** Makes a call; throws where it fails. */
export function asked(call: number, name: string, path: string, ...args: unknown[]): void {
  const answer = native.call(call, ...(args as []));
  if (answer < 0) throw failure(answer, name, toText(path));
}

function timespecs(atime: Time, mtime: Time): Buffer {
  const bytes = Buffer.alloc(32);
  [atime.sec, atime.nsec, mtime.sec, mtime.nsec].forEach((value, i) => {
    bytes.writeBigInt64LE(BigInt(value), i * 8);
  });
  return bytes;
}

export class InodeWriter {
  /** Files by the first name that was written of them: further ones become hard links. */
  private readonly written = new Map<Inode, string>();

  /** An inode with all that is in it. opaque: an attribute of the directory. */
  whole(inode: Inode, path: string, opaque?: string): void {
    const first = this.written.get(inode);
    if (first !== undefined) {
      nodeFs.linkSync(toBytes(first), toBytes(path));
      return;
    }
    if (inode instanceof Directory) {
      nodeFs.mkdirSync(toBytes(path));
      if (opaque !== undefined) this.attribute(path, opaque, Buffer.from('y'));
      for (const child of inode.names.values()) this.whole(child.inode, `${path}/${child.name}`);
    } else {
      this.written.set(inode, path);
      if (inode instanceof RegularFile) this.contents(inode, path);
      else if (inode instanceof SymbolicLink)
        nodeFs.symlinkSync(toBytes(this.targetOf(inode, path)), toBytes(path));
      else asked(c.SYS_mknod, 'mknod', path, toBytes(path), inode.mode, inode.rdev);
    }
    this.attributes(inode, path);
  }

  /** What a link is to read. */
  protected targetOf(link: SymbolicLink, _path: string): string {
    return link.target;
  }

  private contents(file: RegularFile, path: string): void {
    const fd = nodeFs.openSync(toBytes(path), 'wx', 0o600);
    try {
      const chunk = Buffer.alloc(Math.min(CHUNK, Math.max(1, file.size)));
      for (let at = 0; at < file.size; ) {
        const n = file.read(chunk, at);
        if (n === 0) break;
        for (let done = 0; done < n; ) done += nodeFs.writeSync(fd, chunk, done, n - done, at + done);
        at += n;
      }
    } finally {
      nodeFs.closeSync(fd);
    }
  }

  private attribute(path: string, name: string, value: Buffer): void {
    asked(c.SYS_lsetxattr, 'lsetxattr', path, toBytes(path), toBytes(name), value, value.length, 0);
  }

  protected owner(inode: Inode, path: string): void {
    const there = nodeFs.lstatSync(toBytes(path));
    if (there.uid !== inode.uid || there.gid !== inode.gid)
      nodeFs.lchownSync(toBytes(path), inode.uid, inode.gid);
  }

  attributes(inode: Inode, path: string): void {
    this.owner(inode, path);
    for (const [name, value] of inode.xattrs) this.attribute(path, name, value);
    if (!(inode instanceof SymbolicLink)) nodeFs.chmodSync(toBytes(path), inode.mode & 0o7777);
    const times = timespecs(inode.atime, inode.mtime);
    asked(c.SYS_utimensat, 'utimensat', path, c.AT_FDCWD, toBytes(path), times, c.AT_SYMLINK_NOFOLLOW);
  }
}
