/**
 * redirect.ts: the shim before programs: a call that names something in the overlay is made with where that is, in the folder (real-upper.ts) or below; what it is about to change
 * is copied first, and what it has removed is hidden after.
 *
 * Links in the overlay are followed here, as their texts are of the program's names: the kernel gets paths without any.
 *
 * Invariant: no call that changes something gets a path of a lower directory.
 */
import { posix } from 'node:path';
import { viewBytes } from '../../../codec/bytes.ts';
import { constants as c } from '../../../generated/constants.ts';
import type { CallName } from '../../../generated/rows.ts';
import { nodeFs } from '../../../node-fs.ts';
import { rowNamed } from '../../../port/calls.ts';
import type { Next } from '../../../port/shim.ts';
import { SysMsg } from '../../../port/sysmsg.ts';
import { toByteString, toBytes, toPathArgument } from '../../memfs/paths/byte-string.ts';
import type { Named, Names } from '../../memfs/programs/listing.ts';
import { clean, type FileStat, linkOf, Redirection, redirected } from '../../memfs/programs/redirect.ts';
import type { PathArgument } from '../../paths/arguments.ts';
import { LayerError } from '../layer.ts';
import { isDirectory, split, typeOf } from './lowers.ts';
import type { RealUpper, There } from './real-upper.ts';

const LINKS_MAX = 40;
/** O_ACCMODE. */
const ACCESS = 3;
const NEW = c.O_CREAT | c.O_EXCL;
const OPENS: ReadonlySet<string> = new Set(['open', 'openat', 'openat2', 'creat']);
const MAKES: ReadonlySet<string> = new Set([
  'mkdir',
  'mkdirat',
  'mknod',
  'mknodat',
  'symlink',
  'symlinkat',
  'bind',
]);
const CHANGES: ReadonlySet<string> = new Set([
  ...['chmod', 'fchmodat', 'fchmodat2', 'chown', 'lchown', 'fchownat', 'truncate'],
  ...['utime', 'utimes', 'utimensat', 'futimesat', 'file_setattr'],
  ...['setxattr', 'lsetxattr', 'removexattr', 'lremovexattr', 'setxattrat', 'removexattrat'],
]);
const RENAMES: ReadonlySet<string> = new Set(['rename', 'renameat', 'renameat2']);
const REMOVES: ReadonlySet<string> = new Set(['unlink', 'unlinkat', 'rmdir']);
/** Calls that change what a descriptor is open on, whether it may be written by that or not; and the same by a path. */
const BY_DESCRIPTOR: ReadonlyMap<string, CallName> = new Map([
  ['fchmod', 'chmod'],
  ['fchown', 'chown'],
  ['fsetxattr', 'setxattr'],
  ['fremovexattr', 'removexattr'],
] as const);

/** Calls that say which file something is. */
const SAYS: ReadonlySet<string> = new Set(['stat', 'lstat', 'fstat', 'newfstatat', 'statx']);

/** The calls that it wants to see. */
export const overlaid: readonly CallName[] = [
  ...redirected,
  ...(BY_DESCRIPTOR.keys() as Iterable<CallName>),
  'fstat',
];

/** Where a path leads; there: what is there. outside: it leaves the overlay. */
type Walked = { path: string; there: There | undefined } | { outside: string } | number;

/** What is to be done when the call has been made. */
type Then = (succeeded: boolean) => void;

export class OverlayRedirection extends Redirection {
  private readonly upper: RealUpper;

  constructor(upper: RealUpper) {
    super(
      {
        real: (virtual) => {
          const path = upper.path(virtual);
          return path === undefined ? undefined : upper.upper(path);
        },
        virtual: (real) => upper.virtual(real),
        shown: (real) => upper.shown(real),
        isMount: (virtual) => `${upper.at}${upper.within}/`.startsWith(`${virtual}/`),
        namesIn: (virtual) =>
          new Map(posix.dirname(upper.at) === virtual ? [[posix.basename(upper.at), upper.upper('')]] : []),
      },
      'overlay',
    );
    this.upper = upper;
  }

