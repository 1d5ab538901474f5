/** symbolic-link.ts: a symbolic link: a path that is looked up when somebody follows it. */
import { constants as c } from '../../../generated/constants.ts';
import { type Attributes, Inode } from './inode.ts';
import type { Space } from './space.ts';

/** From this length on tmpfs keeps a target in a page of its own. */
const LONG = 128;

export class SymbolicLink extends Inode {
  /** A byte string, as all paths in here: one character a byte. */
  readonly target: string;

  constructor(space: Space, target: string, attributes: Attributes) {
    super(space, { ...attributes, mode: c.S_IFLNK | 0o777 });
    this.target = target;
  }

  /** The pages that a link of this length takes. */
  static pages(target: string): number {
    return target.length + 1 > LONG ? 1 : 0;
  }

  override get size(): number {
    return this.target.length;
  }

  override get blocks(): number {
    return SymbolicLink.pages(this.target) * 8;
  }

  protected override free(): void {
    this.space.usedPages -= SymbolicLink.pages(this.target);
  }
}
