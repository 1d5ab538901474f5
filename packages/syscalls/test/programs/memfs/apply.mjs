// apply.mjs: applies operations to one file system, below a base directory, and says what came of it, so that two can be compared: results and
// errors; inode numbers only by which files are the same.
import { constants as c, sys } from '@libcr/syscalls';

const data = (length, start) => Buffer.from(Array.from({ length }, (_, i) => (start + i * 7) & 0xff));

export class World {
  constructor(base) {
    this.base = base;
    this.slots = [];
  }

  at(path) {
    return `${this.base}/${path}`;
  }

  fd(slot) {
    return this.slots[slot] ?? -1;
  }

  put(slot, fd) {
    if (this.slots[slot] !== undefined) sys.close(this.slots[slot]);
    this.slots[slot] = fd;
    return 'a descriptor';
  }

  /** What is the same in both file systems; the inode number apart. */
  about(stat) {
    const { ino, mode, nlink, uid, gid, size, blocks, blksize } = stat;
    return { ino, plain: { mode: mode.toString(8), nlink, uid, gid, size, blocks, blksize } };
  }

  /** { value } or { code }; value may have an inode number in it as ino. */
  apply([name, ...args]) {
    try {
      return { value: (this[name] ?? this.plain(name)).apply(this, args) };
    } catch (error) {
      if (error.errno === undefined) throw error;
      return { code: error.code };
    }
  }

  /** A call whose first arguments are paths, all of them, then numbers. */
  plain(name) {
    return (...args) => sys[name](...args.map((arg) => (typeof arg === 'string' ? this.at(arg) : arg)));
  }

  open(slot, path, flags, mode) {
    return this.put(slot, sys.open(this.at(path), flags, mode));
  }

  openat(slot, dirfd, path, flags, mode) {
    return this.put(slot, sys.openat(this.fd(dirfd), path, flags, mode));
  }

  close(slot) {
    const fd = this.fd(slot);
    this.slots[slot] = undefined;
    sys.close(fd);
  }

  read(slot, length) {
    const buffer = Buffer.alloc(length, 0xee);
    const n = sys.read(this.fd(slot), buffer);
    return [n, buffer.toString('latin1')];
  }

  write(slot, length, start) {
    return sys.write(this.fd(slot), data(length, start));
  }

  pread64(slot, length, offset) {
    const buffer = Buffer.alloc(length, 0xee);
    const n = sys.pread64(this.fd(slot), buffer, length, offset);
    return [n, buffer.toString('latin1')];
  }

  pwrite64(slot, length, start, offset) {
    return sys.pwrite64(this.fd(slot), data(length, start), length, offset);
  }

  readv(slot, lengths) {
    const buffers = lengths.map((length) => Buffer.alloc(length, 0xee));
    return [sys.readv(this.fd(slot), buffers), Buffer.concat(buffers).toString('latin1')];
  }

  writev(slot, lengths, start) {
    return sys.writev(
      this.fd(slot),
      lengths.map((length, i) => data(length, start + i)),
    );
  }

  preadv(slot, lengths, offset) {
    const buffers = lengths.map((length) => Buffer.alloc(length, 0xee));
    return [sys.preadv(this.fd(slot), buffers, offset), Buffer.concat(buffers).toString('latin1')];
  }

  pwritev(slot, lengths, start, offset) {
    return sys.pwritev(
      this.fd(slot),
      lengths.map((length, i) => data(length, start + i)),
      offset,
    );
  }

  lseek(slot, offset, whence) {
    const fd = this.fd(slot);
    if (fd >= 0 && whence > 0 && sys.fstat(fd).isDirectory())
      return 'a position of a directory is its own affair';
    return sys.lseek(fd, offset, whence);
  }

  fstat(slot) {
    return this.about(sys.fstat(this.fd(slot)));
  }

  statx(path, flags) {
    return this.about(sys.statx(c.AT_FDCWD, this.at(path), flags));
  }

  statxOf(slot) {
    return this.about(sys.statx(this.fd(slot), '', c.AT_EMPTY_PATH));
  }

