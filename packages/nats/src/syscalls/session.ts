/**
 * session.ts: what a client of serveSyscalls() has open here, and the calls that it makes.
 *
 * Invariants:
 *  - A client uses descriptors that it has opened itself, and no others: each descriptor among a call's arguments, those in a struct pollfd too, is in `descriptors` before the call is made, and is not closed before the
 *    call has returned.
 *  - What a call opens is closed, also when the client has gone meanwhile.
 */
import { curthread } from '@libcr/core';
import { isAbortOf } from '@libcr/core/internal';
import { constants as c, sys } from '@libcr/syscalls';
import { failure, IncomingCall } from '@libcr/syscalls/wire';
import { DUPLICATES, ELSEWHERE, GIVES_PAIR, givesDescriptor, POLLFD_SIZE, POLLS } from './calls.ts';

/** Those that take or give a descriptor which is not one of its own (SIGIO's owner, leases) are not for others. */
const FCNTL: ReadonlySet<unknown> = new Set([
  c.F_GETFD,
  c.F_SETFD,
  c.F_GETFL,
  c.F_SETFL,
  c.F_OFD_GETLK,
  c.F_OFD_SETLK,
  c.F_OFD_SETLKW,
  ...DUPLICATES,
]);

/** Their third argument is nobody's, and may be anything: of a program whatever was in the register. */
const WITHOUT_ARGUMENT: ReadonlySet<unknown> = new Set([c.F_GETFD, c.F_GETFL]);

/** Whether it answers with descriptors. */
const gives = ({ name, args }: Pick<IncomingCall, 'name' | 'args'>): boolean =>
  givesDescriptor(name, args) || GIVES_PAIR.has(name);

export class Session {
  readonly id: string;
  /** When it was heard of last, by performance.now(). */
  heard: number = performance.now();
  private readonly descriptors = new Set<number>();
  /** How many calls that are under way name a descriptor. */
  private readonly uses = new Map<number, number>();
  /** The client has closed them, and calls that are under way name them. */
  private readonly closing = new Set<number>();
  private over = false;
  private readonly most: number;

  /** most: descriptors. */
  constructor(id: string, most: number) {
    this.id = id;
    this.most = most;
  }

  /** How many descriptors it has. */
  get open(): number {
    return this.descriptors.size;
  }

  /**
   * On a userthread whose port is the one that calls go by. Blocks as the call does. at: where the call begins; room: bytes that it may have written; before: bytes that the answer has in front.
   */
  make(bytes: Buffer, at: number, room: number, before: number): Buffer {
    let call: IncomingCall;
    try {
      call = new IncomingCall(bytes, at, room, before);
    } catch {
      return failure(c.EINVAL, before);
    }
    const errno = this.refusal(call);
    if (errno !== 0) return failure(errno, before);
    this.fill(call);
    return call.answer(call.name === 'close' ? this.close(call.args[0] as number) : this.makeWith(call));
  }

  /** Its descriptors are in use meanwhile. */
  private makeWith(call: IncomingCall): number {
    const used = this.descriptorsOf(call);
    for (const fd of used) this.uses.set(fd, (this.uses.get(fd) ?? 0) + 1);
    try {
      const reply = this.call(call);
      if (reply >= 0) this.note(call, reply);
      return reply;
    } finally {
      for (const fd of used) this.unuse(fd);
    }
  }

  /** NULL where it stands for a number, or for a length that is asked for. */
  private fill({ name, args, formats }: IncomingCall): void {
    if (name !== 'fcntl' && !args.includes(null)) return;
    if (name === 'fcntl' && (WITHOUT_ARGUMENT.has(args[1]) || args[2] === null)) args[2] = 0;
    formats.forEach(({ memory }, i) => {
      if (memory?.by === 'next' && args[i] === null && args[i + 1] === 0) args[i] = Buffer.alloc(0);
    });
  }

  /** What a call fails with that is not made; 0. */
  private refusal(call: IncomingCall): number {
    if (!ELSEWHERE.has(call.name)) return c.ENOSYS;
    if (call.name === 'fcntl' && !FCNTL.has(call.args[1])) return c.EINVAL;
    if (!this.mayUse(call)) return c.EBADF;
    return gives(call) && this.descriptors.size >= this.most ? c.EMFILE : 0;
  }

  private call({ number, args }: Pick<IncomingCall, 'number' | 'args'>): number {
    try {
      const reply = sys.raw(number, ...args);
      return reply === -1 ? -curthread().errno : reply;
    } catch (error) {
      return isAbortOf(curthread(), error) ? -c.EINTR : -c.EINVAL; // the client has gone away; arguments that are none
    }
  }

  // ---------------------------------------------------------------- descriptors

  private mayUse(call: IncomingCall): boolean {
    if (POLLS.has(call.name) && !Buffer.isBuffer(call.args[0])) return false;
    return this.descriptorsOf(call).every((fd) => this.descriptors.has(fd as number));
  }

  /** Which it names; of a hostile client they may be anything. */
  private descriptorsOf({ name, args, formats }: IncomingCall): readonly number[] {
    if (POLLS.has(name)) return polled(args[0] as Buffer);
    const list: number[] = [];
    for (let i = 0; i < args.length; i++)
      if (formats[i]?.format === 'fd' && args[i] !== c.AT_FDCWD && args[i] !== undefined)
        list.push(args[i] as number);
    return list;
  }

  /** It is not the client's any more; the kernel closes it when no call has it, as its number is another client's then. */
  private close(fd: number): number {
    this.descriptors.delete(fd);
    if (!this.uses.has(fd)) return this.call({ number: c.SYS_close, args: [fd] });
    this.closing.add(fd);
    return 0;
  }

  private unuse(fd: number): void {
    const left = (this.uses.get(fd) as number) - 1;
    if (left > 0) this.uses.set(fd, left);
    else {
      this.uses.delete(fd);
      if (this.closing.delete(fd)) this.call({ number: c.SYS_close, args: [fd] });
    }
  }

  private note({ name, args }: IncomingCall, reply: number): void {
    if (!gives({ name, args })) return;
    const pair = GIVES_PAIR.get(name);
    const memory = pair === undefined ? undefined : (args[pair] as Buffer);
    const given = memory === undefined ? [reply] : [memory.readInt32LE(0), memory.readInt32LE(4)];
    for (const fd of given) {
      if (this.over) this.call({ number: c.SYS_close, args: [fd] });
      else this.descriptors.add(fd);
    }
  }

  /** Its descriptors are closed, and those of calls that are under way when they have returned. */
  end(): void {
    this.over = true;
    for (const fd of this.descriptors) this.close(fd);
  }
}

function polled(list: Buffer): number[] {
  const fds: number[] = [];
  for (let at = 0; at + POLLFD_SIZE <= list.length; at += POLLFD_SIZE) {
    const fd = list.readInt32LE(at);
    if (fd >= 0) fds.push(fd);
  }
  return fds;
}
