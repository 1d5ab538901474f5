/** real-place.ts: a place in the real file system on a walk, known by its names only: what symbolic links make of them the kernel knows. */
import type { MountPoint } from './mount-point.ts';

export class RealPlace {
  readonly names: string[] = [];
  /** As the kernel would be given it: ".." after a name is left in. "" is the root. */
  raw = '';
  /** ".." has been taken where the kernel knows better where it leads. */
  unsure = false;
  /** The mount point at each of the names, the root's first. */
  private readonly mounts: (MountPoint | undefined)[];

  constructor(root: MountPoint, names: readonly string[]) {
    this.mounts = [root];
    for (const name of names) this.enter(name);
  }

  get mount(): MountPoint | undefined {
    return this.mounts[this.mounts.length - 1];
  }

  enter(name: string): void {
    this.mounts.push(this.mount?.children.get(name));
    this.names.push(name);
    this.raw += `/${name}`;
  }

  leave(): void {
    if (this.names.length === 0) return;
    const known = this.mount !== undefined;
    this.names.pop();
    this.mounts.pop();
    if (known) {
      this.raw = this.names.map((name) => `/${name}`).join('');
    } else {
      this.unsure = true;
      this.raw += '/..';
    }
  }
}
