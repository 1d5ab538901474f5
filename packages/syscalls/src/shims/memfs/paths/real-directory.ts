/**
 * real-directory.ts: an open directory of the real file system that leads to mount points: what is mounted in it belongs to its listing.
 *
 * The listing is the kernel's, with what is mounted over in its place; what is mounted where nothing is comes after its end.
 */

import { encodeDirent } from '../encode.ts';
import { direntType } from '../inodes/directory.ts';
import { toBytes } from './byte-string.ts';
import type { MountPoint } from './mount-point.ts';

const HEADER = 19;

export class RealDirectory {
  readonly mount: MountPoint;
  private readonly shown = new Set<string>();

  constructor(mount: MountPoint) {
    this.mount = mount;
  }

  /** The listing begins again. */
  rewind(): void {
    this.shown.clear();
  }

  /** The kernel has written so many bytes of entries. */
  correct(entries: Uint8Array, length: number): void {
    const bytes = Buffer.from(entries.buffer, entries.byteOffset, length);
    for (let at = 0; at + HEADER < length; at += bytes.readUInt16LE(at + 16)) {
      const name = bytes.toString('latin1', at + HEADER, bytes.indexOf(0, at + HEADER));
      const root = this.mount.children.get(name)?.root;
      if (root === undefined) continue;
      this.shown.add(name);
      bytes.writeBigUInt64LE(BigInt(root.inode.ino), at);
      bytes[at + 18] = direntType(root.inode);
    }
  }

  /** What is mounted and has not been shown: the bytes written, 0 at the end, -1 where the next one doesn't fit. */
  rest(into: Uint8Array): number {
    let used = 0;
    for (const { name, root } of this.mount.children.values()) {
      if (root === undefined || this.shown.has(name)) continue;
      const { inode } = root;
      const next = Number.MAX_SAFE_INTEGER; // the kernel's position stays at its end
      const size = encodeDirent(into, used, {
        name: toBytes(name),
        ino: inode.ino,
        type: direntType(inode),
        next,
      });
      if (size === 0) return used > 0 ? used : -1;
      this.shown.add(name);
      used += size;
    }
    return used;
  }
}
