/**
 * layer.ts: the real directories below: what is asked of them, always at once and past all shims. (The layers are the overlay's own affair.)
 *
 * Not here: writing. Nothing in this folder writes to a lower layer.
 */
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { native } from '../../native.ts';
import { nodeFs } from '../../node-fs.ts';
import { toByteString, toBytes } from '../memfs/paths/byte-string.ts';

export type LayerStat = import('node:fs').BigIntStats;

/** What the kernel has answered about a layer: the answer, -errno, of the call that needed it. */
export class LayerError extends Error {
  readonly reply: number;

  constructor(reply: number, path: string) {
    const shaped = failure(reply, 'overlay', path);
    super(shaped.message);
    Object.assign(this, shaped);
    this.reply = reply;
  }
}

/** Runs fn; what node:fs fails with becomes a LayerError. */
export function asked<R>(path: string, fn: () => R): R {
  try {
    return fn();
  } catch (error) {
    const { errno } = error as { errno?: number };
    if (typeof errno !== 'number') throw error;
    throw new LayerError(errno, path);
  }
}

/** undefined where nothing is. */
export function lstatOf(path: string): LayerStat | undefined {
  return asked(path, () => nodeFs.lstatSync(toBytes(path), { bigint: true, throwIfNoEntry: false }));
}

/** The names in a directory, as byte strings. */
export function namesIn(path: string): string[] {
  return asked(path, () => nodeFs.readdirSync(toBytes(path), 'buffer').map((name) => toByteString(name)));
}

export function targetOf(path: string): string {
  return asked(path, () => toByteString(nodeFs.readlinkSync(toBytes(path), 'buffer')));
}

/** A device of the numbers 0, 0: what it hides is not there. (Linux' overlayfs) */
export function isWhiteout(stat: LayerStat): boolean {
  return (Number(stat.mode) & c.S_IFMT) === c.S_IFCHR && stat.rdev === 0n;
}

const OVERLAY = /^(?:trusted|user)\.overlay\./;
const buffer = Buffer.alloc(65_536);

function value(path: string, name: string): Buffer | undefined {
  const n = native.call(
    c.SYS_lgetxattr,
    toBytes(path),
    toBytes(`${name}\0`).subarray(0, -1),
    buffer,
    buffer.length,
  );
  return n < 0 ? undefined : Buffer.from(buffer.subarray(0, n));
}

/** Whether a directory hides the ones of its name in the layers below it. */
export function isOpaque(path: string): boolean {
  return ['trusted', 'user'].some((space) => value(path, `${space}.overlay.opaque`)?.toString() === 'y');
}

/** Extended attributes but overlayfs' own. Where the file system has none there are none. */
export function xattrsOf(path: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const n = native.call(c.SYS_llistxattr, toBytes(path), buffer, buffer.length);
  if (n <= 0) return found;
  for (const name of buffer.toString('latin1', 0, n).split('\0')) {
    if (name === '' || name.startsWith('system.') || OVERLAY.test(name)) continue;
    const bytes = value(path, name);
    if (bytes !== undefined) found.set(name, bytes);
  }
  return found;
}
