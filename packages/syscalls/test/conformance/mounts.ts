/** mounts.ts: conformance of mounts and swap. What is mounted is attached to nothing, and so seen by nobody. */
import { constants as c, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, type Place, raw } from './case.ts';

const context = (p: Place): number => p.keep(sys.fsopen('tmpfs', c.FSOPEN_CLOEXEC));
const mounted = (p: Place): number => {
  const fd = context(p);
  sys.fsconfig(fd, c.FSCONFIG_SET_STRING, 'size', '1m');
  sys.fsconfig(fd, c.FSCONFIG_CMD_CREATE);
  return p.keep(sys.fsmount(fd, c.FSOPEN_CLOEXEC, c.MOUNT_ATTR_NODEV));
};
const request = (): Buffer => {
  const struct = Buffer.alloc(64);
  struct.writeUInt32LE(24, 0);
  struct.writeBigUInt64LE(0xffffffffffffffffn, 8); // LSMT_ROOT
  return struct;
};
const first = (): bigint => {
  const ids = Buffer.alloc(8);
  raw('listmount', request(), ids, 1, 0);
  return ids.readBigUInt64LE(0);
};
const TMPFS = 0x01021994;

export const mounts: Cases = {
  mount: {
    why: 'would change the machine',
    fails: {
      ENOENT: (p) => raw('mount', 'none', p.at('none'), 'tmpfs', 0, null),
      ENODEV: (p) => raw('mount', 'none', p.folder, 'nofs', 0, null),
    },
  },
  umount2: {
    why: 'would change the machine',
    fails: { EINVAL: (p) => sys.umount2(p.folder), ENOENT: () => sys.umount2(NONE) },
  },
  pivot_root: {
    why: 'would change the machine',
    fails: {
      ENOENT: (p) => raw('pivot_root', NONE, p.folder),
      EBUSY: (p) => raw('pivot_root', p.folder, p.folder),
    },
  },
  open_tree: {
    works: (p) => [sys.fstat(p.keep(sys.open_tree(AT, p.folder))).ino, sys.stat(p.folder).ino],
    fails: { ENOENT: () => sys.open_tree(AT, NONE), EINVAL: (p) => sys.open_tree(AT, p.folder, 0x40000000) },
  },
  open_tree_attr: {
    works: (p) => [
      sys.fstat(p.keep(raw('open_tree_attr', AT, p.folder, 0, null, 0))).ino,
      sys.stat(p.folder).ino,
    ],
    fails: { ENOENT: () => raw('open_tree_attr', AT, NONE, 0, null, 0) },
  },
  move_mount: {
    why: 'would change the machine',
    fails: {
      EINVAL: (p) => sys.move_mount(AT, p.folder, AT, p.folder),
      EBADF: (p) => sys.move_mount(BAD, 'x', AT, p.folder),
    },
  },
  fsopen: {
    works: (p) => [context(p) > 2, true],
    fails: { ENODEV: () => sys.fsopen('nofs'), EINVAL: () => sys.fsopen('tmpfs', 99) },
  },
  fsconfig: {
    works: (p) => [sys.fstatfs(mounted(p)).type, TMPFS],
    fails: {
      EINVAL: (p) => sys.fsconfig(context(p), 2, 'key', 'value', 1000),
      EBADF: () => sys.fsconfig(BAD, c.FSCONFIG_CMD_CREATE),
    },
  },
  fsmount: {
    works: (p) => [sys.fstatfs(mounted(p)).blocks * sys.fstatfs(mounted(p)).bsize, 2 ** 20],
    fails: { EINVAL: (p) => sys.fsmount(context(p)), EBADF: () => sys.fsmount(BAD) },
  },
  fspick: {
    works: (p) => [p.keep(sys.fspick(mounted(p), '', c.FSPICK_EMPTY_PATH)) > 2, true],
    fails: { EINVAL: (p) => sys.fspick(AT, p.folder), ENOENT: () => sys.fspick(AT, NONE) },
  },
  mount_setattr: {
    works: (p) => {
      const attributes = Buffer.alloc(32);
      attributes.writeBigUInt64LE(BigInt(c.MOUNT_ATTR_NOEXEC));
      return [raw('mount_setattr', mounted(p), '', c.AT_EMPTY_PATH, attributes, 32), 0];
    },
    fails: {
      EINVAL: (p) => raw('mount_setattr', AT, p.folder, 0, Buffer.alloc(32, 0xff), 32),
      ENOENT: () => raw('mount_setattr', AT, NONE, 0, Buffer.alloc(32).fill(1, 0, 1), 32),
    },
  },
  statmount: {
    works: () => {
      const [req, out] = [request(), Buffer.alloc(1000)];
      req.writeBigUInt64LE(first(), 8);
      req.writeBigUInt64LE(1n, 16); // STATMOUNT_SB_BASIC
      return [
        [raw('statmount', req, out, 1000, 0), out.readBigUInt64LE(8) & 1n],
        [0, 1n],
      ];
    },
    fails: {
      ENOENT: () => raw('statmount', request(), Buffer.alloc(600), 600, 0),
      ERR_OUT_OF_RANGE: () => raw('statmount', Buffer.alloc(64, 0xff), Buffer.alloc(8), 8, 0),
    },
  },
  listmount: {
    works: () => [raw('listmount', request(), Buffer.alloc(8), 1, 0), 1],
    fails: {
      EINVAL: () => raw('listmount', request(), Buffer.alloc(8), 1, 99),
      ERR_OUT_OF_RANGE: () => raw('listmount', request(), Buffer.alloc(8), 2, 0),
    },
  },
  swapon: {
    why: 'would change the machine',
    fails: { ENOENT: () => raw('swapon', NONE, 0), EINVAL: (p) => raw('swapon', p.file(), 0) },
  },
  swapoff: {
    why: 'would change the machine',
    fails: { ENOENT: () => raw('swapoff', NONE), EINVAL: (p) => raw('swapoff', p.file()) },
  },
};
