/**
 * caller.ts: who makes the calls of which the other files here say what is expected of shims before them: userthreads of this process (here), or a program under a supervisor
 * (@libcr/posix-compat's test/before-programs). What is expected is written once; each package's tests give it their way.
 *
 * What can't be the same is asked of the way: a program has another pid, its buffers are copies, and the one way to end its call is to end it.
 */
import { create, type UserThread, wait } from '@libcr/core';
import { type Shim, sys } from '../../src/index.ts';

/** Something that makes system calls, under shims. */
export interface Caller {
  /** Its process. */
  readonly pid: number;
  /** A userthread whose `sys.…` are its calls. */
  create<R>(fn: () => R): UserThread<R>;
  inside<R>(fn: () => R): R;
  /** More shims, on top, for as long as they are wanted. */
  shim(...shims: Shim[]): Disposable;
  /** Makes td, whose call waits, end: nothing else can be asked of a program's afterwards. */
  interrupt(td: UserThread<unknown>): void;
  /** Blocks; what it has changed of its working directory and its umask counts no more. */
  end(): void;
}

export interface Way {
  /** Whether a program makes the calls, which is a process of its own. */
  readonly isProgram: boolean;
  /** On a userthread. */
  begin(shims: readonly Shim[]): Caller;
}

/** fn's calls under these shims. Blocks; on a userthread. */
export function under<R>(way: Way, shims: Shim | readonly Shim[], fn: () => R): R {
  const caller = way.begin(Array.isArray(shims) ? shims : [shims as Shim]);
  try {
    return caller.inside(fn);
  } finally {
    caller.end();
  }
}

/** Blocks until it is so: something that another thread or process does. */
export function until(isSo: () => boolean): void {
  while (!isSo()) wait(new Promise((resolve) => setTimeout(resolve, 1)));
}

/** Userthreads of this process make the calls. */
export const here: Way = {
  isProgram: false,
  begin(shims) {
    const port = sys.with(...shims);
    const folder = process.cwd(); // Node remembers it from here on
    const umask = process.umask();
    const begin = <R>(fn: () => R): UserThread<R> => create(fn, { syscallPort: port }) as UserThread<R>;
    return {
      pid: process.pid,
      create: begin,
      inside: <R>(fn: () => R): R => begin(fn).join() as R,
      shim: (...more) => port.shim(...more),
      interrupt: (td) => td.abort(),
      end() {
        sys.chdir(folder);
        process.umask(umask);
      },
    };
  },
};
