/**
 * locks.ts: locks on files in memory, as far as this process goes, which alone can see them. (fcntl(2), flock(2))
 *
 * The process' locks (F_SETLK) never stand in its own way; those of open file descriptions (F_OFD_SETLK, flock) do.
 *
 * Invariant: the locks of one owner on a file do not overlap. A description's lock goes when its last descriptor is closed, the process' when
 * any descriptor of the file is.
 */
import { curthread } from '@libcr/core';
import { blockUntil, thread0, wake, wouldBlock } from '@libcr/core/internal';
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, pass } from '../call.ts';
import type { Inode } from '../inodes/inode.ts';
import type { OpenFile } from './open-file.ts';

/** struct flock of x86-64. */
const FLOCK_SIZE = 32;
/** l_pid of a lock that is an open file description's. */
const NO_PID = -1;

/** Whose a lock is: a description's, or the process'. */
type Owner = OpenFile | 'process';

interface Lock {
  owner: Owner;
  exclusive: boolean;
  from: number;
  /** Not included; Infinity to the end, wherever that is. */
  to: number;
}

/** An inode's locks of one kind, and who waits for one of them. */
class Locks {
  private held: Lock[] = [];
  private readonly waiting = new Set<() => void>();

  conflict({ owner, exclusive, from, to }: Lock): Lock | undefined {
    this.prune();
    return this.held.find(
      (lock) => lock.owner !== owner && (lock.exclusive || exclusive) && lock.from < to && from < lock.to,
    );
  }

  /** A lock of the owner itself in a range, which Linux 6.6 and newer tell, asked for F_UNLCK. */
  own({ owner, from, to }: Lock): Lock | undefined {
    return this.held.find((lock) => lock.owner === owner && lock.from < to && from < lock.to);
  }

  /** Gives the owner this lock instead of what it had in its range; undefined instead of a lock only takes. */
  replace(owner: Owner, from: number, to: number, lock?: Lock): void {
    const kept: Lock[] = [];
    let whole = lock; // with what it touches of the same kind, as the kernel makes one lock of these
    for (const old of this.held) {
      if (
        whole !== undefined &&
        old.owner === owner &&
        old.exclusive === whole.exclusive &&
        from <= old.to &&
        old.from <= to
      ) {
        whole = { ...whole, from: Math.min(whole.from, old.from), to: Math.max(whole.to, old.to) };
        continue;
      }
      if (old.owner !== owner || old.to <= from || to <= old.from) {
        kept.push(old);
        continue;
      }
      if (old.from < from) kept.push({ ...old, to: from });
      if (to < old.to) kept.push({ ...old, from: to });
    }
    if (whole !== undefined) kept.push(whole);
    this.held = kept;
    for (const notify of [...this.waiting]) notify();
  }

  /** Blocks until nothing is in the way. */
  wait(lock: Lock, what: string): void {
    const td = curthread();
    if (td === thread0) throw wouldBlock(what);
    const notify = (): void => wake(td);
    this.waiting.add(notify);
    try {
      blockUntil(what, () => this.conflict(lock) === undefined);
    } finally {
      this.waiting.delete(notify);
    }
  }

  /** A description has been closed. */
  released(): void {
    for (const notify of [...this.waiting]) notify();
  }

  private prune(): void {
    const isOver = ({ owner }: Lock): boolean => owner !== 'process' && owner.descriptors === 0;
    if (this.held.some(isOver)) this.held = this.held.filter((lock) => !isOver(lock));
  }
}

const ofRanges = new WeakMap<Inode, Locks>();
const ofFiles = new WeakMap<Inode, Locks>();

function locksOf(map: WeakMap<Inode, Locks>, inode: Inode): Locks {
  let locks = map.get(inode);
  if (locks === undefined) {
    locks = new Locks();
    map.set(inode, locks);
  }
  return locks;
}

/** A descriptor has been closed: the process' locks go, and whoever waits looks again. */
export function releaseLocks({ inode }: OpenFile): void {
  ofRanges.get(inode)?.replace('process', 0, Infinity);
  ofFiles.get(inode)?.released();
}