  /** The rest of a listing, in pieces. Which entries a changed directory shows depends on the order: compared is a listing from the start. */
  list(slot, length) {
    const fd = this.fd(slot);
    if (fd >= 0 && sys.fstat(fd).isDirectory() && (sys.fcntl(fd, c.F_GETFL) & c.O_PATH) === 0)
      sys.lseek(fd, 0);
    const names = [];
    for (;;) {
      const entries = sys.getdents64(fd, Buffer.alloc(length));
      if (entries.length === 0) return names.sort();
      for (const { name, type } of entries) names.push(`${name} ${type}`);
    }
  }

  symlink(target, path) {
    return sys.symlink(typeof target === 'string' ? target : this.at(target.absolute), this.at(path));
  }

  longSymlink(length, path) {
    return sys.symlink('y'.repeat(length), this.at(path));
  }

  readlink(path) {
    return sys.readlink(this.at(path)).replace(this.base, '(base)');
  }

  ftruncate(slot, length) {
    return sys.ftruncate(this.fd(slot), length);
  }

  fsync(slot) {
    return sys.fsync(this.fd(slot));
  }

  dup(from, to) {
    return this.put(to, sys.dup(this.fd(from)));
  }

  dup3(from, to) {
    const [fd, newfd] = [this.fd(from), this.fd(to)];
    if (newfd < 0) return 'no number to take';
    return sys.dup3(fd, newfd) === newfd;
  }

  dupfd(from, to) {
    return this.put(to, sys.fcntl(this.fd(from), c.F_DUPFD_CLOEXEC, 300));
  }

  getfl(slot) {
    return sys.fcntl(this.fd(slot), c.F_GETFL).toString(8);
  }

  setfl(slot, flags) {
    return sys.fcntl(this.fd(slot), c.F_SETFL, flags);
  }

  getfd(slot) {
    return sys.fcntl(this.fd(slot), c.F_GETFD);
  }

  poll(slot, events) {
    const fds = [{ fd: this.fd(slot), events }];
    return [sys.poll(fds, 0), fds[0].revents];
  }

