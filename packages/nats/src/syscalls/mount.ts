/**
 * mount.ts: mount(): what lies under a path here is another host's.
 *
 * Descriptors of that host's are told by their numbers (numbers.ts). The kernel knows nothing of them: they can't be inherited, nor be waited for together with others.
 *
 * Invariant: a call is made where all that it names is; one that names things on both sides fails (EXDEV), and one that is made nowhere else and names theirs (calls.ts).
 */
import { normalize } from 'node:path/posix';
import { invalidType, invalidValue } from '@libcr/core/internal';
import { constants as c, type Shim, SysMsg } from '@libcr/syscalls';
import { argumentsOf } from '@libcr/syscalls/wire';
import { ELSEWHERE, givesDescriptor, POLLFD_SIZE, POLLS, refusalOf } from './calls.ts';
import { fdOf, forget, numberFor } from './numbers.ts';
import type { Remote } from './remote.ts';

/** A path's text; of one that is bytes a character for each, whatever they are. */
const textOf = (path: unknown): string =>
  path instanceof Uint8Array ? Buffer.from(path).toString('latin1') : String(path);
const asGiven = (text: string, given: unknown): unknown =>
  given instanceof Uint8Array ? Buffer.from(text, 'latin1') : text;
const isAbsolute = (path: unknown): boolean => textOf(path).startsWith('/');

/** Arguments with what is theirs as they have it, and whether there is any, and any that is not. */
interface Sides {
  args: unknown[];
  theirs: boolean;
  ours: boolean;
}

class Mounted {
  private readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Whose a path is, and its name there. One that goes in and comes out again is known to the kernel only without that. */
  private placeOf(value: unknown): { path: unknown; theirs: boolean } {
    const text = textOf(value);
    if (!text.startsWith(this.prefix)) return { path: value, theirs: false };
    const normal = normalize(text);
    if (normal === this.prefix || normal === `${this.prefix}/`)
      return { path: asGiven('/', value), theirs: true };
    if (normal.startsWith(`${this.prefix}/`))
      return { path: asGiven(normal.slice(this.prefix.length), value), theirs: true };
    return { path: text.startsWith(`${this.prefix}/`) ? asGiven(normal, value) : value, theirs: false };
  }

  sidesOf(msg: SysMsg): Sides {
    const args = [...msg.args];
    const sides = new Set<boolean>(); // whether they are theirs
    let relativeTo: boolean | undefined; // a path behind a descriptor is relative to that, unless it is absolute
    argumentsOf(msg).forEach(({ format }, i) => {
      const value = args[i];
      if (format === 'fd') {
        if (relativeTo !== undefined) sides.add(relativeTo);
        const fd = fdOf(this, value);
        relativeTo = fd !== undefined;
        if (relativeTo) args[i] = fd;
      } else if (format === 'path' && value !== null && value !== undefined) {
        const { path, theirs } = this.placeOf(value);
        args[i] = path;
        sides.add(theirs || (relativeTo === true && !isAbsolute(value)));
        relativeTo = undefined;
      }
    });
    if (relativeTo !== undefined) sides.add(relativeTo);
    return { args, theirs: sides.has(true), ours: sides.has(false) };
  }
}

/** poll: all are theirs, or none is. */
function poll(
  mounted: Mounted,
  msg: SysMsg,
  there: (msg: SysMsg) => number,
  here: (msg: SysMsg) => number,
): number {
  const list = msg.args[0] as Buffer | null;
  const numbers: number[] = [];
  for (let at = 0; list !== null && at + POLLFD_SIZE <= list.length; at += POLLFD_SIZE)
    numbers.push(list.readInt32LE(at));
  const fds = numbers.map((number) => fdOf(mounted, number));
  if (list === null || fds.every((fd) => fd === undefined)) return here(msg);
  if (!fds.every((fd, i) => fd !== undefined || (numbers[i] as number) < 0)) return -c.EXDEV;
  const copy = Buffer.from(list);
  fds.forEach((fd, i) => {
    if (fd !== undefined) copy.writeInt32LE(fd, i * POLLFD_SIZE);
  });
  const reply = there(new SysMsg(msg.number, [copy, ...msg.args.slice(1)], msg.td));
  fds.forEach((_, i) => {
    list.writeInt16LE(copy.readInt16LE(i * POLLFD_SIZE + 6), i * POLLFD_SIZE + 6);
  });
  return reply;
}

/** After a call that was made there: its descriptors' numbers. */
function answered(mounted: Mounted, msg: SysMsg, reply: number): number {
  if (reply < 0) return reply;
  if (msg.name === 'close') forget(msg.args[0] as number);
  return givesDescriptor(msg.name, msg.args) ? numberFor(mounted, reply) : reply;
}

/**
 * A shim under which `path` (absolute) is the root of another host's files: sys.with(mount('/hosts/a', remote(nc, 'a'))). What is named by a path under it, and what was opened by one, is that host's; all else is as it was.
 * Pipes and sockets are made here. What links there say is a path of that host's. Closing the remote one closes it. Throws TypeError for misuse.
 */
export function mount(path: string, remote: Remote): Shim {
  if (typeof path !== 'string') throw invalidType('path', 'of type string', path);
  if (!path.startsWith('/')) throw invalidValue(`path "${path}" is not absolute`);
  if (typeof remote?.shim !== 'function') throw invalidType('remote', 'a shim of remote()', remote);
  const mounted = new Mounted(normalize(path).replace(/\/+$/, ''));
  return {
    name: `mount ${path}`,
    on: 'all',
    shim: (next) => {
      const there = remote.shim(next);
      return (msg) => {
        if (POLLS.has(msg.name)) return poll(mounted, msg, there, next);
        const { args, theirs, ours } = mounted.sidesOf(msg);
        const placed = new SysMsg(msg.number, args as never, msg.td);
        if (!theirs) return next(placed);
        if (!ELSEWHERE.has(msg.name)) return refusalOf(msg.name);
        return ours ? -c.EXDEV : answered(mounted, msg, there(placed));
      };
    },
  };
}
