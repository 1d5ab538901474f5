/** xattr.ts: conformance of extended attributes. */
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, type Place } from './case.ts';

const marked = (p: Place): string => {
  sys.setxattr(p.file(), 'user.a', 'value');
  return p.at('file');
};
const fd = (p: Place): number => p.keep(fs.openSync(marked(p), 'r+'));
const value = (p: Place, name: string): string => sys.getxattr(p.at('file'), name).toString();
/** Only "trusted." goes with a symbolic link, and wants privileges. */
const link = (p: Place): string => {
  fs.symlinkSync('x', p.at('link'));
  return p.at('link');
};

export const xattr: Cases = {
  setxattr: {
    works: (p) => {
      sys.setxattr(p.file(), 'user.b', Buffer.from('1'));
      return [value(p, 'user.b'), '1'];
    },
    fails: {
      EEXIST: (p) => sys.setxattr(marked(p), 'user.a', '', c.XATTR_CREATE),
      ENODATA: (p) => sys.setxattr(p.file(), 'user.a', '', c.XATTR_REPLACE),
      EOPNOTSUPP: (p) => sys.setxattr(p.file(), 'none', ''),
      ENOENT: () => sys.setxattr(NONE, 'user.a', ''),
      ERANGE: (p) => sys.setxattr(p.file(), `user.${'x'.repeat(300)}`, ''),
      ERR_INVALID_ARG_TYPE: (p) => sys.setxattr(p.file(), 1 as unknown as string, ''),
    },
  },
  lsetxattr: {
    works: (p) => {
      sys.lsetxattr(p.file(), 'user.b', '2');
      return [value(p, 'user.b'), '2'];
    },
    fails: { EPERM: (p) => sys.lsetxattr(link(p), 'user.a', '') },
  },
  fsetxattr: {
    works: (p) => {
      sys.fsetxattr(fd(p), 'user.b', '3');
      return [value(p, 'user.b'), '3'];
    },
    fails: { EBADF: () => sys.fsetxattr(BAD, 'user.a', '') },
  },
  getxattr: {
    works: (p) => [sys.getxattr(marked(p), 'user.a').toString(), 'value'],
    fails: {
      ENODATA: (p) => sys.getxattr(p.file(), 'user.none'),
      ERANGE: (p) => sys.getxattr(marked(p), 'user.a', 2),
      ENOENT: () => sys.getxattr(NONE, 'user.a'),
      ERR_OUT_OF_RANGE: (p) => sys.getxattr(p.file(), 'user.a', -1),
    },
  },
  lgetxattr: {
    works: (p) => [sys.lgetxattr(marked(p), 'user.a').toString(), 'value'],
    fails: { ENODATA: (p) => sys.lgetxattr(p.file(), 'user.none') },
  },
  fgetxattr: {
    works: (p) => [sys.fgetxattr(fd(p), 'user.a').toString(), 'value'],
    fails: { EBADF: () => sys.fgetxattr(BAD, 'user.a') },
  },
  listxattr: {
    works: (p) => [sys.listxattr(marked(p)), ['user.a']],
    fails: { ENOENT: () => sys.listxattr(NONE), ERANGE: (p) => sys.listxattr(marked(p), 2) },
  },
  llistxattr: {
    works: (p) => [sys.llistxattr(marked(p)), ['user.a']],
    fails: { ENOENT: () => sys.llistxattr(NONE) },
  },
  flistxattr: {
    works: (p) => [sys.flistxattr(fd(p)), ['user.a']],
    fails: { EBADF: () => sys.flistxattr(BAD) },
  },
  removexattr: {
    works: (p) => {
      sys.removexattr(marked(p), 'user.a');
      return [sys.listxattr(p.at('file')), []];
    },
    fails: { ENODATA: (p) => sys.removexattr(p.file(), 'user.a') },
  },
  lremovexattr: {
    works: (p) => {
      sys.lremovexattr(marked(p), 'user.a');
      return [sys.listxattr(p.at('file')), []];
    },
    fails: { ENODATA: (p) => sys.lremovexattr(p.file(), 'user.a') },
  },
  fremovexattr: {
    works: (p) => {
      sys.fremovexattr(fd(p), 'user.a');
      return [sys.listxattr(p.at('file')), []];
    },
    fails: { EBADF: () => sys.fremovexattr(BAD, 'user.a') },
  },
  listxattrat: {
    works: (p) => [sys.listxattrat(AT, marked(p)), ['user.a']],
    fails: { ENOENT: () => sys.listxattrat(AT, NONE), EBADF: () => sys.listxattrat(BAD, 'x') },
  },
  removexattrat: {
    works: (p) => {
      sys.removexattrat(AT, marked(p), 0, 'user.a');
      return [sys.listxattr(p.at('file')), []];
    },
    fails: { ENODATA: (p) => sys.removexattrat(AT, p.file(), 0, 'user.a') },
  },
};
