/**
 * calls.ts: the calls of programs as an async iterator, in the order in which they have come back: the outermost shim hands them on.
 *
 * Invariant: at most CALLS_MAX wait to be read; the program's threads wait for whoever reads them.
 */
import { curthread, type UserThread } from '@libcr/core';
import { blockUntil, wake } from '@libcr/core/internal';
import { viewBytes } from '../codec/bytes.ts';
import type { CallName } from '../generated/rows.ts';
import type { Shim } from '../port/shim.ts';
import { ProgramThread } from './program-thread.ts';

/** A system call that a program has made. */
export interface ProgramCall {
  pid: number;
  /** The path of what the process runs. */
  program: string;
  tid: number;
  /** "openat" */
  name: CallName;
  /** Numbers, paths, copies of buffers, arrays of such, null: as a message has them, after the call. */
  args: readonly unknown[];
  /** What the program gets: >= 0, or -errno. 0 for a call that does not come back (exit). */
  reply: number;
}

const CALLS_MAX = 1024;

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return ArrayBuffer.isView(value) ? Buffer.from(viewBytes(value)) : value;
}

export class Calls implements AsyncIterableIterator<ProgramCall> {
  readonly shim: Shim = {
    name: 'calls',
    on: 'all',
    shim: (next) => (msg) => {
      const reply = next(msg);
      const { td } = msg;
      if (!this.over && td instanceof ProgramThread)
        this.add({
          pid: td.pid,
          program: td.program,
          tid: td.tid,
          name: msg.name,
          args: msg.args.filter((value) => value !== undefined).map(copy),
          reply,
        });
      return reply;
    },
  };
  private readonly list: ProgramCall[] = [];
  private readonly readers: ((result: IteratorResult<ProgramCall>) => void)[] = [];
  private readonly waiters = new Set<UserThread>();
  private readonly remove: () => void;
  private over = false;

  /** remove: takes the shim off. */
  constructor(put: (shim: Shim) => () => void) {
    this.remove = put(this.shim);
  }

  private add(call: ProgramCall): void {
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: call });
      return;
    }
    this.list.push(call);
    if (this.list.length < CALLS_MAX) return;
    const td = curthread();
    this.waiters.add(td);
    try {
      blockUntil("a reader of the program's calls", () => this.list.length < CALLS_MAX || this.over);
    } finally {
      this.waiters.delete(td);
    }
  }

  next(): Promise<IteratorResult<ProgramCall>> {
    const value = this.list.shift();
    if (value !== undefined) {
      for (const td of this.waiters) wake(td);
      return Promise.resolve({ done: false, value });
    }
    if (this.over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.readers.push(resolve));
  }

  /** Nobody reads on: the program goes on without. */
  return(): Promise<IteratorResult<ProgramCall>> {
    this.remove();
    this.list.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** No more calls come. */
  end(): void {
    this.over = true;
    for (const reader of this.readers.splice(0)) reader({ done: true, value: undefined });
    for (const td of this.waiters) wake(td);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
