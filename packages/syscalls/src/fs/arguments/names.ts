/**
 * names.ts: paths made of names that the kernel has told: bytes, which need not be UTF-8. A path is text as long as text says the same.
 *
 * Invariant: what is made of a directory's path and a name in it is the path of that file.
 */
import { isUtf8 } from 'node:buffer';
import { dirname, join } from 'node:path';
import type { CheckedPath } from './arguments.ts';

const SLASH = 0x2f;

/** Text where it is the same as the bytes. */
export function pathOf(bytes: Buffer): CheckedPath {
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/** As Node reads what the kernel calls a path: as UTF-8. */
export function textOf(path: CheckedPath): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString();
}

/** The path of what a directory has by that name. */
export function below(directory: CheckedPath, name: Buffer): CheckedPath {
  if (typeof directory === 'string' && isUtf8(name)) return join(directory, name.toString());
  const bytes = Buffer.from(directory as Uint8Array);
  const slash = bytes.at(-1) === SLASH ? '' : '/';
  return Buffer.concat([bytes, Buffer.from(slash), name]);
}

/** The directory that a path is in. */
export function above(path: CheckedPath): CheckedPath {
  if (typeof path === 'string') return dirname(path);
  return Buffer.from(dirname(Buffer.from(path).toString('latin1')), 'latin1');
}
