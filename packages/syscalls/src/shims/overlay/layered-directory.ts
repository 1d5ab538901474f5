/**
 * layered-directory.ts: a directory that has lain in one or more lower layers. What is in it is found out when somebody looks for the first time: the
 * entries of its layers, the uppermost first, without what whiteouts hide.
 *
 * Invariant: sources are the layers' directories whose entries show here, the uppermost first; it is never looked into twice.
 */
import { Directory, Entry } from '../memfs/inodes/directory.ts';
import type { Attributes, Inode } from '../memfs/inodes/inode.ts';
import type { Space } from '../memfs/inodes/space.ts';
import { type LayerStat, xattrsOf } from './layer.ts';

/** Makes what lies at a name in the uppermost of some directories that have it; undefined where none has, or it is hidden. */
export interface Loader {
  names(sources: readonly string[]): Iterable<string>;
  inode(sources: readonly string[], name: string): Inode | undefined;
}

export class LayeredDirectory extends Directory {
  readonly sources: readonly string[];
  /** What there was from the beginning; undefined until somebody has looked. */
  original: ReadonlyMap<string, Inode> | undefined;
  private readonly loader: Loader;
  private readonly stat: LayerStat;
  private loading = false;

  constructor(
    space: Space,
    attributes: Attributes,
    sources: readonly string[],
    stat: LayerStat,
    loader: Loader,
  ) {
    super(space, attributes);
    this.sources = sources;
    this.stat = stat;
    this.loader = loader;
  }

  override get names(): Map<string, Entry> {
    if (this.original === undefined && !this.loading) this.load();
    return super.names;
  }

  /** As Linux' overlayfs says of what it has merged. */
  override get links(): number {
    return this.dead ? 0 : 1;
  }

  override get size(): number {
    return Number(this.stat.size);
  }

  override get blocks(): number {
    return Number(this.stat.blocks);
  }

  override *from(position: number): ReturnType<Directory['from']> {
    if (this.original === undefined) this.load();
    yield* super.from(position);
  }

  protected override loadXattrs(): Map<string, Buffer> {
    return xattrsOf(this.sources[0] as string);
  }

  private load(): void {
    this.loading = true;
    try {
      const found: [string, Inode][] = [];
      for (const name of this.loader.names(this.sources)) {
        const inode = this.loader.inode(this.sources, name);
        if (inode !== undefined) found.push([name, inode]);
      }
      for (const [name, inode] of found) this.put(new Entry(name, inode));
      this.original = new Map(found);
    } finally {
      this.loading = false;
    }
  }
}
