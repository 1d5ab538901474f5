/**
 * notifier.ts: an inotify descriptor that watches something in the tree, and perhaps something real, too: one queue of events, in the order in which
 * they have happened.
 *
 * The descriptor is the kernel's own. For each event in memory a real one is caused on a file that only the notifier has (a memfd), whose attributes
 * and length are set in turn: so who waits for the descriptor, in whichever way, is woken, and a read finds out what came before what.
 *
 * Invariant: events has one for each event of the bell that the kernel has: what has happened in memory, or undefined where it was rung for what is in
 * ready, which has been read from the kernel and did not fit.
 */
import { constants as c } from '../../../generated/constants.ts';
import { native } from '../../../native.ts';
import { nodeFs } from '../../../node-fs.ts';
import { below, type Call } from '../call.ts';
import type { Inode } from '../inodes/inode.ts';
import { toBytes } from '../paths/byte-string.ts';
import { type QueuedEvent, type Sink, Watch } from './watch.ts';

/** Numbers of watches begin here: the kernel's count from 1. */
const FIRST_WATCH = 0x40000000;
const HEADER = 16;
/** Where the cookie is. */
const COOKIE = 8;
/** An event with the longest name fits in it a few times. */
const BUFFER = 8192;

function queueLimit(): number {
  try {
    return Number(nodeFs.readFileSync('/proc/sys/fs/inotify/max_queued_events', 'latin1'));
  } catch {
    return 16_384;
  }
}

function encode({ watch, mask, cookie, name }: QueuedEvent): Buffer {
  const length = name === '' ? 0 : (name.length + 16) & ~15; // at least one NUL
  const bytes = Buffer.alloc(HEADER + length);
  bytes.writeInt32LE(watch, 0);
  bytes.writeUInt32LE(mask >>> 0, 4);
  bytes.writeUInt32LE(cookie, 8);
  bytes.writeUInt32LE(length, 12);
  bytes.set(toBytes(name), HEADER);
  return bytes;
}

const isSame = (a: QueuedEvent, b: QueuedEvent): boolean =>
  a.watch === b.watch && a.mask === b.mask && a.name === b.name;

export class Notifier implements Sink {
  /** The descriptors that stand for it. */
  readonly fds: Set<number> = new Set();
  private readonly watches = new Map<number, Watch>();
  private events: (QueuedEvent | undefined)[] = [];
  private ready: Buffer[] = [];
  /** The memfd, and its real watch; -1 until something in memory is watched. */
  private bell = -1;
  private bellWatch = -1;
  /** The bell was rung by its length the last time, not by its attributes. */
  private byLength = false;
  private lastWatch = FIRST_WATCH;
  private limit = 0;

  /** Whether it watches, or has watched, something in memory: its reads are answered here. */
  get isActive(): boolean {
    return this.bell >= 0;
  }

  /** So that it can be told of memory. 0, or -errno: of a descriptor that is none of inotify's, too. */
  activate(fd: number): number {
    if (this.bell >= 0) return native.call(c.SYS_inotify_rm_watch, fd, -1) === -c.EBADF ? -c.EBADF : 0;
    const bell = native.call(c.SYS_memfd_create, 'libcr-inotify', c.MFD_CLOEXEC);
    if (bell < 0) return bell;
    const mask = c.IN_ATTRIB | c.IN_MODIFY;
    const watch = native.call(c.SYS_inotify_add_watch, fd, `/proc/self/fd/${bell}`, mask);
    if (watch < 0) {
      nodeFs.closeSync(bell);
      return watch;
    }
    this.limit = queueLimit();
    this.bell = bell;
    this.bellWatch = watch;
    return 0;
  }

  /** The watch's number, or -errno. */
  add(inode: Inode, mask: number): number {
    const old = [...this.watches.values()].find((watch) => watch.inode === inode);
    const kept = mask & (c.IN_ALL_EVENTS | c.IN_EXCL_UNLINK | c.IN_ONESHOT);
    if (old !== undefined) {
      if ((mask & c.IN_MASK_CREATE) !== 0) return -c.EEXIST;
      old.mask = (mask & c.IN_MASK_ADD) !== 0 ? old.mask | kept : kept;
      return old.number;
    }
    const watch = new Watch(this.lastWatch++, inode, kept, this);
    this.watches.set(watch.number, watch);
    return watch.number;
  }

  /** Whether there was one of that number. */
  remove(number: number): boolean {
    const watch = this.watches.get(number);
    watch?.end();
    return watch !== undefined;
  }

  forget(watch: Watch): void {
    this.watches.delete(watch.number);
  }

