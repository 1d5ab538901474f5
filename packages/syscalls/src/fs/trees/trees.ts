/**
 * trees.ts: realpath, which goes along a path: in JavaScript, as fs.realpath and its like have it, and as the C library has it (realpath.native,
 * promises.realpath).
 *
 * Not here: going down a directory (directories.ts, removal.ts).
 */
import { dirname, join, resolve } from 'node:path';
import { isUrl } from '@libcr/core/internal';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { type CheckedPath, checkOptions, checkPath, encoded, type Options } from '../arguments/arguments.ts';
import { pathOf } from '../arguments/names.ts';
import { lstat, readlink, stat } from '../arguments/paths.ts';
import { Steps, type Work } from '../forms/work.ts';

const partsOf = (path: string): string[] => path.split('/').filter(Boolean).reverse();

/**
 * Without links, and absolute; what is missing is lstat's error, a link that leads nowhere is stat's. A link to a pipe or socket, as /dev/stdin may be, is
 * as far as it goes: what such a link says is no path.
 */
function real(path: string): string {
  const known = new Set<string>();
  let todo = partsOf(resolve(path));
  let done = '/';
  let atPipe = false;
  while (todo.length > 0) {
    const next = join(done, todo.pop() as string);
    if (known.has(next)) {
      done = next;
      if (atPipe) return join(done, ...todo.reverse());
      continue;
    }
    if (lstat(next).run()?.isSymbolicLink() !== true) {
      known.add(next);
      done = next;
      continue;
    }
    const target = stat(next).run();
    atPipe = target?.isFIFO() === true || target?.isSocket() === true;
    const link = resolve(dirname(next), readlink(next).run() as string);
    todo = partsOf(resolve(link, ...todo.reverse()));
    done = '/';
  }
  return done;
}

const NOTHING_ENCODED: readonly unknown[] = [undefined, null, '', 'utf8'];

/** What is not a path is made one: 1 is "1". */
function pathText(path: unknown): string {
  const text = isUrl(path) ? checkPath(path) : typeof path === 'string' ? path : `${path as string}`;
  return checkPath(text) as string;
}

export function realpath(path: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = pathText(path);
  return new Steps('fs.realpath', () => {
    const found = real(checked);
    return NOTHING_ENCODED.includes(encoding) ? found : encoded(Buffer.from(found), encoding);
  });
}

/** So many links along a path are too many. (path_resolution(7)) */
const LINKS_MAX = 40;

/** A path as text of which each character is a byte. */
const inBytes = (path: CheckedPath): string => Buffer.from(path as Uint8Array).toString('latin1');
const fromBytes = (path: string): CheckedPath => pathOf(Buffer.from(path, 'latin1'));

/** As realpath(3) goes: "..", too, is looked at when it comes, behind links. */
function walk(path: CheckedPath): Buffer {
  const told = (errno: number): Error => failure(-errno, 'realpath', path);
  const start = inBytes(path);
  if (start === '') throw told(c.ENOENT);
  const absolute = start.startsWith('/') ? start : `${inBytes(process.cwd())}/${start}`;
  const todo = absolute.split('/').reverse();
  let done = '/';
  let isDirectory = true;
  for (let links = 0; todo.length > 0; ) {
    const part = todo.pop() as string;
    if (!isDirectory) throw told(c.ENOTDIR);
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done = dirname(done);
      continue;
    }
    const next = join(done, part);
    const found = at(next, told);
    if (found.isSymbolicLink()) {
      if (++links > LINKS_MAX) throw told(c.ELOOP);
      const link = (readlink(fromBytes(next), 'latin1').run() as string).split('/');
      if (link[0] === '') done = '/';
      todo.push(...link.reverse());
    } else {
      done = next;
      isDirectory = found.isDirectory();
    }
  }
  return Buffer.from(done, 'latin1');
}

/** lstat, whose errors are realpath's. */
function at(path: string, told: (errno: number) => Error) {
  try {
    return lstat(fromBytes(path)).run() as NonNullable<ReturnType<ReturnType<typeof lstat>['run']>>;
  } catch (error) {
    const { errno } = error as { errno?: number };
    throw typeof errno === 'number' ? told(-errno) : error;
  }
}

export function realpathOfKernel(path: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding }: Options = checkOptions(options);
  const checked = checkPath(path);
  return new Steps('fs.realpath', () => encoded(walk(checked), encoding));
}
