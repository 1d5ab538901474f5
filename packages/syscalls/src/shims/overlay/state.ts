/** state.ts: an overlay as it is in memory: a volume, whose tree comes from the lower directories until it is changed. */
import { Handle } from '../memfs/handle.ts';
import { credentialsOf, type MemfsOptions, spaceOf } from '../memfs/options.ts';
import { mountInode } from '../memfs/paths/mounting.ts';
import { Volume } from '../memfs/volume.ts';
import { type LayerStat, lstatOf } from './layer.ts';
import type { LayeredDirectory } from './layered-directory.ts';
import { LayerLoader } from './loader.ts';

/** Linux' overlayfs', for statfs. */
const OVERLAYFS_MAGIC = 0x794c7630;

export class State {
  readonly volume: Volume;
  readonly loader: LayerLoader;
  readonly root: LayeredDirectory;
  readonly handle: Handle;

  /** Throws Node-shaped errors for layers that are not there. */
  constructor(lower: readonly string[], at: string, options: MemfsOptions) {
    this.volume = new Volume(spaceOf(options), credentialsOf(options), OVERLAYFS_MAGIC);
    this.loader = new LayerLoader(this.volume);
    this.root = this.loader.directory(lower, lstatOf(lower[0] as string) as LayerStat);
    mountInode(this.volume, at, this.root);
    this.handle = new Handle(this.volume);
  }
}