  put(event: QueuedEvent): void {
    if (this.events.length >= this.limit) {
      this.byLength = !this.byLength;
      this.ring(); // the kernel's own queue, which is no longer, tells so
      return;
    }
    if (this.isRepeated(encode(event)) && this.nothingSince()) return;
    const last = this.events.at(-1);
    if (last !== undefined && isSame(last, event)) {
      const before = this.unread();
      this.ring();
      if (this.unread() === before) return; // nothing real has come between: they are one, as the kernel's are
      this.events.push(event);
    } else this.ringAnew(event);
  }

  /** Causes a real event; the kernel makes one of it and the one before if that was the same. */
  private ring(): void {
    if (this.byLength) nodeFs.ftruncateSync(this.bell, 0);
    else nodeFs.fchmodSync(this.bell, 0o600);
  }

  /** Causes one that is not the same as the last one. */
  private ringAnew(event: QueuedEvent | undefined): void {
    this.byLength = !this.byLength;
    this.ring();
    this.events.push(event);
  }

  /** Bytes that the kernel has. */
  private unread(): number {
    const [fd] = this.fds;
    const count = Buffer.alloc(4);
    return fd === undefined || native.call(c.SYS_ioctl, fd, c.FIONREAD, count) < 0 ? 0 : count.readInt32LE();
  }

  /** Bytes that there are to read. */
  get size(): number {
    this.gather();
    const events = this.events.filter((event) => event !== undefined);
    const sum = [...this.ready, ...events.map(encode)].reduce((n, { length }) => n + length, 0);
    return sum + Math.max(0, this.unread() - this.events.length * HEADER);
  }

  /** What is real and has come behind what is ready may be the same as the last of that: it is read, to find out. */
  private gather(): void {
    const [fd] = this.fds;
    if (fd === undefined || this.ready.length === 0 || this.unread() <= this.events.length * HEADER) return;
    const buffer = Buffer.alloc(BUFFER);
    while (this.unread() > 0) {
      const n = native.call(c.SYS_read, fd, buffer, buffer.length);
      if (n <= 0) break;
      this.take(buffer.subarray(0, n));
    }
    this.ringAnew(undefined);
  }

  /** Reads into a buffer; waits where the descriptor does. The bytes, or -errno. */
  read(call: Call, into: Uint8Array): number {
    while (this.ready.length === 0 || this.unread() > 0) {
      const buffer = Buffer.alloc(BUFFER);
      const n = below(call, 'read', call.msg.args[0], buffer, buffer.length);
      if (n < 0) {
        if (this.ready.length === 0) return n;
        break;
      }
      this.take(buffer.subarray(0, n));
    }
    let used = 0;
    while (this.ready.length > 0) {
      const [next] = this.ready as [Buffer];
      if (used + next.length > into.length) break;
      into.set(next, used);
      used += next.length;
      this.ready.shift();
    }
    if (this.ready.length > 0 && this.bell >= 0) this.ringAnew(undefined); // it has more to read
    return used === 0 ? -c.EINVAL : used;
  }

  /** Events of the kernel's, with those of memory in the place of the bell's. */
  private take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const end = at + HEADER + bytes.readUInt32LE(at + 12);
      const watch = bytes.readInt32LE(at);
      if (watch === this.bellWatch) {
        const event = this.events.shift();
        if (event !== undefined) this.queue(encode(event));
      } else {
        this.queue(Buffer.from(bytes.subarray(at, end)));
        if ((bytes.readUInt32LE(at + 4) & c.IN_Q_OVERFLOW) !== 0) this.events = [];
      }
      at = end;
    }
  }

  /** One that is the same as the one before, which nobody has read yet, is not told again. The kernel does not look at cookies there. */
  private queue(event: Buffer): void {
    if (!this.isRepeated(event)) this.ready.push(event);
  }

  /** Whether it is the same as the last one that is ready. */
  private isRepeated(event: Buffer): boolean {
    const last = this.ready.at(-1);
    return (
      last !== undefined &&
      event.compare(last, 0, COOKIE, 0, COOKIE) === 0 &&
      event.subarray(COOKIE + 4).equals(last.subarray(COOKIE + 4))
    );
  }

  /** Whether nothing has happened since the last one that is ready. */
  private nothingSince(): boolean {
    const { events } = this;
    return events.every((event) => event === undefined) && this.unread() === events.length * HEADER;
  }

  /** Its last descriptor is closed. */
  close(): void {
    for (const watch of this.watches.values()) watch.drop();
    this.watches.clear();
    this.events = [];
    this.ready = [];
    if (this.bell >= 0) nodeFs.closeSync(this.bell);
    this.bell = -1;
  }
}
