/**
 * save.ts: the upper layer written into a real directory, in overlayfs' form: whiteouts are devices 0, 0, what replaces a directory has the attribute
 * "overlay.opaque". It may be given to overlay() as the uppermost of the lower directories then, or mounted by the kernel as one.
 *
 * Invariant: nothing but the given directory is written to.
 */
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { nodeFs } from '../../node-fs.ts';
import { asked, InodeWriter } from '../memfs/inode-writer.ts';
import { Directory } from '../memfs/inodes/directory.ts';
import { toByteString, toBytes } from '../memfs/paths/byte-string.ts';
import { LayeredDirectory } from './layered-directory.ts';
import type { LayerLoader } from './loader.ts';
import { LowerFile } from './lower-file.ts';

class Saving extends InodeWriter {
  private readonly loader: LayerLoader;
  private readonly opaque: string;

  constructor(loader: LayerLoader) {
    super();
    this.loader = loader;
    this.opaque = `${process.geteuid?.() === 0 ? 'trusted' : 'user'}.overlay.opaque`;
  }

  /** What is different in a directory that lies below, too. make: makes the place for it, once. Whether anything is. */
  changes(at: LayeredDirectory, target: string, make: () => void): boolean {
    if (at.original === undefined) return false;
    let any = false;
    const begin = (): void => {
      if (!any) make();
      any = true;
    };
    for (const name of at.original.keys()) {
      if (at.names.has(name)) continue;
      begin();
      const path = `${target}/${name}`;
      asked(c.SYS_mknod, 'mknod', path, toBytes(path), c.S_IFCHR, 0);
    }
    for (const { name, inode } of at.names.values()) {
      const path = `${target}/${name}`;
      const before = at.original.get(name);
      if (before !== inode) {
        begin();
        this.whole(inode, path, before instanceof Directory ? this.opaque : undefined);
      } else if (inode instanceof LayeredDirectory) {
        const makeIt = (): void => {
          begin();
          nodeFs.mkdirSync(toBytes(path));
        };
        const other = this.loader.hasOtherAttributes(inode);
        if (other) makeIt();
        if (this.changes(inode, path, other ? () => {} : makeIt) || other) this.attributes(inode, path);
      } else if ((inode instanceof LowerFile && inode.isCopied) || this.loader.hasOtherAttributes(inode)) {
        begin();
        this.whole(inode, path);
      }
    }
    return any;
  }
}

/** Writes into a directory that is empty, or is made. Throws what the kernel fails with, and ENOTEMPTY. */
export function save(loader: LayerLoader, root: LayeredDirectory, directory: string): void {
  nodeFs.mkdirSync(directory, { recursive: true });
  if (nodeFs.readdirSync(directory).length > 0) throw failure(-c.ENOTEMPTY, 'save', directory);
  new Saving(loader).changes(root, toByteString(directory), () => {});
}
