/** descriptors.ts: conformance of descriptors themselves. */
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { BAD, type Cases, type Place, raw } from './case.ts';

const target = (fd: number): string => fs.readlinkSync(`/proc/self/fd/${fd}`);
const closesOnExec = (fd: number): boolean => (sys.fcntl(fd, c.F_GETFD) & c.FD_CLOEXEC) !== 0;
const written = (p: Place): [number, Buffer] => {
  const [r, w] = p.pipe();
  sys.write(w, 'abc');
  return [r, Buffer.alloc(4)];
};

export const descriptors: Cases = {
  dup: {
    works: (p) => [target(p.keep(sys.dup(p.open()))), fs.realpathSync(p.at('file'))],
    fails: { EBADF: () => sys.dup(BAD) },
  },
  dup2: {
    works: (p) => {
      const [r] = p.pipe();
      sys.dup2(p.open(), r);
      return [target(r), fs.realpathSync(p.at('file'))];
    },
    fails: { EBADF: () => sys.dup2(BAD, 0) },
  },
  dup3: {
    works: (p) => {
      const [r] = p.pipe();
      sys.dup3(p.open(), r, c.O_CLOEXEC);
      return [
        [target(r), closesOnExec(r)],
        [fs.realpathSync(p.at('file')), true],
      ];
    },
    fails: {
      EBADF: (p) => sys.dup3(BAD, p.open()),
      EINVAL: (p) => {
        const fd = p.open();
        return sys.dup3(fd, fd);
      },
    },
  },
  close_range: {
    works: (p) => {
      const fd = p.open();
      sys.fcntl(fd, c.F_SETFD, 0);
      sys.close_range(fd, fd, c.CLOSE_RANGE_CLOEXEC);
      const marked = closesOnExec(fd);
      sys.close_range(fd, fd);
      return [
        [marked, fs.existsSync(`/proc/self/fd/${fd}`)],
        [true, false],
      ];
    },
    fails: { EINVAL: () => sys.close_range(5, 4) },
  },
  fcntl: {
    works: (p) => [
      sys.fcntl(p.open('f', '', c.O_RDWR | c.O_APPEND), c.F_GETFL) & (c.O_APPEND | 3),
      c.O_APPEND | c.O_RDWR,
    ],
    fails: {
      EBADF: () => sys.fcntl(BAD, c.F_GETFL),
      EINVAL: (p) => sys.fcntl(p.open(), 4711),
      ERR_OUT_OF_RANGE: (p) => sys.fcntl(p.open(), c.F_GETLK, Buffer.alloc(31)),
      EAGAIN: (p) => {
        const lock = Buffer.alloc(32);
        lock.writeInt16LE(c.F_WRLCK);
        sys.fcntl(p.open(), c.F_OFD_SETLK, lock);
        return sys.fcntl(p.keep(fs.openSync(p.at('file'), 'r+')), c.F_OFD_SETLK, lock);
      },
    },
  },
  flock: {
    works: (p) => [sys.flock(p.open(), c.LOCK_EX), undefined],
    fails: {
      EBADF: () => sys.flock(BAD, c.LOCK_EX),
      EINVAL: (p) => sys.flock(p.open(), 0),
      EAGAIN: (p) => {
        sys.flock(p.open(), c.LOCK_EX);
        return sys.flock(p.keep(fs.openSync(p.at('file'), 'r')), c.LOCK_SH | c.LOCK_NB);
      },
    },
  },
  ioctl: {
    works: (p) => {
      const [r, n] = written(p);
      sys.ioctl(r, c.FIONREAD, n);
      return [n.readInt32LE(0), 3];
    },
    fails: {
      EBADF: () => sys.ioctl(BAD, c.FIONREAD, Buffer.alloc(4)),
      ENOTTY: (p) => sys.ioctl(p.open(), 0x12345678),
      ERR_OUT_OF_RANGE: (p) => sys.ioctl(p.open(), c.TIOCGWINSZ, Buffer.alloc(7)),
      ERR_INVALID_ARG_TYPE: (p) => sys.ioctl(p.open(), c.FIONREAD, 0),
    },
  },
  pipe: {
    works: (p) => {
      const [r, w] = p.keep(sys.pipe());
      sys.write(w, 'x');
      return [
        [sys.read(r, Buffer.alloc(2)), closesOnExec(r)],
        [1, false],
      ];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('pipe', Buffer.alloc(7)) },
  },
  pipe2: {
    works: (p) => [closesOnExec(p.keep(sys.pipe2(c.O_CLOEXEC))[0]), true],
    fails: { EINVAL: () => sys.pipe2(1) },
  },
  kcmp: {
    works: (p) => {
      const fd = p.open();
      return [raw('kcmp', process.pid, process.pid, 0, fd, p.keep(sys.dup(fd))), 0];
    },
    fails: {
      EINVAL: () => raw('kcmp', process.pid, process.pid, 99, 0, 0),
      ESRCH: () => raw('kcmp', 2 ** 30, 1, 0, 0, 0),
    },
  },
};
