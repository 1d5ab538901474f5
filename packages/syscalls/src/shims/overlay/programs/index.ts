/**
 * index.ts: overlay before programs: an upper layer of real files while a supervisor has it (real-upper.ts), the shim that leads calls there (redirect.ts), and the state that the
 * handle shows, whichever there is.
 *
 * Invariant: what a program has changed is what the handle shows, while it runs and after.
 */
import { posix } from 'node:path';
import { failure } from '../../../failure.ts';
import { constants as c } from '../../../generated/constants.ts';
import { nodeFs } from '../../../node-fs.ts';
import type { ProgramShim } from '../../../supervisor/for-programs.ts';
import type { MemfsAttributes } from '../../memfs/content.ts';
import type { TreeHandle } from '../../memfs/handle.ts';
import type { MemfsOptions } from '../../memfs/options.ts';
import { toByteString, toBytes } from '../../memfs/paths/byte-string.ts';
import { State } from '../state.ts';
import { pull, push } from './exchange.ts';
import { split } from './lowers.ts';
import { RealUpper } from './real-upper.ts';
import { OverlayRedirection, overlaid } from './redirect.ts';

/** Options that say what the kernel decides for real files. */
const OF_MEMORY: readonly (keyof MemfsOptions)[] = ['uid', 'gid', 'groups', 'umask', 'size', 'inodes'];

export class SharedOverlay implements TreeHandle {
  private state: State;
  private readonly lower: readonly string[];
  private readonly at: string;
  private readonly options: MemfsOptions;
  private upper: RealUpper | undefined;
  private users = 0;

  constructor(state: State, lower: readonly string[], at: string, options: MemfsOptions) {
    this.state = state;
    this.lower = lower;
    this.at = at;
    this.options = options;
  }

  /** The shim before programs. */
  forPrograms(): ProgramShim {
    const ignored = OF_MEMORY.filter((name) => this.options[name] !== undefined);
    const upper = this.upper ?? this.begin();
    if (ignored.length > 0 || !upper.owners)
      process.emitWarning(
        `overlay, before a program: ${[...ignored, ...(upper.owners ? [] : ['owners of files'])].join(', ')} do not count, as its files are the kernel's`,
        { code: 'LIBCR_OVERLAY_PROGRAM' },
      );
    this.users++;
    const redirection = new OverlayRedirection(upper);
    return {
      name: 'overlay',
      on: overlaid,
      shim: (next) => (msg) => redirection.call(msg, next),
      close: () => this.letGo(upper),
    };
  }

  private begin(): RealUpper {
    const upper = new RealUpper(toByteString(this.at), this.lower);
    push(this.state, upper);
    this.upper = upper;
    return upper;
  }

  private letGo(upper: RealUpper): void {
    if (--this.users > 0) return;
    this.state = this.now;
    this.upper = undefined;
    upper.remove();
  }

  /** As it is now, in memory: to look into. */
  get now(): State {
    if (this.upper === undefined) return this.state;
    return pull(new State(this.lower, this.at, {}), this.upper);
  }

  readFile(path: string, encoding?: BufferEncoding): Buffer | string {
    return this.now.handle.readFile(path, encoding);
  }

  readdir(path: string): string[] {
    return this.now.handle.readdir(path);
  }

  exists(path: string): boolean {
    return this.now.handle.exists(path);
  }

  usage(): ReturnType<TreeHandle['usage']> {
    return this.now.handle.usage();
  }

  // ---------------------------------------------------------------- changes from outside

  /** Has something done where programs have it; or else in memory. */
  private change(
    path: string,
    call: string,
    act: (upper: RealUpper, path: string) => void,
    inMemory: () => void,
  ): void {
    const { upper } = this;
    if (upper === undefined) {
      inMemory();
      return;
    }
    const own = upper.path(toByteString(posix.resolve(path)));
    if (own === undefined) throw failure(-c.ENOENT, call, path);
    try {
      act(upper, own);
    } catch (error) {
      const { errno } = error as NodeJS.ErrnoException;
      throw errno === undefined ? error : failure(errno, call, path);
    }
  }

  writeFile(path: string, data: string | Uint8Array, attributes: MemfsAttributes): void {
    this.change(
      path,
      'open',
      (upper, own) => {
        upper.make(split(own)[0]);
        upper.copy(own, true);
        const at = toBytes(upper.upper(own));
        nodeFs.writeFileSync(at, data);
        const { mode, mtime } = attributes;
        if (mode !== undefined) nodeFs.chmodSync(at, mode & 0o7777);
        if (mtime !== undefined) nodeFs.utimesSync(at, attributes.atime ?? mtime, mtime);
      },
      () => this.state.handle.writeFile(path, data, attributes),
    );
  }

  mkdir(path: string): void {
    this.change(
      path,
      'mkdir',
      (upper, own) => {
        for (let end = own.indexOf('/', 1); end > 0; end = own.indexOf('/', end + 1))
          upper.make(own.slice(0, end));
        upper.make(own);
        nodeFs.mkdirSync(toBytes(upper.upper(own)), { recursive: true });
      },
      () => this.state.handle.mkdir(path),
    );
  }

  symlink(target: string, path: string): void {
    this.change(
      path,
      'symlink',
      (upper, own) => {
        if (upper.find(own) !== undefined) throw failure(-c.EEXIST, 'symlink', path);
        upper.make(split(own)[0]);
        nodeFs.symlinkSync(toBytes(toByteString(target)), toBytes(upper.upper(own)));
      },
      () => this.state.handle.symlink(target, path),
    );
  }

  rm(path: string): void {
    this.change(
      path,
      'rm',
      (upper, own) => {
        if (`${upper.within}/`.startsWith(`${own}/`)) throw failure(-c.EBUSY, 'rm', path);
        if (upper.find(own) === undefined) return;
        upper.make(split(own)[0]);
        nodeFs.rmSync(toBytes(upper.upper(own)), { recursive: true, force: true });
        upper.hide(own);
      },
      () => this.state.handle.rm(path),
    );
  }
}
