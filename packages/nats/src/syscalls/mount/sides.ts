/**
 * sides.ts: whose what is that a call names: this host's or the one's that is mounted.
 *
 * Not here: how that host's descriptors are told from this one's (numbers.ts in this process, placeholders.ts in programs).
 */
import { normalize } from 'node:path/posix';
import type { SysMsg } from '@libcr/syscalls';
import { argumentsOf } from '@libcr/syscalls/wire';

/** A path's text; of one that is bytes a character for each, whatever they are. */
const textOf = (path: unknown): string =>
  path instanceof Uint8Array ? Buffer.from(path).toString('latin1') : String(path);
const asGiven = (text: string, given: unknown): unknown =>
  given instanceof Uint8Array ? Buffer.from(text, 'latin1') : text;
const isAbsolute = (path: unknown): boolean => textOf(path).startsWith('/');

/** Arguments with what is theirs as they have it, and whether there is any, and any that is not. */
export interface Sides {
  args: unknown[];
  theirs: boolean;
  ours: boolean;
}

/** That host's descriptor; undefined for one of this host's. */
export type FdOf = (value: unknown) => number | undefined;

export class Mounted {
  private readonly prefix: string;

  constructor(path: string) {
    this.prefix = normalize(path).replace(/\/+$/, '');
  }

  /** Whose a path is, and its name there. One that goes in and comes out again is known to the kernel only without that. */
  private placeOf(value: unknown): { path: unknown; theirs: boolean } {
    const text = textOf(value);
    if (!text.startsWith('/')) return { path: value, theirs: false };
    const normal = normalize(text);
    if (normal === this.prefix || normal === `${this.prefix}/`)
      return { path: asGiven('/', value), theirs: true };
    if (normal.startsWith(`${this.prefix}/`))
      return { path: asGiven(normal.slice(this.prefix.length), value), theirs: true };
    return { path: text.startsWith(`${this.prefix}/`) ? asGiven(normal, value) : value, theirs: false };
  }

  sidesOf(msg: SysMsg, fdOf: FdOf): Sides {
    const args = [...msg.args];
    const sides = new Set<boolean>(); // whether they are theirs
    let relativeTo: boolean | undefined; // a path behind a descriptor is relative to that, unless it is absolute
    argumentsOf(msg).forEach(({ format }, i) => {
      const value = args[i];
      if (format === 'fd') {
        if (relativeTo !== undefined) sides.add(relativeTo);
        const fd = fdOf(value);
        relativeTo = fd !== undefined;
        if (relativeTo) args[i] = fd;
      } else if (format === 'path' && value !== null && value !== undefined) {
        const { path, theirs } = this.placeOf(value);
        args[i] = path;
        sides.add(theirs || (relativeTo === true && !isAbsolute(value)));
        relativeTo = undefined;
      }
    });
    if (relativeTo !== undefined) sides.add(relativeTo);
    return { args, theirs: sides.has(true), ours: sides.has(false) };
  }
}
