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
import { curthread } from '@libcr/core';
import { invalidType } from '@libcr/core/internal';
import { clearTimeout, nextTick, setTimeout } from '../../loop.ts';
import { portOf, type SyscallPort, through } from '../../port/syscall-port.ts';
import { checkInteger, checkPath } from '../arguments/arguments.ts';
import { stat } from '../arguments/paths.ts';
import { STATX_SIZE, statsOf } from '../stat/stats.ts';

type AnyStats = Stats | BigIntStats;
type Listener = (now: AnyStats, before: AnyStats) => void;

const INTERVAL = 5007; // node:fs'
const INTERVAL_MAX = 2 ** 31 - 1;

/** What makes a file another one; that somebody has read it does not. */
const COMPARED = ['ctimeMs', 'mtimeMs', 'birthtimeMs', 'size', 'mode', 'uid', 'gid', 'ino', 'dev'] as const;

const isSame = (one: AnyStats, other: AnyStats): boolean =>
  COMPARED.every((name) => one[name] === other[name]);

/**
 * Emits 'change' (now, before), and 'stop' when it has been stopped. All is 0 in the stats of what is not there. It looks for the first time when it is made: what
 * happens after that is seen.
 */
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
  /** How many want the program to stay alive for it: at most as many as there are listeners. */
  #holders = 0;
  #listeners = 0;
  readonly #persistent: boolean;
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
    let now = this.#nothing;
    let code: unknown;
    try {
      const looking = through(this.port, () => stat(this.#path, { bigint: this.#bigint }).promise());
      now = (await looking) as AnyStats;
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
    this.#hold();
    if (differs) nextTick(() => !this.#stopped && this.emit('change', now, before ?? this.#nothing));
  }

  #hold(): void {
    if (this.#holders > 0) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** @internal A listener more. */
  add(listener: Listener): this {
    this.#listeners++;
    if (this.#persistent) this.ref();
    return this.on('change', listener);
  }

  /** @internal Listeners fewer. */
  removed(count: number): void {
    this.#listeners -= count;
    this.#holders = Math.min(this.#holders, this.#listeners);
    this.#hold();
  }

  /** It looks no more; 'stop' comes, once. Harmless when it has been stopped. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    forget(this.#path, this);
    nextTick(() => this.emit('stop'));
  }

  /** The program stays alive for it, as it does unless it was made with `persistent: false`. Each undoes one unref(). */
  ref(): this {
    this.#holders = Math.min(this.#holders + 1, this.#listeners);
    this.#hold();
    return this;
  }

  /** The program need not stay alive for it, once each that listens has said so. */
  unref(): this {
    this.#holders = Math.max(this.#holders - 1, 0);
    this.#hold();
    return this;
  }
}

/** Of a path, one for each port that it is looked at through. */
const watchers = new Map<string, StatWatcher[]>();

function forget(path: string, watcher: StatWatcher): void {
  const left = (watchers.get(path) ?? []).filter((other) => other !== watcher);
  if (left.length > 0) watchers.set(path, left);
  else watchers.delete(path);
}

const keyOf = (filename: unknown): string => resolve(Buffer.from(checkPath(filename)).toString());

/** As node:fs' watchFile. Does not block. */
export function watchFile(filename: unknown, options: unknown, listener?: unknown): StatWatcher {
  const path = keyOf(filename);
  const given = typeof options === 'object' && options !== null;
  const told = given ? listener : options;
  if (typeof told !== 'function') throw invalidType('listener', 'of type function', told);
  const { bigint, interval, persistent } = {
    ...{ bigint: false as unknown, interval: INTERVAL as unknown, persistent: true as unknown },
    ...(given ? options : {}),
  };
  const milliseconds = checkInteger(interval, 'interval', 0, 2 ** 32 - 1);
  const port = portOf(curthread());
  const all = watchers.get(path) ?? [];
  let watcher = all.find((other) => other.port === port);
  if (watcher === undefined) {
    const checked = {
      bigint: Boolean(bigint),
      interval: Math.min(milliseconds, INTERVAL_MAX),
      persistent: Boolean(persistent),
    };
    watcher = new StatWatcher(path, checked, port);
    watchers.set(path, [...all, watcher]);
  }
  return watcher.add(told as Listener);
}

/** As node:fs' unwatchFile, through whichever ports the path is watched. Harmless where nobody watches. */
export function unwatchFile(filename: unknown, listener?: unknown): void {
  for (const watcher of watchers.get(keyOf(filename)) ?? []) {
    const before = watcher.listenerCount('change');
    if (typeof listener === 'function') watcher.removeListener('change', listener as Listener);
    else watcher.removeAllListeners('change');
    const after = watcher.listenerCount('change');
    watcher.removed(before - after);
    if (after === 0) watcher.stop();
  }
}