  override call(msg: SysMsg, next: Next): number {
    try {
      const reply = super.call(this.byDescriptor(msg), next);
      if (reply === 0 && SAYS.has(msg.name)) this.upper.identities.correct(msg);
      return reply;
    } catch (error) {
      if (error instanceof LayerError) return error.reply;
      const { errno } = error as NodeJS.ErrnoException;
      if (typeof errno === 'number' && errno < 0) return errno; // of what was to be copied
      throw error;
    }
  }

  /** A file of a lower directory that is open for reading, and is to be changed by its descriptor. */
  private byDescriptor(msg: SysMsg): SysMsg {
    const other = BY_DESCRIPTOR.get(msg.name) ?? (this.isOfItself(msg) ? msg.name : undefined);
    const row = other === undefined ? undefined : rowNamed(other);
    if (row === undefined || typeof msg.fd !== 'number') return msg;
    const real = linkOf(`/proc/${msg.pid}/fd/${msg.fd}`);
    if (real === undefined || this.upper.virtual(real) !== undefined) return msg;
    const virtual = this.upper.shown(real);
    if (virtual === undefined) return msg;
    if (other === msg.name) return msg.with({ dirfd: c.AT_FDCWD, path: toPathArgument(virtual) });
    return new SysMsg(row.number, [toPathArgument(virtual), ...msg.args.slice(1)], msg.td);
  }

  /** utimensat without a path. */
  private isOfItself(msg: SysMsg): boolean {
    return msg.name === 'utimensat' && (msg.args[1] === null || msg.args[1] === '');
  }

  // ---------------------------------------------------------------- paths

  protected override place(msg: SysMsg, asked: PathArgument, virtual: string, then: Then[]): string | number {
    const path = this.upper.path(virtual);
    if (path === undefined) return virtual;
    const walked = this.walk(path, asked.last === 'follow' || /\/\.{0,2}$/.test(asked.path));
    if (typeof walked === 'number') return walked;
    if ('outside' in walked) return walked.outside;
    return this.prepare(msg, asked, walked.path, walked.there, then);
  }

  /** Links' texts are the program's names, and followed here. */
  protected override target(): void {}

  private walk(path: string, follow: boolean): Walked {
    let rest = path.split('/').filter((name) => name !== '');
    let at = '';
    for (let links = 0; rest.length > 0; ) {
      const [name, ...more] = rest as [string, ...string[]];
      const child = `${at}/${name}`;
      const there = this.upper.find(child);
      rest = more;
      if (there === undefined || typeOf(there.stat) !== c.S_IFLNK || (rest.length === 0 && !follow)) {
        at = child;
        continue;
      }
      if (++links > LINKS_MAX) return -c.ELOOP;
      const target = toByteString(nodeFs.readlinkSync(toBytes(there.real), 'buffer'));
      const from = target.startsWith('/') ? '' : this.upper.at + at;
      const leads = clean(`${from}/${[target, ...rest].join('/')}`);
      const inside = this.upper.path(leads);
      if (inside === undefined) return { outside: leads };
      rest = inside.split('/').filter((each) => each !== '');
      at = '';
    }
    return { path: at, there: this.upper.find(at) };
  }

  /** What the call gets. */
  private prepare(
    msg: SysMsg,
    { argument }: PathArgument,
    path: string,
    there: There | undefined,
    then: Then[],
  ): string | number {
    const { upper } = this;
    const isDest = argument === 'dest';
    if (RENAMES.has(msg.name))
      return isDest ? this.renamesTo(msg, path, there, then) : this.renames(path, there, then);
    if (REMOVES.has(msg.name)) return this.removes(msg, path, there, then);
    if (there === undefined) return this.missing(path, this.makes(msg, isDest));
    if (isDirectory(there.stat)) {
      upper.show(path);
      return upper.upper(path);
    }
    if (there.isUpper) return there.real;
    const isFile = typeOf(there.stat) === c.S_IFREG;
    const flags = OPENS.has(msg.name) ? flagsOf(msg) : 0;
    const isPlain = (flags & c.O_PATH) === 0 && (flags & NEW) !== NEW;
    const writes = isPlain && isFile && (flags & (ACCESS | c.O_TRUNC)) !== 0;
    const isLinked = (msg.name === 'link' || msg.name === 'linkat') && !isDest;
    if (!CHANGES.has(msg.name) && !isLinked && !writes) return there.real;
    const cuts = writes && (flags & c.O_TRUNC) !== 0;
    if (upper.copy(path, cuts) && cuts) then.push((succeeded) => this.isBack(path, succeeded));
    return upper.upper(path);
  }

