/**
 * overlay: a writable layer in memory over real directories: a shim. What is changed through the port is changed in memory only; what has not been changed is
 * read where it lies. So a program can be run "dry", and what it would have done be looked at.
 *
 * Built on memfs: the tree is a volume of its whose directories and files come from the lower layers until they are changed. An observation and testing tool,
 * not a security boundary.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import { resolve } from 'node:path';
import { invalidType } from '@libcr/core/internal';
import type { Shim } from '../../port/shim.ts';
import { FOR_PROGRAMS } from '../../supervisor/for-programs.ts';
import { methodsOf, type TreeMethods } from '../memfs/handle.ts';
import { shimOf } from '../memfs/tree-shim.ts';
import { LayerError } from './layer.ts';
import { checkLayers, type OverlayDirectory, type OverlayOptions } from './options.ts';
import { SharedOverlay } from './programs/index.ts';
import { save } from './save.ts';
import { State } from './state.ts';
import { cover, differences, type OverlayChange, upperOf } from './upper.ts';

export { directory, file, type MemfsAttributes, type MemfsContent, symlink } from '../memfs/content.ts';
export type { MemfsUsage, TreeMethods } from '../memfs/handle.ts';
export type { MemfsOptions } from '../memfs/options.ts';
export type { OverlayDirectory, OverlayOptions } from './options.ts';
export type { OverlayChange, OverlayContent } from './upper.ts';

/** The shim, and a handle on its tree. */
export interface Overlay extends Shim, TreeMethods {
  /** What is different from the lower directories, sorted by path. */
  changes(): OverlayChange[];
  /** The upper layer: what overlay() takes as `upper`. Paths begin at the overlay's directory; false stands for what has been removed. */
  toJSON(): OverlayDirectory;
  /**
   * Writes the upper layer into a real directory, which is empty or is made, in the form of Linux' overlayfs: it can be the uppermost of `lower`, or a layer of a
   * mount. It waits in the kernel for what it writes. Throws Node-shaped errors; ENOTEMPTY where something is there.
   */
  save(directory: string): void;
}

/**
 * A writable layer over real directories. At and below `at` the tree is seen, everything else is the next level's. Nothing is written to a lower directory.
 *
 * Throws TypeError and RangeError for what is no option, ENOENT and ENOTDIR for lower directories that are none.
 *
 * (The rules are those of Linux' overlayfs with redirect_dir and index: directories of a lower layer can be renamed, hard links stay together.)
 */
export function overlay(options: OverlayOptions): Overlay {
  const { lower, at, upper, options: ofMemfs } = checkLayers(options);
  const state = new State(lower, at, ofMemfs);
  cover(state.volume, state.root, upper);
  const shared = new SharedOverlay(state, lower, at, ofMemfs);
  const shim = shimOf('overlay', state.volume, (handler, call) => {
    try {
      return handler(call);
    } catch (error) {
      if (error instanceof LayerError) return error.reply;
      throw error;
    }
  });
  return {
    ...shim,
    ...methodsOf(shared),
    [FOR_PROGRAMS]: () => shared.forPrograms(),
    changes() {
      const { loader, root } = shared.now;
      return [...differences(loader, root, at)]
        .map(({ path, change, type }) => ({ path, change, type }))
        .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.change === 'removed' ? -1 : 1));
    },
    toJSON() {
      const { loader, root } = shared.now;
      return upperOf(loader, root);
    },
    save(directory) {
      if (typeof directory !== 'string' || directory === '')
        throw invalidType('directory', 'a path', directory);
      const { loader, root } = shared.now;
      save(loader, root, resolve(directory));
    },
  } as Overlay;
}