export function isLockCommand(command: number): boolean {
  return (
    (command >= c.F_GETLK && command <= c.F_SETLKW) || (command >= c.F_OFD_GETLK && command <= c.F_OFD_SETLKW)
  );
}

/** Where a range begins and ends, or -errno. */
function rangeOf(view: DataView, file: OpenFile): [from: number, to: number] | number {
  const whence = view.getInt16(2, true);
  if (whence < c.SEEK_SET || whence > c.SEEK_END) return -c.EINVAL;
  const bases = [0, file.position, file.inode.size];
  const start = (bases[whence] as number) + Number(view.getBigInt64(8, true));
  const length = Number(view.getBigInt64(16, true));
  const [from, to] = length < 0 ? [start + length, start] : [start, length === 0 ? Infinity : start + length];
  return from < 0 ? -c.EINVAL : [from, to];
}

/** fcntl's commands with a struct flock. Blocks where they say so. */
export function fileLock(call: Call, file: OpenFile, command: number, argument: unknown): number {
  const struct = bytesOf(argument, FLOCK_SIZE);
  if (struct === undefined) return pass(call);
  const view = new DataView(struct.buffer, struct.byteOffset, FLOCK_SIZE);
  const type = view.getInt16(0, true);
  const range = rangeOf(view, file);
  if (typeof range === 'number') return range;
  const [from, to] = range;
  const asks = command === c.F_GETLK || command === c.F_OFD_GETLK;
  const ofDescription = command >= c.F_OFD_GETLK;
  if (type !== c.F_RDLCK && type !== c.F_WRLCK && (type !== c.F_UNLCK || command === c.F_GETLK))
    return -c.EINVAL;
  if (ofDescription && view.getInt32(24, true) !== 0) return -c.EINVAL;
  if (!asks && ((type === c.F_RDLCK && !file.readable) || (type === c.F_WRLCK && !file.writable)))
    return -c.EBADF;
  const locks = locksOf(ofRanges, file.inode);
  const owner = ofDescription ? file : 'process';
  const lock: Lock = { owner, exclusive: type === c.F_WRLCK, from, to };
  if (asks) return answer(view, type === c.F_UNLCK ? locks.own(lock) : locks.conflict(lock));
  if (type !== c.F_UNLCK && locks.conflict(lock) !== undefined) {
    if (command !== c.F_OFD_SETLKW && command !== c.F_SETLKW) return -c.EAGAIN;
    locks.wait(lock, 'fcntl()');
  }
  locks.replace(owner, from, to, type === c.F_UNLCK ? undefined : lock);
  return 0;
}

function answer(view: DataView, lock: Lock | undefined): number {
  if (lock === undefined) {
    view.setInt16(0, c.F_UNLCK, true);
    return 0;
  }
  view.setInt16(0, lock.exclusive ? c.F_WRLCK : c.F_RDLCK, true);
  view.setInt16(2, c.SEEK_SET, true);
  view.setBigInt64(8, BigInt(lock.from), true);
  view.setBigInt64(16, lock.to === Infinity ? 0n : BigInt(lock.to - lock.from), true);
  view.setInt32(24, lock.owner === 'process' ? process.pid : NO_PID, true);
  return 0;
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** flock: the whole file, for a description. */
export function wholeLock(file: OpenFile, operation: number): number {
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -c.EINVAL;
  if (kind !== LOCK_UN && !file.readable && !file.writable) return -c.EBADF;
  const locks = locksOf(ofFiles, file.inode);
  const lock: Lock = { owner: file, exclusive: kind === LOCK_EX, from: 0, to: Infinity };
  if (kind === LOCK_UN) {
    locks.replace(file, 0, Infinity);
    return 0;
  }
  if (locks.conflict(lock) !== undefined) {
    if ((operation & LOCK_NB) !== 0) return -c.EAGAIN;
    locks.replace(file, 0, Infinity); // a lock that is to become another one is given up first
    locks.wait(lock, 'flock()');
  }
  locks.replace(file, 0, Infinity, lock);
  return 0;
}
