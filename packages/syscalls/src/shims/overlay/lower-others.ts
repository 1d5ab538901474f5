/** lower-others.ts: symbolic links of a lower layer, and what is neither file, directory nor link: devices, FIFOs and sockets, which are opened where they lie. */
import { constants as c } from '../../generated/constants.ts';
import { type Attributes, Inode } from '../memfs/inodes/inode.ts';
import type { Space } from '../memfs/inodes/space.ts';
import { SymbolicLink } from '../memfs/inodes/symbolic-link.ts';
import { type LayerStat, xattrsOf } from './layer.ts';

export class LowerLink extends SymbolicLink {
  readonly path: string;

  constructor(space: Space, target: string, attributes: Attributes, path: string) {
    super(space, target, attributes);
    this.path = path;
  }

  protected override loadXattrs(): Map<string, Buffer> {
    return xattrsOf(this.path);
  }
}

export class SpecialFile extends Inode {
  /** Its path in the lower layer. */
  readonly path: string;
  private readonly device: number;

  constructor(space: Space, attributes: Attributes, path: string, stat: LayerStat) {
    super(space, { ...attributes, mode: (Number(stat.mode) & c.S_IFMT) | (attributes.mode & 0o7777) });
    this.path = path;
    this.device = Number(stat.rdev);
  }

  override get size(): number {
    return 0;
  }

  override get elsewhere(): string {
    return this.path;
  }

  override get rdev(): number {
    return this.device;
  }

  protected override loadXattrs(): Map<string, Buffer> {
    return xattrsOf(this.path);
  }
}
