/**
 * redirect.ts: the shim before programs: a call that names something in the tree is made with where that is really; and what the kernel says of places is said as the program
 * knows them (getcwd, readlink, listings of directories above).
 *
 * Paths are made absolute as they are written: ".." goes up by one name. A link outside of the tree that leads into it is not followed there.
 *
 * Invariant: a call whose path can't be known, or that would be about another file than its path says, fails, and a warning says so once.
 */
import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { viewBytes } from '../../../codec/bytes.ts';
import { PATH_MAX } from '../../../codec/file/path.ts';
import { constants as c } from '../../../generated/constants.ts';
import { type CallName, rows } from '../../../generated/rows.ts';
import { nodeFs } from '../../../node-fs.ts';
import type { Next } from '../../../port/shim.ts';
import type { SysMsg } from '../../../port/sysmsg.ts';
import { type PathArgument, pathArguments } from '../../paths/arguments.ts';
import { hasPath } from '../../paths/index.ts';
import { bytesOfText } from '../../paths/text.ts';
import { toByteString, toBytes, toPathArgument } from '../paths/byte-string.ts';
import { list, type Named, type Names } from './listing.ts';

/** Calls whose address names a file, where it is a unix socket's. */
const ADDRESSED: ReadonlySet<CallName> = new Set(['connect', 'bind', 'sendto']);
/** Those that take the tree's roots away. */
const REMOVES: ReadonlySet<CallName> = new Set([
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'rmdir',
]);
/** sun_path. */
const ADDRESS_MAX = 108;

/** The calls that it wants to see. */
export const redirected: readonly CallName[] = [
  ...rows.filter(({ number, level }) => level !== 'obsolete' && hasPath(number)).map(({ name }) => name),
  'getcwd',
  'getdents64',
  'getdents',
];

const warned = new Set<string>();

function warn(shim: string, call: string, why: string): void {
  const key = `${shim} ${call}`;
  if (warned.has(key)) return;
  warned.add(key);
  process.emitWarning(`${shim}, before a program: ${call} fails: ${why}`, {
    code: `LIBCR_${shim.toUpperCase()}_PROGRAM`,
  });
}

/** A tree whose files are real ones elsewhere. Paths are absolute, without "." and "..". */
export interface Tree {
  /** Where a path of the program's is; undefined for one that is not in the tree. */
  real(virtual: string): string | undefined;
  /** What the program knows a real path as; undefined for one that is not the tree's. shown: also one that only files have that it has open. */
  virtual(real: string): string | undefined;
  shown?(real: string): string | undefined;
  isMount(virtual: string): boolean;
  /** The tree's roots that are names in a directory, and where they are really. */
  namesIn(virtual: string): ReadonlyMap<string, string>;
}

/** What is to be done when the call has been made. */
type Then = (succeeded: boolean) => void;

/** What a link under /proc says of a process; undefined where it says nothing. */
export function linkOf(path: string): string | undefined {
  try {
    const target = toByteString(readlinkSync(path, 'buffer'));
    return target.startsWith('/') && !target.endsWith(' (deleted)') ? target : undefined;
  } catch {
    return undefined;
  }
}

/** Of a stat. */
export interface FileStat {
  readonly mode: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** undefined where nothing is. */
function lstatOf(path: string): FileStat | undefined {
  return nodeFs.lstatSync(toBytes(path), { bigint: true, throwIfNoEntry: false });
}

/** undefined: the call is as it was. */
type Changed = Record<string, unknown> | number | undefined;

export class Redirection {
  private readonly tree: Tree;
  private readonly name: string;

  /** name: of the shim. */
  constructor(tree: Tree, name = 'memfs') {
    this.tree = tree;
    this.name = name;
  }

  call(msg: SysMsg, next: Next): number {
    switch (msg.name) {
      case 'getcwd':
        return this.getcwd(msg, next);
      case 'getdents64':
      case 'getdents':
        return this.list(msg, next);
      default: {
        const then: Then[] = [];
        const changed = this.change(msg, then);
        const sent = typeof changed === 'object' ? msg.with(changed) : msg;
        const reply =
          typeof changed === 'number'
            ? changed
            : msg.name === 'readlink' || msg.name === 'readlinkat'
              ? this.readlink(msg, sent, next)
              : next(sent);
        for (const each of then) each(reply >= 0);
        return reply;
      }
    }
  }

  // ---------------------------------------------------------------- what is asked

  private change(msg: SysMsg, then: Then[]): Changed {
    if (ADDRESSED.has(msg.name)) return this.address(msg, then);
    const changes: Record<string, unknown> = {};
    for (const asked of pathArguments(msg)) {
      if ('hidden' in asked || asked.path === '') continue;
      const virtual = this.virtual(msg, asked);
      if (typeof virtual === 'number') return virtual;
      if (virtual === undefined) continue;
      if (asked.last === 'name' && REMOVES.has(msg.name) && this.tree.isMount(virtual)) return -c.EBUSY;
      const real = this.place(msg, asked, virtual, then);
      if (typeof real === 'number') return real;
      const path = /\/\.{0,2}$/.test(asked.path) && real !== '/' ? `${real}/` : real;
      if (path.length >= PATH_MAX) return -c.ENAMETOOLONG;
      if (asked.argument === 'address') return this.unsupported(msg);
      changes[asked.argument] = toPathArgument(path);
    }
    this.target(msg, changes);
    return Object.keys(changes).length === 0 ? undefined : changes;
  }

  /** Where the call is to find what a path says. Or -errno. */
  protected place(_msg: SysMsg, _asked: PathArgument, virtual: string, _then: Then[]): string | number {
    return this.tree.real(virtual) ?? virtual;
  }