  /** Whether the call makes what is not there. */
  private makes(msg: SysMsg, isDest: boolean): boolean {
    if (OPENS.has(msg.name)) return (flagsOf(msg) & c.O_CREAT) !== 0;
    return MAKES.has(msg.name) || isDest;
  }

  private missing(path: string, makes: boolean): string {
    const [parent, name] = split(path);
    const above = this.upper.find(parent);
    if (above !== undefined && !isDirectory(above.stat))
      return `${makes ? this.copied(parent) : above.real}/${name}`;
    this.upper.make(parent);
    return this.upper.upper(path);
  }

  private copied(path: string): string {
    this.upper.copy(path);
    return this.upper.upper(path);
  }

  // ---------------------------------------------------------------- what goes away

  private removes(msg: SysMsg, path: string, there: There | undefined, then: Then[]): string | number {
    const { upper } = this;
    if (there === undefined) return this.missing(path, false);
    const ofDirectory =
      msg.name === 'rmdir' || (msg.name === 'unlinkat' && (msg.args[2] as number) & c.AT_REMOVEDIR);
    if (isDirectory(there.stat)) {
      upper.make(path);
      if (ofDirectory && upper.namesBelow(path).length > 0) return -c.ENOTEMPTY;
    } else if (upper.copy(path, true)) then.push((succeeded) => this.isBack(path, succeeded));
    then.push((succeeded) => {
      if (succeeded) upper.hide(path);
    });
    return upper.upper(path);
  }

  /** What stood for a file below, and has not been removed. */
  private isBack(path: string, succeeded: boolean): void {
    if (!succeeded) nodeFs.rmSync(toBytes(this.upper.upper(path)), { force: true });
  }

  private renames(path: string, there: There | undefined, then: Then[]): string | number {
    const { upper } = this;
    if (there === undefined) return this.missing(path, false);
    upper.copyWhole(path);
    then.push((succeeded) => {
      if (succeeded) upper.hide(path);
    });
    return upper.upper(path);
  }

  private renamesTo(msg: SysMsg, path: string, there: There | undefined, then: Then[]): string | number {
    const { upper } = this;
    if (there === undefined) {
      then.push((succeeded) => {
        if (succeeded) upper.hide(path);
      });
      return this.missing(path, true);
    }
    if (isExchange(msg)) upper.copyWhole(path);
    else if (isDirectory(there.stat)) {
      upper.make(path);
      if (upper.namesBelow(path).length > 0) return -c.ENOTEMPTY;
    } else if (upper.copy(path, true)) then.push((succeeded) => this.isBack(path, succeeded));
    then.push((succeeded) => {
      if (succeeded) upper.hide(path);
    });
    return upper.upper(path);
  }

  // ---------------------------------------------------------------- listings

  /** What lies below comes at the listing's end, copied or not: so it does not matter when it is copied. */
  protected override namesIn(at: string): Names | undefined {
    const virtual = this.upper.virtual(at);
    if (virtual === undefined) return super.namesIn(at);
    const path = this.upper.path(virtual) as string;
    return {
      all: (begins) => this.upper.listed(path, begins),
      ino: (ino) => this.upper.identities.numberOf(ino),
      look: (name) => {
        const there = this.upper.find(`${path}/${name}`);
        return there && this.named(there.stat);
      },
    };
  }

  protected override named({ mode, ...identity }: FileStat): Named {
    return super.named({ mode, ...this.upper.identities.of(identity) });
  }
}

const isExchange = (msg: SysMsg): boolean =>
  msg.name === 'renameat2' && ((msg.args[4] as number) & c.RENAME_EXCHANGE) !== 0;

function flagsOf(msg: SysMsg): number {
  if (msg.name === 'creat') return c.O_WRONLY | c.O_CREAT | c.O_TRUNC;
  if (msg.name !== 'openat2') return msg.get('flags') as number;
  const how = msg.get('how');
  return ArrayBuffer.isView(how) && how.byteLength >= 4 ? viewBytes(how).readUInt32LE(0) : 0;
}
