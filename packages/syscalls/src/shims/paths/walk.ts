/**
 * walk.ts: a path made absolute as it is written: "." and ".." and double slashes gone. Links are not followed, but for the kernel's own, which are not text but
 * ways to a file: those in /proc, and /dev/fd, /dev/stdin and its like, which lead there.
 */
import { posix } from 'node:path';
import { constants as c } from '../../generated/constants.ts';
import { kernelLink, linkText, Unknown } from './look.ts';

/** What may be such a link. thread-self is ordinary text, but what ".." is behind it depends on it. */
const LINK =
  /^\/(?:proc\/(?:thread-self|(?:self|thread-self|\d+)(?:\/task\/\d+)?\/(?:cwd|root|exe|(?:fd|map_files|ns)\/[^/]+))|dev\/(?:fd|std(?:in|out|err)))$/;
const MAY_HAVE_LINK = /(?:^|\/)(?:proc|dev)\/+/;
const LINKS_MAX = 40;

/** A path as it is written, and where the kernel's links lead it, if there are any on its way. */
export interface Walked {
  readonly written: string;
  /** undefined: as it is written. */
  readonly leads?: string | Unknown | undefined;
}

/** Own names in /proc are those of "self": what a rule can name. */
export function ownNames(path: string): string {
  const [, pid] = /^\/proc\/(\d+)(?:\/|$)/.exec(path) ?? [];
  if (pid === undefined || linkText(c.AT_FDCWD, '/proc/self') !== pid) return path;
  return `/proc/self${path.slice('/proc/'.length + pid.length)}`;
}

/** follow: whether a link that is the last name is followed. */
function walk(path: string, follow: boolean): string | Unknown | undefined {
  let left = path.split('/').filter((name) => name !== '');
  let at: string[] = [];
  let links = 0;
  while (left.length > 0) {
    const [name, ...rest] = left as [string, ...string[]];
    left = rest;
    if (name === '.') continue; // kept so far: a link before it is not the last name
    if (name === '..') {
      at.pop();
      continue;
    }
    at.push(name);
    const prefix = `/${at.join('/')}`;
    if (!LINK.test(prefix) || (left.length === 0 && !follow)) continue;
    const text = linkText(c.AT_FDCWD, prefix);
    if (typeof text === 'number') continue; // there is none: the kernel will say so
    if (++links > LINKS_MAX) return new Unknown('it leads through too many links');
    const isText = prefix.startsWith('/dev/') || prefix === '/proc/thread-self';
    const target = isText ? posix.resolve(prefix, '..', text) : kernelLink(prefix, text);
    if (target instanceof Unknown) return target;
    if (target === undefined) return undefined; // a pipe; or nothing can be behind it
    left = [...target.split('/').filter((each) => each !== ''), ...left];
    at = [];
    if (!isText) at = left.splice(0, left.length - rest.length); // it is where it is, whatever its names look like
  }
  return ownNames(`/${at.join('/')}`);
}

/** An absolute path, as the kernel reads it but for links in the file system. */
export function walked(path: string, follow: boolean): Walked {
  const written = posix.resolve('/', path);
  if (!MAY_HAVE_LINK.test(path)) return { written };
  return { written, leads: walk(path, follow || path.endsWith('/')) };
}
