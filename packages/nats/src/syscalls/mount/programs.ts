/**
 * programs.ts: mount() before a program: its calls that name something of the other host's are made there; a descriptor there has one of the kernel's that stands for it (placeholders.ts).
 *
 * What copies, closes and waits for descriptors is the kernel's: to it they are files that are always ready. They can't be mapped or run, and no working directory is theirs.
 *
 * Invariant: what a process has is known before each call that names a descriptor: each call that makes another of it is seen here.
 */
import { create, curthread } from '@libcr/core';
import { constants as c, type Next, SysMsg } from '@libcr/syscalls';
import { callsWith, type ProgramShim } from '@libcr/syscalls/wire';
import { DUPLICATES, ELSEWHERE, givesDescriptor, refusalOf } from '../calls.ts';
import type { Remote } from '../remote.ts';
import { Placeholders, type ProgramProcess, placeholderOf } from './placeholders.ts';
import type { Mounted } from './sides.ts';

/** Those that the kernel makes, as what it has stands for theirs: copies, and what a descriptor itself is. */
const KERNELS: ReadonlySet<string> = new Set(['close', 'close_range', 'dup', 'dup2', 'dup3', 'epoll_ctl']);
const FCNTL: ReadonlySet<unknown> = new Set([...DUPLICATES, c.F_GETFD, c.F_SETFD]);
/** FIOCLEX, FIONCLEX: F_SETFD by another name. */
const IOCTL: ReadonlySet<unknown> = new Set([0x5451, 0x5450]);
/** Descriptors may come or go by them in other ways. */
const RENEW: ReadonlySet<string> = new Set(['execve', 'execveat', 'recvmsg', 'recvmmsg', 'pidfd_getfd']);

const processOf = ({ td }: SysMsg): ProgramProcess => (td as unknown as { process: ProgramProcess }).process;

function isKernels({ name, args }: SysMsg): boolean {
  if (KERNELS.has(name)) return true;
  return (name === 'fcntl' && FCNTL.has(args[1])) || (name === 'ioctl' && IOCTL.has(args[1]));
}

function closesOnExec({ name, args }: SysMsg): boolean {
  if (name === 'openat2') return (((args[2] as Buffer)[2] as number) & (c.O_CLOEXEC >> 16)) !== 0;
  const flags = name === 'open' ? args[1] : name === 'openat' ? args[2] : 0;
  return ((flags as number) & c.O_CLOEXEC) !== 0;
}

class ProgramMount {
  private readonly mounted: Mounted;
  private readonly placeholders: Placeholders;
  private readonly there: Next;

  constructor(mounted: Mounted, placeholders: Placeholders, there: Next) {
    this.mounted = mounted;
    this.placeholders = placeholders;
    this.there = there;
  }

  call(msg: SysMsg, next: Next): number {
    const process = processOf(msg);
    if (isKernels(msg)) return this.changed(process, msg, next(msg));
    const { args, theirs, ours } = this.mounted.sidesOf(msg, (value) =>
      this.placeholders.fdOf(process, value),
    );
    if (theirs) {
      if (!ELSEWHERE.has(msg.name)) return refusalOf(msg.name);
      if (ours) return -c.EXDEV;
      const reply = this.there(new SysMsg(msg.number, args as never, msg.td));
      return reply >= 0 && givesDescriptor(msg.name, args) ? this.opened(process, msg, reply, next) : reply;
    }
    const reply = next(new SysMsg(msg.number, args as never, msg.td));
    if (RENEW.has(msg.name)) this.placeholders.forget(process);
    return reply;
  }

  /** fd: that host's. The program's. */
  private opened(process: ProgramProcess, msg: SysMsg, fd: number, next: Next): number {
    const number = next(new SysMsg(c.SYS_memfd_create, placeholderOf(closesOnExec(msg)), msg.td));
    try {
      if (number >= 0) this.placeholders.add(process, number, fd);
    } catch {
      // Nobody would tell of its end: too many are watched, or the process is in another namespace.
      next(new SysMsg(c.SYS_close, [number], msg.td));
      this.there(new SysMsg(c.SYS_close, [fd], msg.td));
      return -c.EMFILE;
    }
    if (number < 0) this.there(new SysMsg(c.SYS_close, [fd], msg.td));
    return number;
  }

  /** After a call of the kernel's. */
  private changed(process: ProgramProcess, { name, args }: SysMsg, reply: number): number {
    const [first, second, flags = 0] = args as [number, number, number?];
    if (reply < 0) return reply;
    if (name === 'close') this.placeholders.closed(process, first);
    else if (name === 'close_range') {
      if ((flags & c.CLOSE_RANGE_CLOEXEC) === 0) this.placeholders.closed(process, first, second);
    } else if (name === 'dup2' || name === 'dup3') {
      if (first !== second) this.placeholders.copied(process, first, second);
    } else if (name === 'dup' || (name === 'fcntl' && DUPLICATES.has(second)))
      this.placeholders.copied(process, first, reply);
    return reply;
  }
}

const NAMES = callsWith('path', 'fd').concat('close_range');

/** Before programs. What they have open is closed with its supervisor, and the remote if the connection is its own. */
export function mountForPrograms(name: string, mounted: Mounted, remote: Remote): ProgramShim {
  const nobody: Next = () => -c.ENOSYS;
  const there = remote.shim(nobody); // what is made there only
  const placeholders = new Placeholders((fd) => {
    create(() => there(new SysMsg(c.SYS_close, [fd], curthread())), { daemon: true });
  });
  const programs = new ProgramMount(mounted, placeholders, there);
  return {
    name,
    on: NAMES,
    shim: (next) => (msg) => programs.call(msg, next),
    close: () => {
      placeholders.close();
      if (remote.ownsConnection) remote.close();
    },
  };
}
