/** path.ts: paths in and names out. */

import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { invalidType, invalidValue, isUrl } from '@libcr/core/internal';

/** A path: text (UTF-8), bytes as they are on the disk, or a file: URL. */
export type Path = string | Uint8Array | URL;

/** Bytes of the longest path, its NUL included. (limits.h) */
export const PATH_MAX = 4096;

export function toPath(name: string, path: Path): string | Uint8Array {
  if (typeof path === 'string' || types.isUint8Array(path)) return path;
  if (isUrl(path)) return fileURLToPath(path);
  throw invalidType(name, 'of type string or an instance of Uint8Array or URL', path);
}

export function checkEncoding(encoding: unknown): void {
  if (encoding !== 'utf8' && encoding !== 'buffer')
    throw invalidValue(`The argument 'encoding' must be 'utf8' or 'buffer'`);
}

/** The first length bytes as text, or as a copy. */
export function decodeText(bytes: Buffer, length: number, encoding: 'utf8' | 'buffer'): string | Buffer {
  checkEncoding(encoding);
  return encoding === 'buffer' ? Buffer.from(bytes.subarray(0, length)) : bytes.toString('utf8', 0, length);
}
