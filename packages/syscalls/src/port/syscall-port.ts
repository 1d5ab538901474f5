/**
 * syscall-port.ts: where a userthread's system calls go: a port with shims on it, over another port, over the kernel.
 *
 * A port's levels are its own shims, outermost first, then its parent's. While a shim runs, its thread's port is the one below that shim: so
 * its own system calls go to the next level and never back to the top.
 *
 * Invariant: wants[number] is 1 exactly where some level, here or in a parent, wants the call; it is brought up to date by refresh()
 * whenever epoch has moved.
 */
import { channel } from 'node:diagnostics_channel';
import { curthread, type UserThread } from '@libcr/core';
import { invalidType, isAbortOf } from '@libcr/core/internal';
import { RESULT_MIN } from './answers.ts';
import { CALL_COUNT } from './calls.ts';
import { bottom } from './send.ts';
import { checkShim, type Shim, wantsOf } from './shim.ts';
import type { SysMsg } from './sysmsg.ts';

export type Args = readonly unknown[];

const EIO = 5;
const shimErrors = channel('libcr:syscalls:shim-error');

/** What the bottom has thrown: bad arguments, an abort, "would block". That is the caller's affair and passes through shims. */
const fromBelow = new WeakSet<object>();

/** For a shim that throws on purpose: its error is the caller's, too. */
export function passThrough<E extends Error>(error: E): E {
  fromBelow.add(error);
  return error;
}

/** Moves with every change of any port's shims. */
let epoch = 0;

/** A shim that is installed on a port. */
class Level {
  readonly shim: Shim;
  readonly wants: Uint8Array;
  /** The port below, for the shim's own calls. Set by its port. */
  below: SyscallPort | undefined;
  private readonly handler: (msg: SysMsg) => number;

  constructor(shim: Shim) {
    this.shim = shim;
    this.wants = wantsOf(shim);
    this.handler = shim.shim((msg) => (this.below as SyscallPort).dispatch(msg));
    if (typeof this.handler !== 'function')
      throw invalidType(`shim "${shim.name}"(next)`, 'of type function', this.handler);
  }

  run(msg: SysMsg): number {
    const td = curthread();
    const before = td.syscallPort;
    td.syscallPort = this.below;
    try {
      const reply = this.handler(msg);
      if (Number.isInteger(reply) && reply >= RESULT_MIN) return reply; // positions in directories have 63 bits
      return this.failed(
        msg,
        new TypeError(`shim "${this.shim.name}" replied ${String(reply)} to ${msg.name}`),
      );
    } catch (error) {
      if (fromBelow.has(error as object) || isAbortOf(td, error)) throw error;
      return this.failed(msg, error);
    } finally {
      td.syscallPort = before;
    }
  }

  private failed(message: SysMsg, error: unknown): number {
    shimErrors.publish({ shim: this.shim.name, message, error });
    return -EIO;
  }
}

/** Takes a shim off again; also at the end of a `using` block. */
export interface ShimGuard {
  /** Calls that are under way finish as they began. Harmless when it is off already. */
  remove(): void;
  [Symbol.dispose](): void;
}

export class SyscallPort {
  /** Shown in lists. */
  readonly name: string;
  /** @internal */ readonly parent: SyscallPort | undefined;
  /** @internal */ wants: Uint8Array = new Uint8Array(CALL_COUNT);
  /** @internal */ seen = -1;
  private levels: readonly Level[] = [];

  /** @internal */
  constructor(name: string, parent: SyscallPort | undefined, levels: readonly Level[] = []) {
    this.name = name;
    this.parent = parent;
    this.setLevels(levels);
  }

  /**
   * Puts shims on top of what is there: the first listed sees a message first. Does not block. Throws TypeError for what is no shim, and
   * installs none of them then.
   */
  shim(...shims: Shim[]): ShimGuard {
    for (const shim of shims) checkShim(shim);
    const added = shims.map((shim) => new Level(shim));
    this.setLevels([...added, ...this.levels]);
    const remove = (): void => {
      this.setLevels(this.levels.filter((level) => !added.includes(level)));
    };
    return { remove, [Symbol.dispose]: remove };
  }

  /** A port of its own, with these shims over this port: for create()'s syscallPort. */
  with(...shims: Shim[]): SyscallPort {
    const port = new SyscallPort(shims.map((shim) => shim?.name).join('+'), this);
    port.shim(...shims);
    return port;
  }

  /** The names of its own shims, the outermost first. */
  get shims(): string[] {
    return this.levels.map(({ shim }) => shim.name);
  }

  /** @internal The message through the levels that want it. */
  dispatch(msg: SysMsg): number {
    const { levels } = this;
    for (let i = 0; i < levels.length; i++) {
      const level = levels[i] as Level;
      if (level.wants[msg.number] === 1) return level.run(msg);
    }
    if (this.parent !== undefined) return this.parent.dispatch(msg);
    try {
      return this.kernel(msg);
    } catch (error) {
      fromBelow.add(error as object);
      throw error;
    }
  }

  /** @internal What is below all levels. */
  protected kernel(msg: SysMsg): number {
    return bottom(msg.number, msg.args);
  }

  /** @internal The shim whose own calls go to that port, which is one of this one's lower parts. */
  shimAbove(below: unknown): string | undefined {
    return this.levels.find((level) => level.below === below)?.shim.name ?? this.parent?.shimAbove(below);
  }

  /** @internal */
  refresh(): void {
    this.wants = this.wantedCalls();
    this.seen = epoch;
  }

  /** @internal Which calls some level wants: 1 or 0 by number. */
  protected wantedCalls(): Uint8Array {
    const wants = new Uint8Array(CALL_COUNT);
    for (let port: SyscallPort | undefined = this; port !== undefined; port = port.parent)
      for (const level of port.levels)
        for (let i = 0; i < CALL_COUNT; i++) if (level.wants[i] === 1) wants[i] = 1;
    return wants;
  }

  private setLevels(levels: readonly Level[]): void {
    this.levels = levels;
    levels.forEach((level, i) => {
      level.below = i === levels.length - 1 ? this.rest([]) : this.rest(levels.slice(i + 1));
    });
    epoch++;
  }

  /** This port without its upper levels. */
  private rest(levels: readonly Level[]): SyscallPort {
    const port = Object.create(Object.getPrototypeOf(this)) as SyscallPort;
    return Object.assign(port, { name: this.name, parent: this.parent, levels, seen: -1, wants: NO_WANTS });
  }
}

const NO_WANTS = new Uint8Array(CALL_COUNT);

/** The program's port: every userthread that has none of its own sends its system calls here. */
export const syscallPort: SyscallPort = new SyscallPort('program', undefined);

/** A userthread's port, up to date. Throws TypeError where it was given something that is none. */
export function portOf(td: UserThread): SyscallPort {
  const port = (td.syscallPort ?? syscallPort) as SyscallPort;
  if (port.seen !== epoch) {
    if (!(port instanceof SyscallPort))
      throw invalidType('syscallPort', 'a SyscallPort, as of sys.with()', port);
    port.refresh();
  }
  return port;
}

/**
 * Runs fn with the running userthread's calls going to a port, as a userthread has it in syscallPort (undefined: the program's). What is deferred (streams,
 * handles, watchers) makes its calls through the port of where it was made, whoever goes on with it. fn must not be asynchronous but in what it returns.
 */
export function through<R>(port: unknown, fn: () => R): R {
  const td = curthread();
  const before = td.syscallPort;
  if (before === port) return fn();
  td.syscallPort = port;
  try {
    return fn();
  } finally {
    td.syscallPort = before;
  }
}
