/**
 * watch-file.ts: fs.watchFile and unwatchFile: a path is looked at again and again, and listeners are told where something has become different.
 *
 * Not here: watch, which the kernel tells (watch.ts).
 *
 * Invariant: a watcher is in `watchers` exactly while somebody listens to it, and looks exactly then.
 */
import { EventEmitter } from 'node:events';
import type { BigIntStats, Stats } from 'node:fs';
import { resolve } from 'node:path';
import { create, curthread } from '@libcr/core';
import { invalidType } from '@libcr/core/internal';
import { nextTick } from '../loop.ts';
import { portOf, type SyscallPort } from '../port/syscall-port.ts';
import { checkInteger, checkObject, checkPath } from './arguments.ts';
import { stat } from './paths.ts';
import { STATX_SIZE, statsOf } from './stats.ts';

type AnyStats = Stats | BigIntStats;
type Listener = (now: AnyStats, before: AnyStats) => void;

const INTERVAL = 5007; // node:fs'
const INTERVAL_MAX = 2 ** 31 - 1;

/** What makes a file another one; that somebody has read it does not. */
const COMPARED = ['ctimeMs', 'mtimeMs', 'birthtimeMs', 'size', 'mode', 'uid', 'gid', 'ino', 'dev'] as const;

const isSame = (one: AnyStats, other: AnyStats): boolean =>
  COMPARED.every((name) => one[name] === other[name]);

/** Emits 'change' (now, before). All is 0 in the stats of what is not there. */
export class StatWatcher extends EventEmitter {
  readonly #path: string;
  readonly #bigint: boolean;
  readonly #interval: number;
  /** @internal Of where it was made. */
  readonly port: SyscallPort;
  readonly #nothing: AnyStats;
  #last: AnyStats | undefined;
  #code: unknown;
  #timer: NodeJS.Timeout | undefined;
  #persistent: boolean;
  #stopped = false;

  constructor(
    path: string,
    { bigint, interval, persistent }: { bigint: boolean; interval: number; persistent: boolean },
    port: SyscallPort,
  ) {
    super();
    this.#path = path;
    this.#bigint = bigint;
    this.#interval = interval;
    this.#persistent = persistent;
    this.port = port;
    this.#nothing = statsOf(Buffer.alloc(STATX_SIZE), bigint);
    this.#look();
  }

  async #look(): Promise<void> {
    const look = (): AnyStats => stat(this.#path, { bigint: this.#bigint }).run() as AnyStats;
    let now = this.#nothing;
    let code: unknown;
    try {
      now = (await create(look, { name: 'fs.watchFile', syscallPort: this.port }).finished) as AnyStats;
    } catch (error) {
      code = (error as { code?: unknown }).code ?? 'unknown';
    }
    if (this.#stopped) return;
    const before = this.#last;
    const known = before !== undefined;
    // The first look is what later ones are compared with, but what is missing is told.
    const differs = known ? code !== this.#code || !isSame(now, before) : code !== undefined;
    this.#last = now;
    this.#code = code;
    this.#timer = setTimeout(() => this.#look(), this.#interval);
    if (!this.#persistent) this.#timer.unref();
    if (differs) nextTick(() => !this.#stopped && this.emit('change', now, before ?? this.#nothing));
  }

  /** @internal */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** The program stays alive for it. */
  ref(): this {
    this.#persistent = true;
    this.#timer?.ref();
    return this;
  }

  /** The program need not stay alive for it. */
  unref(): this {
    this.#persistent = false;
    this.#timer?.unref();
    return this;
  }
}

/** Of a path, one for each port that it is looked at through. */
const watchers = new Map<string, StatWatcher[]>();

const keyOf = (filename: unknown): string => resolve(Buffer.from(checkPath(filename, 'filename')).toString());

/** As node:fs' watchFile. Does not block. */
export function watchFile(filename: unknown, options: unknown, listener?: unknown): StatWatcher {
  const path = keyOf(filename);
  const told = typeof options === 'function' ? options : listener;
  const { bigint, interval, persistent } =
    typeof options === 'function' ? checkObject(undefined) : checkObject(options);
  if (typeof told !== 'function') throw invalidType('listener', 'of type function', told);
  const given = {
    bigint: Boolean(bigint), // whatever it is, as in node:fs
    interval: checkInteger(interval ?? INTERVAL, 'options.interval', 0, INTERVAL_MAX),
    persistent: Boolean(persistent ?? true),
  };
  const all = watchers.get(path) ?? [];
  const port = portOf(curthread());
  let watcher = all.find((other) => other.port === port);
  if (watcher === undefined) {
    watcher = new StatWatcher(path, given, port);
    watchers.set(path, [...all, watcher]);
  }
  return watcher.on('change', told as Listener);
}

/** As node:fs' unwatchFile, through whichever ports the path is watched. Harmless where nobody watches. */
export function unwatchFile(filename: unknown, listener?: unknown): void {
  const path = keyOf(filename);
  const left = (watchers.get(path) ?? []).filter((watcher) => {
    if (typeof listener === 'function') watcher.removeListener('change', listener as Listener);
    else watcher.removeAllListeners('change');
    if (watcher.listenerCount('change') > 0) return true;
    watcher.stop();
    return false;
  });
  if (left.length > 0) watchers.set(path, left);
  else watchers.delete(path);
}
