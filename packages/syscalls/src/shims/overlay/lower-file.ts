/**
 * lower-file.ts: a regular file of a lower layer. It is read where it lies, until it is written to: then its contents are copied into memory.
 *
 * Invariant: the source is set exactly as long as the contents are the lower file's; the lower file is open at most while this one is.
 */
import { constants as c } from '../../generated/constants.ts';
import { nodeFs } from '../../node-fs.ts';
import { RegularFile } from '../memfs/inodes/file.ts';
import type { Attributes } from '../memfs/inodes/inode.ts';
import type { Space } from '../memfs/inodes/space.ts';
import { toBytes } from '../memfs/paths/byte-string.ts';
import { asked, LayerError, type LayerStat, xattrsOf } from './layer.ts';

/** Bytes that are copied at once. */
const CHUNK = 1 << 20;

export class LowerFile extends RegularFile {
  /** Its path in the lower layer. */
  readonly path: string;
  private source: string | undefined;
  private fd = -1;
  private readonly sectors: number;

  constructor(space: Space, attributes: Attributes, path: string, stat: LayerStat) {
    super(space, attributes);
    this.path = path;
    this.source = path;
    this.length = Number(stat.size);
    this.sectors = Number(stat.blocks);
  }

  /** Whether its contents are its own by now. */
  get isCopied(): boolean {
    return this.source === undefined;
  }

  override get blocks(): number {
    return this.source === undefined ? super.blocks : this.sectors;
  }

  override read(into: Uint8Array, at: number): number {
    if (this.source === undefined) return super.read(into, at);
    const end = Math.min(this.length, at + into.length);
    const n = Math.max(0, end - at);
    return n === 0 ? 0 : this.readLower(into.subarray(0, n), at);
  }

  override write(data: Uint8Array, at: number): number {
    const copied = data.length === 0 ? 0 : this.copyUp(this.length);
    return copied < 0 ? copied : super.write(data, at);
  }

  override resize(length: number): void {
    this.need(Math.min(length, this.length));
    super.resize(length);
  }

  override reserve(at: number, length: number): number {
    const copied = this.copyUp(this.length);
    return copied < 0 ? copied : super.reserve(at, length);
  }

  override punch(at: number, length: number): void {
    this.need(this.length);
    super.punch(at, length);
  }

  override seek(at: number, hole: boolean): number {
    this.need(this.length);
    return super.seek(at, hole);
  }

  override opened(): void {
    super.opened();
    if (this.source !== undefined && this.opens === 1) this.openLower();
  }

  override closed(): void {
    super.closed();
    if (this.opens === 0) this.closeLower();
  }

  protected override loadXattrs(): Map<string, Buffer> {
    return xattrsOf(this.path);
  }

  protected override free(): void {
    this.source = undefined;
    this.closeLower();
    super.free();
  }

  /** So that it is there while this one is open, whatever becomes of its name. Who may not read it will be told when it has to be read. */
  private openLower(): void {
    try {
      this.fd = nodeFs.openSync(toBytes(this.path), 'r');
    } catch {
      this.fd = -1;
    }
  }

  private closeLower(): void {
    if (this.fd >= 0) nodeFs.closeSync(this.fd);
    this.fd = -1;
  }

  private readLower(into: Uint8Array, at: number): number {
    return asked(this.path, () => {
      if (this.fd < 0) this.fd = nodeFs.openSync(toBytes(this.path), 'r');
      let done = 0;
      while (done < into.length) {
        const n = nodeFs.readSync(this.fd, into, done, into.length - done, at + done);
        if (n === 0) break;
        done += n;
      }
      if (this.opens === 0) this.closeLower();
      return done;
    });
  }

  private need(length: number): void {
    const copied = this.copyUp(length);
    if (copied < 0) throw new LayerError(copied, this.path);
  }

  /** The first bytes become its own, and all there is. 0, or -errno, and then nothing has changed. */
  private copyUp(length: number): number {
    if (this.source === undefined) return 0;
    const before = this.length;
    const chunk = new Uint8Array(Math.min(length, CHUNK));
    this.length = 0;
    for (let at = 0; at < length; ) {
      const part = chunk.subarray(0, Math.min(chunk.length, length - at));
      let n: number;
      try {
        n = this.readLower(part, at);
      } catch (error) {
        super.resize(0);
        this.length = before;
        throw error;
      }
      if (n === 0) break; // somebody has made it shorter
      const written = super.write(part.subarray(0, n), at);
      if (written < n) {
        super.resize(0);
        this.length = before;
        return written < 0 ? written : -c.ENOSPC;
      }
      at += n;
    }
    this.source = undefined;
    this.length = length;
    this.closeLower();
    return 0;
  }
}