  epoll(slot) {
    const epfd = sys.epoll_create1(c.EPOLL_CLOEXEC);
    try {
      return sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, this.fd(slot), { events: c.EPOLLIN, data: 1 });
    } finally {
      sys.close(epfd);
    }
  }

  lock(slot, command, type, whence, start, length) {
    const fd = this.fd(slot);
    if (fd >= 0 && whence === c.SEEK_CUR && sys.fstat(fd).isDirectory()) return 'as for lseek';
    const flock = Buffer.alloc(32);
    flock.writeInt16LE(type, 0);
    flock.writeInt16LE(whence, 2);
    flock.writeBigInt64LE(BigInt(start), 8);
    flock.writeBigInt64LE(BigInt(length), 16);
    return [sys.fcntl(fd, command, flock), flock.toString('hex')];
  }

  procfd(slot, to, flags) {
    return this.put(to, sys.open(`/proc/self/fd/${this.fd(slot)}`, flags));
  }

  linkat(from, to, flags) {
    return sys.linkat(c.AT_FDCWD, this.at(from), c.AT_FDCWD, this.at(to), flags);
  }

  linkTemporary(slot, path) {
    return sys.linkat(
      c.AT_FDCWD,
      `/proc/self/fd/${this.fd(slot)}`,
      c.AT_FDCWD,
      this.at(path),
      c.AT_SYMLINK_FOLLOW,
    );
  }

  renameat2(from, to, flags) {
    return sys.renameat2(c.AT_FDCWD, this.at(from), c.AT_FDCWD, this.at(to), flags);
  }

  unlinkat(slot, path, flags) {
    return sys.unlinkat(this.fd(slot), path, flags);
  }

  mkdirat(slot, path, mode) {
    return sys.mkdirat(this.fd(slot), path, mode);
  }

  fchmod(slot, mode) {
    return sys.fchmod(this.fd(slot), mode);
  }

  fchown(slot, uid, gid) {
    return sys.fchown(this.fd(slot), uid, gid);
  }

  fallocate(slot, mode, offset, length) {
    return sys.fallocate(this.fd(slot), mode, offset, length);
  }

  utimensat(path, atime, mtime, flags) {
    sys.utimensat(
      c.AT_FDCWD,
      this.at(path),
      [
        { sec: atime, nsec: 5 },
        { sec: mtime, nsec: 999_999_999 },
      ],
      flags,
    );
    const { mtimeNs } = sys.statx(c.AT_FDCWD, this.at(path), flags);
    return String(mtimeNs);
  }

  /** Within one file the kernel moves pages that change meanwhile: not compared. */
  sendfile(out, from, offset, length) {
    const [target, source] = [this.fd(out), this.fd(from)];
    if (target >= 0 && source >= 0 && sys.fstat(target).ino === sys.fstat(source).ino) return 'one file';
    return sys.sendfile(this.fd(out), this.fd(from), offset, length);
  }

  copy_file_range(from, to, offset, target, length) {
    return sys.copy_file_range(this.fd(from), offset, this.fd(to), target, length, 0);
  }

  setxattr(path, name, length, flags) {
    return sys.setxattr(this.at(path), name, data(length, 1), flags);
  }

  lsetxattr(path, name, length, flags) {
    return sys.lsetxattr(this.at(path), name, data(length, 2), flags);
  }

  fsetxattr(slot, name, length, flags) {
    return sys.fsetxattr(this.fd(slot), name, data(length, 3), flags);
  }

  getxattr(path, name, size) {
    return String(sys.getxattr(this.at(path), name, size));
  }

  lgetxattr(path, name, size) {
    return String(sys.lgetxattr(this.at(path), name, size));
  }

  fgetxattr(slot, name, size) {
    return String(sys.fgetxattr(this.fd(slot), name, size));
  }

  /** Of the order nothing is promised. */
  names(found) {
    return Buffer.isBuffer(found) || found instanceof Uint8Array
      ? Buffer.from(found).toString('latin1').split('\0').sort()
      : [...found].sort();
  }

  listxattr(path, size) {
    return this.names(sys.listxattr(this.at(path), size));
  }

  llistxattr(path, size) {
    return this.names(sys.llistxattr(this.at(path), size));
  }

  flistxattr(slot, size) {
    return this.names(sys.flistxattr(this.fd(slot), size));
  }

  removexattr(path, name) {
    return sys.removexattr(this.at(path), name);
  }

  lremovexattr(path, name) {
    return sys.lremovexattr(this.at(path), name);
  }

  fremovexattr(slot, name) {
    return sys.fremovexattr(this.fd(slot), name);
  }

  flock(slot, operation) {
    return sys.flock(this.fd(slot), operation);
  }

  /** Everything below the base, read as it is. */
  tree(path = '') {
    const found = [];
    if (!this.may(path)) return found;
    const fd = sys.open(this.at(path), c.O_RDONLY | c.O_DIRECTORY);
    const names = [];
    for (;;) {
      const entries = sys.getdents64(fd);
      if (entries.length === 0) break;
      for (const { name } of entries) if (name !== '.' && name !== '..') names.push(name);
    }
    sys.close(fd);
    for (const name of names.sort()) {
      const child = path === '' ? name : `${path}/${name}`;
      const stat = sys.statx(c.AT_FDCWD, this.at(child), c.AT_SYMLINK_NOFOLLOW);
      found.push([child, this.about(stat), this.contents(child, stat)]);
      if (stat.isDirectory()) found.push(...this.tree(child));
    }
    return found;
  }

  may(path) {
    try {
      sys.close(sys.open(this.at(path), c.O_RDONLY | c.O_DIRECTORY));
      sys.statx(c.AT_FDCWD, `${this.at(path)}/.`);
      return true;
    } catch {
      return false;
    }
  }

  contents(path, stat) {
    if (stat.isSymbolicLink()) return this.readlink(path);
    if (!stat.isFile()) return undefined;
    try {
      const fd = sys.open(this.at(path), c.O_RDONLY | c.O_NOFOLLOW);
      const buffer = Buffer.alloc(stat.size);
      const n = sys.read(fd, buffer);
      sys.close(fd);
      return [n, buffer.toString('latin1')];
    } catch (error) {
      return error.code;
    }
  }

  end() {
    for (const fd of this.slots) if (fd !== undefined) sys.close(fd);
    this.slots = [];
  }
}
