/**
 * session.ts: what a client of serveSyscalls() has open here, and the calls that it makes.
 *
 * Invariant: a client uses descriptors that it has opened itself, and no others: each descriptor among a call's arguments, those in a struct pollfd too, is in `descriptors` before the call is made.
 */
import { curthread } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { type IncomingCall, type PackedReply, unpackCall } from '@libcr/syscalls/wire';
import { DUPLICATES, ELSEWHERE, GIVES_PAIR, givesDescriptor, POLLFD_SIZE, POLLS } from './calls.ts';
import { ROOM } from './protocol.ts';

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

/** Whether it answers with descriptors. */
const gives = ({ name, args }: Pick<IncomingCall, 'name' | 'args'>): boolean =>
  givesDescriptor(name, args) || GIVES_PAIR.has(name);

export class Session {
  readonly id: string;
  /** When it was heard of last, by performance.now(). */
  heard: number = performance.now();
  private readonly descriptors = new Set<number>();

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

  /** On a userthread whose port is the one that calls go by. Blocks as the call does. */
  make(data: unknown): PackedReply {
    let call: IncomingCall;
    try {
      call = unpackCall(data, ROOM);
    } catch {
      return { reply: -c.EINVAL, filled: [] };
    }
    if (!ELSEWHERE.has(call.name)) return { reply: -c.ENOSYS, filled: [] };
    if (call.name === 'fcntl' && !FCNTL.has(call.args[1])) return { reply: -c.EINVAL, filled: [] };
    if (!this.mayUse(call)) return { reply: -c.EBADF, filled: [] };
    if (gives(call) && this.descriptors.size >= this.most) return { reply: -c.EMFILE, filled: [] };
    const reply = this.call(call);
    if (reply >= 0) this.note(call, reply);
    return call.answer(reply);
  }

  private call({ number, args }: IncomingCall): number {
    try {
      const reply = sys.raw(number, ...args);
      return reply === -1 ? -curthread().errno : reply;
    } catch {
      return -c.EINVAL; // arguments that are none
    }
  }

  // ---------------------------------------------------------------- descriptors

  private mayUse({ name, args, formats }: IncomingCall): boolean {
    if (POLLS.has(name)) return this.mayPoll(args[0]);
    return formats.every(
      ({ format }, i) =>
        format !== 'fd' ||
        args[i] === c.AT_FDCWD ||
        args[i] === undefined ||
        this.descriptors.has(args[i] as number),
    );
  }

  private mayPoll(list: unknown): boolean {
    if (!Buffer.isBuffer(list)) return false;
    for (let at = 0; at + POLLFD_SIZE <= list.length; at += POLLFD_SIZE) {
      const fd = list.readInt32LE(at);
      if (fd >= 0 && !this.descriptors.has(fd)) return false;
    }
    return true;
  }

  private note({ name, args }: IncomingCall, reply: number): void {
    if (name === 'close') this.descriptors.delete(args[0] as number);
    if (!gives({ name, args })) return;
    const pair = GIVES_PAIR.get(name);
    if (pair === undefined) {
      this.descriptors.add(reply);
      return;
    }
    const memory = args[pair] as Buffer;
    this.descriptors.add(memory.readInt32LE(0));
    this.descriptors.add(memory.readInt32LE(4));
  }

  /** Its descriptors are closed. */
  end(): void {
    for (const fd of this.descriptors) sys.raw(c.SYS_close, fd);
    this.descriptors.clear();
  }
}
