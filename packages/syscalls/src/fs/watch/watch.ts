/**
 * watch.ts: fs.watch and fs.promises.watch, on inotify(7): what happens to a file, or to the entries of a directory, or of a whole tree of them.
 *
 * A daemon userthread reads the events, and listeners are called on the event loop, in ticks of their own.
 *
 * Not here: watchFile, which looks at a path again and again (watch-file.ts).
 *
 * Invariant: the descriptor is the watcher's from its constructor to close(), and after that nobody reads it: its number may be somebody else's.
 */
import { EventEmitter } from 'node:events';
import { basename, join } from 'node:path';
import { create, curthread } from '@libcr/core';
import { abortError, CodedError, isError } from '@libcr/core/internal';
import { decodeInotifyEvents, type InotifyEvent } from '../../codec/file/inotify.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { nextTick } from '../../loop.ts';
import { send } from '../../port/send.ts';
import { through } from '../../port/syscall-port.ts';
import { forgetBackground, setBackground } from '../../port/waits/background.ts';
import { type CheckedPath, checkPath, encoded } from '../arguments/arguments.ts';
import { scan } from '../directories.ts';
import { checkQueue, checkStrictly, checkWatchOptions, type WatchOptions } from './watch-options.ts';

const CHANGE = c.IN_ATTRIB | c.IN_MODIFY;
const RENAME =
  c.IN_CREATE | c.IN_DELETE | c.IN_DELETE_SELF | c.IN_MOVE_SELF | c.IN_MOVED_FROM | c.IN_MOVED_TO;
const BUFFER_BYTES = 16_384;

/** Emits 'change' (eventType, filename), 'error' and 'close'. eventType is 'rename' where an entry comes or goes, else 'change'. */
export class FSWatcher extends EventEmitter {
  readonly #fd: number;
  readonly #filename: CheckedPath;
  readonly #path: Buffer;
  readonly #options: WatchOptions;
  /** Of each watch, what its directory is called from the watched one on; '' for that itself. */
  readonly #watched = new Map<number, string>();
  #closed = false;
  /** There is nothing to watch, and no descriptor. */
  #missing = false;
  /** Of where it was made. Its thread has it, too. */
  readonly #port: unknown = curthread().syscallPort;

