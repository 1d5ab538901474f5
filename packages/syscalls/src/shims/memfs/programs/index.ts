/**
 * index.ts: memfs before programs: a tree that is real files while a supervisor has it (real-tree.ts), the shim that leads calls there (redirect.ts), and the handle on whichever there is.
 *
 * Invariant: what a program has changed is what the handle shows, while it runs and after.
 */
import type { ProgramShim } from '../../../supervisor/for-programs.ts';
import type { MemfsAttributes } from '../content.ts';
import type { Handle, TreeHandle } from '../handle.ts';
import type { MemfsOptions } from '../options.ts';
import { RealTree } from './real-tree.ts';
import { Redirection, redirected } from './redirect.ts';

/** Options that say what the kernel decides for real files. */
const OF_MEMORY: readonly (keyof MemfsOptions)[] = ['uid', 'gid', 'groups', 'umask', 'size', 'inodes'];

export class SharedTree implements TreeHandle {
  private handle: Handle;
  private readonly options: MemfsOptions;
  private real: RealTree | undefined;
  private users = 0;

  constructor(handle: Handle, options: MemfsOptions) {
    this.handle = handle;
    this.options = options;
  }

  /** The shim before programs. */
  forPrograms(): ProgramShim {
    const ignored = OF_MEMORY.filter((name) => this.options[name] !== undefined);
    this.real ??= new RealTree(this.handle.volume);
    const tree = this.real;
    if (ignored.length > 0 || !tree.owners)
      process.emitWarning(
        `memfs, before a program: ${[...ignored, ...(tree.owners ? [] : ['owners of files'])].join(', ')} do not count, as its files are the kernel's`,
        { code: 'LIBCR_MEMFS_PROGRAM' },
      );
    this.users++;
    const redirection = new Redirection(tree);
    return {
      name: 'memfs',
      on: redirected,
      shim: (next) => (msg) => redirection.call(msg, next),
      close: () => this.letGo(tree),
    };
  }

  private letGo(tree: RealTree): void {
    if (--this.users > 0) return;
    this.handle = tree.pull();
    this.real = undefined;
    tree.remove();
  }

  private get now(): Handle {
    return this.real?.pull() ?? this.handle;
  }

  private get changing(): RealTree | Handle {
    return this.real ?? this.handle;
  }

  readFile(path: string, encoding?: BufferEncoding): Buffer | string {
    return this.now.readFile(path, encoding);
  }

  readdir(path: string): string[] {
    return this.now.readdir(path);
  }

  exists(path: string): boolean {
    return this.now.exists(path);
  }

  usage(): ReturnType<Handle['usage']> {
    return this.now.usage();
  }

  toJSON(): ReturnType<Handle['toJSON']> {
    return this.now.toJSON();
  }

  writeFile(path: string, data: string | Uint8Array, attributes: MemfsAttributes): void {
    this.changing.writeFile(path, data, attributes);
  }

  mkdir(path: string): void {
    this.changing.mkdir(path);
  }

  symlink(target: string, path: string): void {
    this.changing.symlink(target, path);
  }

  rm(path: string): void {
    this.changing.rm(path);
  }
}
