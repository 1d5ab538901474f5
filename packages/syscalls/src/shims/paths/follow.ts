/**
 * follow.ts: where a path leads, links followed, by the kernel's own lookup: opened with O_PATH, which does nothing to the file, and asked where that is. What does
 * not exist yet is a name in its folder.
 *
 * It is what was true at the look: somebody who changes a link between it and the call is not seen.
 */
import { constants as c } from '../../generated/constants.ts';
import { below, linkText, placeOf, Unknown } from './look.ts';
import type { Last } from './lookups.ts';
import { bytesOfText } from './text.ts';

const LOOK = c.O_PATH | c.O_CLOEXEC;
const LINKS_MAX = 40;
/** What the kernel's lookup fails with, and the call will, too. */
const FAILS: ReadonlySet<number> = new Set(
  [c.ENOENT, c.ENOTDIR, c.EACCES, c.ELOOP, c.EXDEV, c.ENAMETOOLONG, c.EBADF].map((errno) => -errno),
);

interface At {
  readonly dirfd: number;
  readonly path: string;
  readonly last: Last;
  readonly resolve: number;
}

function open({ dirfd, resolve }: At, path: string, flags: number): number {
  const bytes = bytesOfText(path);
  if (resolve === 0) return below('openat', dirfd, bytes, LOOK | flags, 0);
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(LOOK | flags), 0);
  how.writeBigUInt64LE(BigInt(resolve & ~c.RESOLVE_CACHED), 16);
  return below('openat2', dirfd, bytes, how, how.length);
}

/** Runs fn with a descriptor of what is at a path; null where the kernel finds nothing there, or may not look. */
function having<R>(at: At, path: string, flags: number, fn: (fd: number) => R): R | null | Unknown {
  const fd = open(at, path, flags);
  if (fd < 0) return FAILS.has(fd) ? null : new Unknown('it cannot be looked at');
  try {
    return fn(fd);
  } finally {
    below('close', fd);
  }
}

/** A name in a folder, which may be a link to what does not exist. */
function inFolder(at: At, links: number): string | undefined | Unknown {
  const [, folder = '', name = ''] = /^(.*?)([^/]*)\/*$/s.exec(at.path) ?? [];
  if (name === '' || name === '.' || name === '..') return having(at, at.path, 0, placeOf) ?? undefined;
  const found = having(at, folder === '' ? '.' : folder, c.O_DIRECTORY, (parent) => {
    const place = placeOf(parent);
    if (typeof place !== 'string') return place ?? new Unknown('its folder is at no path');
    if (at.last === 'follow') {
      const text = linkText(parent, name);
      if (typeof text === 'string')
        return at.resolve === 0 && links < LINKS_MAX
          ? followed({ ...at, dirfd: parent, path: text }, links + 1)
          : new Unknown('it leads through links that lead nowhere');
    }
    return place === '/' ? `/${name}` : `${place}/${name}`;
  });
  return found ?? undefined;
}

/** Where a path leads; undefined where nothing can be there, or it has no path. */
export function followed(at: At, links = 0): string | undefined | Unknown {
  if (at.path === '') return placeOf(at.dirfd);
  if (at.last === 'name') return inFolder(at, links);
  const flags = at.last === 'itself' ? c.O_NOFOLLOW : 0;
  const there = having(at, at.path, flags, placeOf);
  if (there !== null) return there;
  return at.path.endsWith('/') && at.last === 'itself' ? undefined : inFolder(at, links);
}