  private shown(real: string): string {
    return this.tree.shown?.(real) ?? this.tree.virtual(real) ?? real;
  }

  private unsupported(msg: SysMsg): number {
    warn(this.name, msg.name, 'its address is in the tree, which can be for connect, bind and sendto only');
    return -c.EOPNOTSUPP;
  }

  /** The path that is meant, if the tree has to do with it: it is there, or begins there. */
  private virtual(msg: SysMsg, { path, dirfd, resolve }: PathArgument): string | number | undefined {
    const bytes = bytesOfText(path);
    const given = toByteString(bytes);
    if (given.startsWith('/') && (resolve & c.RESOLVE_IN_ROOT) === 0) {
      return this.meant(given);
    }
    const link = dirfd === c.AT_FDCWD ? 'cwd' : `fd/${dirfd}`;
    const base = linkOf(`/proc/${msg.pid}/${link}`);
    if (base === undefined) return undefined; // the kernel knows what is wrong
    const known = this.tree.virtual(base);
    const written = `${known ?? base}/${given}`;
    const virtual = known === undefined ? this.meant(written) : clean(written);
    if (virtual === undefined || resolve === 0) return virtual;
    if (known !== undefined && !given.includes('..') && !given.startsWith('/')) return undefined; // it stays inside, as it is
    warn(this.name, msg.name, 'how it wants paths to be looked up can not be kept to in the tree');
    return -c.EOPNOTSUPP;
  }

  /** An absolute path, cleaned, if the tree has to do with it: it is there, or goes through it, which the kernel knows nothing of. */
  private meant(written: string): string | undefined {
    const virtual = clean(written);
    if (this.tree.real(virtual) !== undefined) return virtual;
    if (!written.includes('/..')) return undefined;
    const at: string[] = [];
    for (const name of written.split('/')) {
      if (name === '..') {
        if (this.tree.real(`/${at.join('/')}`) !== undefined) return virtual;
        at.pop();
      } else if (name !== '' && name !== '.') at.push(name);
    }
    return undefined;
  }

  /** symlink's text leads into the tree. */
  protected target(msg: SysMsg, changes: Record<string, unknown>): void {
    if (msg.name !== 'symlink' && msg.name !== 'symlinkat') return;
    const i = 0;
    const value = msg.args[i];
    const given =
      typeof value === 'string' ? value : ArrayBuffer.isView(value) ? viewBytes(value) : undefined;
    if (given === undefined) return;
    const text = toByteString(given);
    const real = text.startsWith('/') ? this.tree.real(clean(text)) : undefined;
    if (real !== undefined) changes.path = toPathArgument(real);
  }

  private address(msg: SysMsg, then: Then[]): Changed {
    for (const asked of pathArguments(msg)) {
      if ('hidden' in asked) continue;
      const virtual = this.virtual(msg, asked);
      if (typeof virtual === 'number') return virtual;
      if (virtual === undefined) continue;
      const real = this.place(msg, asked, virtual, then);
      if (typeof real === 'number') return real;
      const path = toBytes(real);
      if (path.length >= ADDRESS_MAX) {
        warn(this.name, msg.name, `the socket's real path is too long: ${path}`);
        return -c.ENAMETOOLONG;
      }
      const address = Buffer.concat([Buffer.alloc(2), path, Buffer.alloc(1)]);
      address.writeUInt16LE(c.AF_UNIX, 0);
      return { address, addressLength: address.length };
    }
    return undefined;
  }

  // ---------------------------------------------------------------- what is answered

  private getcwd(msg: SysMsg, next: Next): number {
    const length = msg.args[1] as number;
    const own = Buffer.alloc(PATH_MAX);
    const n = next(msg.with({ buffer: own, bufferLength: PATH_MAX }));
    if (n <= 0) return n;
    const real = own.toString('latin1', 0, n - 1);
    const path = toBytes(`${this.shown(real)}\0`);
    if (path.length > length || !ArrayBuffer.isView(msg.args[0])) return -c.ERANGE;
    viewBytes(msg.args[0]).set(path);
    return path.length;
  }

  private readlink(given: SysMsg, sent: SysMsg, next: Next): number {
    const room = given.get('target');
    if (!ArrayBuffer.isView(room)) return next(sent);
    const own = Buffer.alloc(PATH_MAX);
    const n = next(sent.with({ target: own, targetLength: PATH_MAX }));
    if (n < 0) return n;
    const real = own.toString('latin1', 0, n);
    const text = toBytes(this.shown(real));
    const into = viewBytes(room);
    const shown = Math.min(text.length, into.length, given.get('targetLength') as number);
    into.set(text.subarray(0, shown));
    return shown;
  }

  /** What is in a real directory for the program, and not so for the kernel; undefined where that is nothing. */
  protected namesIn(at: string): Names | undefined {
    if (this.tree.virtual(at) !== undefined) return undefined;
    const names = this.tree.namesIn(at);
    if (names.size === 0) return undefined;
    const all = new Set(names.keys());
    return {
      all: () => all,
      look: (name) => {
        const real = names.get(name);
        const stat = real === undefined ? undefined : lstatOf(real);
        return stat && this.named(stat);
      },
    };
  }

  /** What a listing says of a file. */
  protected named({ mode, ino }: FileStat): Named {
    return { type: (Number(mode) & c.S_IFMT) >> 12, ino: Number(ino) };
  }

  private list(msg: SysMsg, next: Next): number {
    const at = linkOf(`/proc/${msg.pid}/fd/${msg.fd}`);
    const names = at === undefined ? undefined : this.namesIn(at);
    return names === undefined ? next(msg) : list(msg, next, names);
  }
}

/** Without ".", ".." and slashes at its end. */
export function clean(path: string): string {
  return posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
}
