/**
 * named-semaphore.ts: semaphores with a name, which C programs have, too: files in /dev/shm, in glibc's format.
 *
 * Invariants:
 *  - While somebody waits here, and only then, the native half watches the value (or has just told of it).
 *  - A file gets its name when all is in it: nobody opens half a semaphore.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { curthread } from '@libcr/core';
import {
  native as core,
  inspectAsString,
  invalidType,
  isDaemon,
  systemError,
  thread0,
  throwIfAborted,
} from '@libcr/core/internal';
import { CLOCK_REALTIME, type Clock, type Deadline, Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import { checkBoolean, checkInteger, SEM_VALUE_MAX } from '../options.ts';
import { Futex, LATE } from '../wait/futex.ts';
import { loadNative, type Mapped, type SemaphoreNative } from './native.ts';

export interface OpenOptions {
  /** Makes it if there is none. (O_CREAT) */
  create?: boolean | undefined;
  /** With `create`: EEXIST if there is one. (O_EXCL) */
  exclusive?: boolean | undefined;
  /** Of one that is made: who may use it, less the process' umask; 0o600 if absent. */
  mode?: number | undefined;
  /** Of one that is made: 0 to 2^31-1, 0 if absent. */
  value?: number | undefined;
}

const FOLDER = '/dev/shm';
const NAME_MAX = 255;
const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

const SIZE = 32;

/** glibc's sem_t: the value, the number of waiters, and that it is not for one process alone. */
function format(value: number): Buffer {
  const bytes = Buffer.alloc(SIZE);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32LE(128, 8);
  return bytes;
}

function pathOf(name: unknown, what: string): string {
  if (typeof name !== 'string') throw invalidType('name', 'of type string', name);
  const plain = name.replace(/^\/+/, '');
  if (plain === '' || plain.includes('/') || plain.includes('\0')) throw posixError('EINVAL', what);
  const file = `sem.${plain}`;
  if (Buffer.byteLength(file) > NAME_MAX) throw posixError('ENAMETOOLONG', what);
  return `${FOLDER}/${file}`;
}

/** What the file system says, as the C function would have answered it. */
function asked<R>(what: string, fn: () => R): R {
  try {
    return fn();
  } catch (error) {
    const { errno } = error as { errno?: number };
    throw errno === undefined ? error : systemError(-errno, what);
  }
}

function isCode(error: unknown, code: string): boolean {
  const { errno } = error as { errno?: number };
  return errno !== undefined && getSystemErrorName(errno) === code;
}

