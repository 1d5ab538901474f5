/**
 * index.ts: the paths of a call as shims compare them: absolute, as text.
 *
 * Not here: links, but where it is asked for (follow.ts). Invariant: a path that can't be known is one that is said to be unknown.
 */
import { posix } from 'node:path';
import { constants as c } from '../../generated/constants.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { type PathArgument, pathArguments } from './arguments.ts';
import { followed } from './follow.ts';
import { placeOf, Unknown, workingDirectory } from './look.ts';
import { ownNames, walked } from './walk.ts';

export { hasPath } from './arguments.ts';
export { snapshot } from './snapshot.ts';

/** One path of a call. */
export interface Named {
  /** The argument's name. */
  readonly argument: string;
  /** As it is written, made absolute; undefined where that can't be known. */
  readonly written?: string | undefined;
  /** Where it leads, if that is known to be elsewhere. */
  readonly leads?: string | undefined;
  /** Why it can't be known. */
  readonly unknown?: string | undefined;
}

/** Where a relative path begins; undefined where there is nothing it could begin at. */
function base(dirfd: number): string | undefined | Unknown {
  return dirfd === c.AT_FDCWD ? workingDirectory() : placeOf(dirfd);
}

/** undefined where the call names nothing: its descriptor is none, or a pipe. */
function named(asked: PathArgument, follow: boolean): Named | undefined {
  const { argument, path, dirfd, last, resolve } = asked;
  const inRoot = (resolve & c.RESOLVE_IN_ROOT) !== 0;
  const isAbsolute = path.startsWith('/') && !inRoot;
  const from = isAbsolute ? '/' : base(dirfd);
  if (from === undefined) return undefined;
  if (from instanceof Unknown) return { argument, unknown: from.reason };
  if (path === '') return { argument, written: from };
  // Within a root of its own, ".." at the top stays there.
  const inside = inRoot ? posix.resolve('/', path) + (/\/\.{0,2}$/.test(path) ? '/' : '') : path;
  const { written, leads } = walked(isAbsolute ? inside : `${from}/${inside}`, last === 'follow');
  if (leads instanceof Unknown) return { argument, written, unknown: leads.reason };
  if (!follow) return { argument, written, leads };
  const real = followed(asked);
  if (real instanceof Unknown) return { argument, written, unknown: real.reason };
  return { argument, written, leads: real === undefined ? leads : ownNames(real) };
}

/** The paths that a call names, in order. Asks the level below; follow: also where they lead. */
export function pathsOf(msg: SysMsg, follow = false): Named[] {
  return pathArguments(msg)
    .map((each) =>
      'hidden' in each ? { argument: each.argument, unknown: each.hidden } : named(each, follow),
    )
    .filter((each) => each !== undefined);
}
