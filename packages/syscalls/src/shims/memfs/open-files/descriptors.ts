/**
 * descriptors.ts: which descriptors stand for open files in memory. Each is a real one of the kernel's: a placeholder that takes the number, so that
 * it never is anybody else's, and on which calls that get past memfs fail with EBADF.
 *
 * Invariant: a number is in here while its placeholder is open, as far as it is closed and replaced through the port.
 */
import { constants as c } from '../../../generated/constants.ts';
import type { RealDirectory } from '../paths/real-directory.ts';
import { used } from '../watching/events.ts';
import type { Notifier } from '../watching/notifier.ts';
import { releaseLocks } from './locks.ts';
import type { OpenFile } from './open-file.ts';

export class Descriptors {
  private readonly files = new Map<number, OpenFile>();
  /** Real directories that lead to mount points: their listings have more in them. */
  private readonly above = new Map<number, RealDirectory>();
  /** Descriptors of inotify, which may watch what is in memory. */
  private readonly notifiers = new Map<number, Notifier>();

  get count(): number {
    return this.files.size;
  }

  /** Takes anything: what is no descriptor of memory's is none. */
  get(fd: unknown): OpenFile | undefined {
    return this.files.get(fd as number);
  }

  realDirectory(fd: unknown): RealDirectory | undefined {
    return this.above.get(fd as number);
  }

  add(fd: number, file: OpenFile): void {
    this.drop(fd);
    this.hold(file);
    this.files.set(fd, file);
  }

  addRealDirectory(fd: number, directory: RealDirectory): void {
    this.drop(fd);
    this.above.set(fd, directory);
  }

  notifier(fd: unknown): Notifier | undefined {
    return this.notifiers.get(fd as number);
  }

  addNotifier(fd: number, notifier: Notifier): void {
    this.drop(fd);
    notifier.fds.add(fd);
    this.notifiers.set(fd, notifier);
  }

  private dropNotifier(fd: number): void {
    const notifier = this.notifiers.get(fd);
    if (notifier === undefined) return;
    this.notifiers.delete(fd);
    notifier.fds.delete(fd);
    if (notifier.fds.size === 0) notifier.close();
  }

  /** fd is closed, or has become somebody else's. */
  drop(fd: number): void {
    this.above.delete(fd);
    this.dropNotifier(fd);
    const file = this.take(fd);
    if (file !== undefined) this.release(file);
  }

  /** Takes a number out. Its file is the caller's: to be put back, or released. */
  take(fd: number): OpenFile | undefined {
    const file = this.files.get(fd);
    this.files.delete(fd);
    return file;
  }

  putBack(fd: number, file: OpenFile): void {
    if (this.files.has(fd)) this.release(file);
    else this.files.set(fd, file);
  }

  /** A file stays open while somebody holds it, as if it had a descriptor more: for calls that let others run. */
  hold(file: OpenFile): void {
    if (file.descriptors++ > 0) return;
    file.inode.opened();
    file.entry.hold();
  }

  release(file: OpenFile): void {
    const isLast = --file.descriptors === 0;
    if (isLast && !file.pathOnly) used(file.entry, file.writable ? c.IN_CLOSE_WRITE : c.IN_CLOSE_NOWRITE);
    releaseLocks(file);
    if (!isLast) return;
    file.entry.letGo();
    file.inode.closed();
  }

  /** Those from first to last. */
  dropRange(first: number, last: number): void {
    for (const held of [this.files, this.above, this.notifiers])
      for (const fd of [...held.keys()]) if (fd >= first && fd <= last) this.drop(fd);
  }
}