/** A descriptor of a new one that has that name now. */
function make(path: string, value: number, mode: number): number {
  const temporary = `${FOLDER}/sem.new-${process.pid}-${randomBytes(9).toString('base64url')}`;
  const fd = openSync(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    writeSync(fd, format(value));
    linkSync(temporary, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function openFile(
  path: string,
  { create = false, exclusive = false, mode = 0o600, value = 0 }: OpenOptions,
): number {
  for (;;) {
    if (!(create && exclusive)) {
      try {
        return openSync(path, O_RDWR | O_NOFOLLOW);
      } catch (error) {
        if (!create || !isCode(error, 'ENOENT')) throw error;
      }
    }
    try {
      return make(path, value, mode);
    } catch (error) {
      if (exclusive || !isCode(error, 'EEXIST')) throw error; // else another one was sooner
    }
  }
}

function checkOptions(options: OpenOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { create, exclusive, mode, value } = options;
  if (create !== undefined) checkBoolean('options.create', create);
  if (exclusive !== undefined) checkBoolean('options.exclusive', exclusive);
  if (mode !== undefined) checkInteger('options.mode', mode, 0, 0o777);
  if (value !== undefined) checkInteger('options.value', value, 0, SEM_VALUE_MAX);
}

/** A semaphore with a name: of all programs on this machine that open it, in C or here. (sem_open) */
export class NamedSemaphore {
  readonly name: string;
  readonly #native: SemaphoreNative;
  #mapped: Mapped | undefined;
  /** Who waits here; the word never changes. */
  readonly #futex: Futex = new Futex(new Int32Array(1), 0, 'one', () => this.post());

  /** @internal */
  constructor(name: string, native: SemaphoreNative, mapped: Mapped) {
    this.name = name;
    this.#native = native;
    this.#mapped = mapped;
  }

  #use(what: string): Mapped {
    if (this.#mapped === undefined) throw posixError('EINVAL', what);
    return this.#mapped;
  }

  /** How often it can be taken without waiting. Throws EINVAL where it has been closed, as all do here. (sem_getvalue) */
  get value(): number {
    return this.#native.value(this.#use('sem_getvalue'));
  }

  /**
   * Takes one, and blocks the running userthread while there is none: in order among the threads of this rfork, in none among programs. A cancellation point. Throws
   * ETIMEDOUT and AbortError as options say, ERR_LWKT_WOULD_BLOCK on thread0, EAGAIN where no kernel thread can be had to wait. (sem_wait)
   */
  wait(options?: LockOptions): void {
    this.#wait(options === undefined ? undefined : Limit.of(options), 'sem_wait');
  }

  /** Takes one if there is one; whether it has. (sem_trywait, whose EAGAIN is false here) */
  tryWait(): boolean {
    return this.#native.tryWait(this.#use('sem_trywait'));
  }

  /** wait() until that point in time of CLOCK_REALTIME: ETIMEDOUT. (sem_timedwait) */
  timedWait(deadline: Deadline): void {
    this.#wait(Limit.at(CLOCK_REALTIME, deadline), 'sem_timedwait');
  }

  /** wait() until that clock shows deadline, in milliseconds: ETIMEDOUT. (sem_clockwait) */
  clockWait(clock: Clock, deadline: Deadline): void {
    this.#wait(Limit.at(clock, deadline), 'sem_clockwait');
  }

  #wait(limit: Limit | undefined, name: string): void {
    const mapped = this.#use(name);
    const me = curthread();
    if (me !== thread0) throwIfAborted();
    if (!this.#futex.hasWaiters && this.#native.tryWait(mapped)) return;
    const watches = me !== thread0 && !this.#futex.hasWaiters;
    const errno = watches ? this.#native.watch(mapped, this.#onReady) : 0;
    if (errno !== 0) throw systemError(errno, name);
    const holds = me !== thread0 && !isDaemon(me);
    if (holds) core.hold(true);
    try {
      if (this.#futex.wait(0, `semaphore ${this.name}`, limit) === LATE) throw posixError('ETIMEDOUT', name);
    } finally {
      if (holds) core.hold(false);
      if (me !== thread0 && !this.#futex.hasWaiters) this.#native.unwatch(mapped);
    }
  }

  /** Called by the native half on thread0. */
  readonly #onReady = (): void => {
    const mapped = this.#mapped;
    if (mapped === undefined) return;
    while (this.#futex.hasWaiters && this.#native.tryWait(mapped)) this.#futex.grantNext();
    if (this.#futex.hasWaiters) this.#native.watch(mapped, this.#onReady);
    else this.#native.passOn(mapped);
  };

  /** Gives one: to one that waits, here or in another program. Callable from anywhere. Throws EOVERFLOW. Never blocks. (sem_post) */
  post(): void {
    const errno = this.#native.post(this.#use('sem_post'));
    if (errno !== 0) throw systemError(errno, 'sem_post');
  }

  /** This object is of no use any more; the semaphore stays. Throws EBUSY while a userthread waits at it, EINVAL the second time. (sem_close) */
  close(): void {
    const mapped = this.#use('sem_close');
    if (this.#futex.hasWaiters) throw posixError('EBUSY', 'sem_close');
    this.#mapped = undefined;
    this.#native.close(mapped);
  }

  [Symbol.dispose](): void {
    if (this.#mapped !== undefined) this.close();
  }

  toString(): string {
    return `NamedSemaphore ${this.name} ${this.#mapped === undefined ? 'closed' : this.value}`;
  }
}

inspectAsString(NamedSemaphore);

/**
 * Opens the semaphore of that name, a text without slashes but for one in front. Never blocks. Throws TypeError and RangeError, EINVAL for what can't be a name, EEXIST, ENOENT,
 * EACCES and ENAMETOOLONG, ERR_LIBCR_NATIVE. (sem_open)
 */
export function openSemaphore(name: string, options: OpenOptions = {}): NamedSemaphore {
  const path = pathOf(name, 'sem_open');
  checkOptions(options);
  const native = loadNative();
  const fd = asked('sem_open', () => openFile(path, options));
  try {
    if (fstatSync(fd).size < SIZE) throw posixError('EINVAL', 'sem_open'); // to touch what is not there would be the end of the process
    const mapped = native.map(fd);
    if (typeof mapped === 'number') throw systemError(mapped, 'sem_open');
    return new NamedSemaphore(name, native, mapped);
  } finally {
    closeSync(fd);
  }
}

/** Takes the name away; who has the semaphore open keeps it. Throws ENOENT, EACCES, EINVAL, ENAMETOOLONG. (sem_unlink) */
export function unlinkSemaphore(name: string): void {
  const path = pathOf(name, 'sem_unlink');
  asked('sem_unlink', () => unlinkSync(path));
}
