/**
 * index.ts: mount(): what lies under a path here is another host's.
 *
 * In this process that host's descriptors are told by their numbers (numbers.ts): the kernel knows nothing of them, so they can't be inherited, nor be waited for together with others. Before a program they are descriptors of
 * the kernel's (programs.ts).
 *
 * Invariant: a call is made where all that it names is; one that names things on both sides fails (EXDEV), and one that is made nowhere else and names theirs (calls.ts).
 */
import { invalidType, invalidValue } from '@libcr/core/internal';
import { constants as c, type Shim, SysMsg } from '@libcr/syscalls';
import { callsWith, FOR_PROGRAMS, type ProgramShim } from '@libcr/syscalls/wire';
import { ELSEWHERE, givesDescriptor, POLLFD_SIZE, POLLS, refusalOf } from '../calls.ts';
import type { Remote } from '../remote.ts';
import { fdOf, forget, numberFor } from './numbers.ts';
import { mountForPrograms } from './programs.ts';
import { Mounted } from './sides.ts';

/** Calls that can name something of theirs. */
const NAMES = callsWith('path', 'fd', 'pollfds');

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
 * Pipes and sockets are made here. What links there say is a path of that host's. Closing the remote one closes it. Before a program (lwkt run --shim, spawn() with shims) as well: docs/nats.md. Throws TypeError for misuse.
 */
export function mount(path: string, remote: Remote): Shim {
  if (typeof path !== 'string') throw invalidType('path', 'of type string', path);
  if (!path.startsWith('/')) throw invalidValue(`path "${path}" is not absolute`);
  if (typeof remote?.shim !== 'function') throw invalidType('remote', 'a shim of remote()', remote);
  const mounted = new Mounted(path);
  const shim: Shim & { [FOR_PROGRAMS](): ProgramShim } = {
    name: `mount ${path}`,
    on: NAMES,
    shim: (next) => {
      const there = remote.shim(next);
      return (msg) => {
        if (POLLS.has(msg.name)) return poll(mounted, msg, there, next);
        const { args, theirs, ours } = mounted.sidesOf(msg, (value) => fdOf(mounted, value));
        const placed = new SysMsg(msg.number, args as never, msg.td);
        if (!theirs) return next(placed);
        if (!ELSEWHERE.has(msg.name)) return refusalOf(msg.name);
        return ours ? -c.EXDEV : answered(mounted, msg, there(placed));
      };
    },
    [FOR_PROGRAMS]: () => mountForPrograms(`mount ${path}`, mounted, remote),
  };
  return shim;
}
