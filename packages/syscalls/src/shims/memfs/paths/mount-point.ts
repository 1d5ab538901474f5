/**
 * mount-point.ts: where the tree lies in the real file system: the directories that lead there, which are the real file system's, and the
 * chosen paths, at which everything is memory's.
 *
 * Invariant: a mount point has either a root, which is what is mounted there, or children, further down.
 */
import type { Entry } from '../inodes/directory.ts';

export class MountPoint {
  readonly name: string;
  readonly parent: MountPoint | undefined;
  readonly children: Map<string, MountPoint> = new Map();
  root: Entry | undefined;

  constructor(name: string, parent: MountPoint | undefined) {
    this.name = name;
    this.parent = parent;
  }

  /** The names that lead here from "/". */
  get names(): string[] {
    return this.parent === undefined ? [] : [...this.parent.names, this.name];
  }

  get path(): string {
    return `/${this.names.join('/')}`;
  }

  child(name: string): MountPoint {
    let child = this.children.get(name);
    if (child === undefined) {
      child = new MountPoint(name, this);
      this.children.set(name, child);
    }
    return child;
  }

  mount(root: Entry): void {
    this.root = root;
    root.mount = this;
    this.children.clear();
  }

  /** What is mounted here and below. */
  *roots(): Generator<Entry, void, void> {
    if (this.root !== undefined) yield this.root;
    for (const child of this.children.values()) yield* child.roots();
  }
}

/** The absolute path of an entry, as the kernel shows those of open files. */
export function pathOf(entry: Entry): string {
  const names: string[] = [];
  let at = entry;
  let gone = '';
  for (;;) {
    if (at.removed) gone = ' (deleted)';
    if (at.mount !== undefined) {
      const path = [...at.mount.names, ...names.reverse()].join('/');
      return `/${path}${gone}`;
    }
    names.push(at.name);
    if (at.parent === undefined) return `/${names.reverse().join('/')}${gone}`;
    at = at.parent.entry;
  }
}
