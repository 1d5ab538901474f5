/** xattrs.ts: extended attributes as tmpfs has them: which names there are, and who may have to do with them (xattr(7)). */
import { constants as c } from '../../../generated/constants.ts';
import { type Credentials, MAY_READ, MAY_WRITE } from '../credentials.ts';
import type { Inode } from './inode.ts';

export const VALUE_MAX = 65_536;
const NAME_MAX = 255;
const PREFIXES: readonly string[] = ['user.', 'trusted.', 'security.'];

/** 0, or what is wrong with a name as such, as -errno. */
export function checkName(name: string): number {
  return name === '' || name.length > NAME_MAX ? -c.ERANGE : 0;
}

/** 0, or why an attribute may not be read or written, as -errno. */
export function mayUse(credentials: Credentials, inode: Inode, name: string, writes: boolean): number {
  const { mode } = inode;
  const type = mode & c.S_IFMT;
  if (name.startsWith('security.')) return writes && !credentials.root ? -c.EPERM : 0;
  if (name.startsWith('system.')) return -c.EOPNOTSUPP;
  if (name.startsWith('trusted.')) {
    if (!credentials.root) return writes ? -c.EPERM : -c.ENODATA;
    return name === 'trusted.' ? -c.EINVAL : 0;
  }
  if (name.startsWith('user.')) {
    if (type !== c.S_IFREG && type !== c.S_IFDIR) return writes ? -c.EPERM : -c.ENODATA;
    if (writes && type === c.S_IFDIR && (mode & c.S_ISVTX) !== 0 && !credentials.owns(inode)) return -c.EPERM;
  }
  if (!credentials.may(inode, writes ? MAY_WRITE : MAY_READ)) return -c.EACCES;
  if (!PREFIXES.some((prefix) => name.startsWith(prefix))) return -c.EOPNOTSUPP;
  return PREFIXES.includes(name) ? -c.EINVAL : 0;
}

/** Those that a user sees in a list. */
export function listed({ root }: Credentials, inode: Inode): string[] {
  return [...inode.xattrs.keys()].filter((name) => root || !name.startsWith('trusted.'));
}