  constructor(path: CheckedPath, options: WatchOptions) {
    super();
    this.#filename = path;
    this.#path = Buffer.from(path);
    this.#options = options;
    this.#fd = send(c.SYS_inotify_init1, c.IN_CLOEXEC);
    if (this.#fd < 0) throw this.#failure(this.#fd);
    const watch = this.#watch('');
    if (watch < 0) {
      send(c.SYS_close, this.#fd);
      if (watch !== -c.ENOENT || options.throwIfNoEntry) throw this.#failure(watch);
      this.#missing = true;
      return;
    }
    if (options.recursive) this.#descend('', () => {});
    setBackground(this.#fd, !options.persistent);
    create(() => this.#read(), { name: 'fs.watch', daemon: true });
  }

  #failure(reply: number): Error {
    return Object.assign(failure(reply, 'watch', this.#filename || undefined), { filename: this.#filename });
  }

  #at(below: string): Buffer {
    return below === '' ? this.#path : Buffer.concat([this.#path, Buffer.from(`/${below}`, 'latin1')]);
  }

  #watch(below: string): number {
    const mask = CHANGE | RENAME | (below === '' ? 0 : c.IN_ONLYDIR | c.IN_DONT_FOLLOW);
    const watch = send(c.SYS_inotify_add_watch, this.#fd, this.#at(below), mask);
    if (watch >= 0) this.#watched.set(watch, below);
    return watch;
  }

  /** Watches the directories below one that is watched. What it finds it tells. */
  #descend(below: string, found: (below: string) => void): void {
    let list: ReturnType<typeof scan>;
    try {
      list = scan(this.#at(below));
    } catch {
      return; // a file, or gone again
    }
    for (const { name, type } of list) {
      const next = join(below, (name as Buffer).toString('latin1'));
      if (this.#ignores(next)) continue;
      found(next);
      const directory = type === c.DT_DIR || type === c.DT_UNKNOWN;
      if (directory && this.#watch(next) >= 0) this.#descend(next, found);
    }
  }

  /** What is below is no longer there. */
  #leave(below: string): void {
    for (const [watch, path] of this.#watched) {
      if (path !== below && !path.startsWith(`${below}/`)) continue;
      this.#watched.delete(watch);
      send(c.SYS_inotify_rm_watch, this.#fd, watch);
    }
  }

  #read(): void {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    while (!this.#closed) {
      const n = send(c.SYS_read, this.#fd, buffer, buffer.length);
      if (this.#closed) return;
      if (n < 0) {
        const error = this.#failure(n);
        this.close();
        nextTick(() => this.emit('error', error));
        return;
      }
      for (const event of decodeInotifyEvents(buffer, n, 'buffer')) this.#happened(event);
    }
  }

  #happened({ watch, mask, name }: InotifyEvent<Buffer>): void {
    const directory = this.#watched.get(watch);
    if (directory === undefined) return; // given up meanwhile, or the queue was full
    if (mask & c.IN_IGNORED) this.#watched.delete(watch);
    const type = mask & ~CHANGE ? 'rename' : 'change';
    if (name.length === 0) {
      if (directory === '') this.#tell(type, Buffer.from(basename(this.#path.toString('latin1')), 'latin1'));
      return; // of directories further down the one above tells
    }
    const below = join(directory, name.toString('latin1'));
    if (this.#ignores(below)) return;
    this.#tell(type, Buffer.from(below, 'latin1'));
    if (!this.#options.recursive || (mask & c.IN_ISDIR) === 0) return;
    if (mask & (c.IN_MOVED_FROM | c.IN_DELETE)) this.#leave(below);
    // What was made in it before it was watched is found, and told.
    else if (mask & (c.IN_CREATE | c.IN_MOVED_TO) && this.#watch(below) >= 0)
      this.#descend(below, (found) => this.#tell('rename', Buffer.from(found, 'latin1')));
  }

  /** name: as latin1. */
  #ignores(name: string): boolean {
    return this.#options.ignores(Buffer.from(name, 'latin1').toString());
  }

  #tell(type: 'rename' | 'change', name: Buffer): void {
    nextTick(() => {
      if (!this.#closed) this.emit('change', type, encoded(name, this.#options.encoding));
    });
  }

  /** No event comes any more; 'close' does, once. Harmless when it is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#missing) {
      forgetBackground(this.#fd);
      through(this.#port, () => send(c.SYS_close, this.#fd)); // ends the read that waits
    }
    nextTick(() => this.emit('close'));
  }

  /** The program stays alive for it, as it does unless it was made with `persistent: false`. */
  ref(): this {
    if (!this.#closed && !this.#missing) setBackground(this.#fd, false);
    return this;
  }

  /** The program need not stay alive for it. */
  unref(): this {
    if (!this.#closed && !this.#missing) setBackground(this.#fd, true);
    return this;
  }
}

/** As node:fs' watch. Does not block. Throws what inotify_add_watch(2) fails with, as of a call "watch". */
export function watch(filename: unknown, options?: unknown, listener?: unknown): FSWatcher {
  const told = typeof options === 'function' ? options : listener;
  const checked = checkWatchOptions(options);
  const path = checkPath(filename);
  const watcher = new FSWatcher(path, checked);
  try {
    if (told) watcher.on('change', told as () => void);
  } catch (error) {
    watcher.close();
    throw error;
  }
  const { signal } = checked;
  if (signal?.aborted) nextTick(() => watcher.close());
  else if (signal !== undefined) {
    const close = (): void => watcher.close();
    signal.addEventListener('abort', close, { once: true });
    watcher.once('close', () => signal.removeEventListener('abort', close));
  }
  return watcher;
}

interface Event {
  eventType: 'rename' | 'change';
  filename: string | Buffer | null;
}

async function* watchEvents(filename: unknown, options: unknown, port: unknown): AsyncGenerator<Event, void> {
  const { signal, ...rest } = checkStrictly(options);
  const { maxQueue, overflow } = checkQueue(options);
  const path = checkPath(filename);
  if (signal?.aborted) throw abortError(signal.reason);
  const queue: (Event | Error)[] = [];
  let tell = (): void => {};
  const watcher = through(port, () => new FSWatcher(path, { ...rest, signal: undefined }));
  const abort = (): void => {
    watcher.close();
    tell();
  };
  signal?.addEventListener('abort', abort, { once: true });
  watcher.on('error', (error: Error) => {
    queue.push(error);
    tell();
  });
  watcher.on('change', (eventType: Event['eventType'], name: Event['filename']) => {
    if (queue.length < maxQueue) queue.push({ eventType, filename: name });
    else if (overflow === 'error')
      queue.splice(
        0,
        Infinity,
        new CodedError('ERR_FS_WATCH_QUEUE_OVERFLOW', `fs.watch() queued more than ${maxQueue} events`),
      );
    else process.emitWarning('fs.watch maxQueue exceeded');
    tell();
  });
  try {
    for (;;) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        if (isError(item)) throw item;
        yield item;
      }
      if (signal?.aborted) throw abortError(signal.reason);
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    }
  } finally {
    watcher.close();
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * As node:fs/promises' watch: it begins with the first next(), and ends with the loop, or with an AbortError. `maxQueue` events (2048) are kept for who does
 * not ask yet; more are lost, with a warning, or with `overflow: 'error'` end it with ERR_FS_WATCH_QUEUE_OVERFLOW.
 */
export function watchAsync(filename: unknown, options?: unknown): AsyncGenerator<Event, void> {
  return watchEvents(filename, options, curthread().syscallPort);
}
