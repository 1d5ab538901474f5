/**
 * program-thread.ts: a thread of a program, as messages have it in td: who makes the call. It runs elsewhere; the userthread that runs the shims for it is curthread().
 *
 * Invariant: abort() ends what the shims do for its present call, and nothing else.
 */
import { UserThread } from '@libcr/core';
import { invalidType } from '@libcr/core/internal';
import type { Asking } from './asking.ts';
import type { Process } from './processes.ts';

/** Its constructor is core's own affair. */
const Base: new (id: number, name: string, main: undefined, priority: number) => UserThread =
  UserThread as never;

export class ProgramThread extends Base {
  /** The thread's number in its process: what gettid() says there. */
  readonly tid: number;
  /** @internal */ readonly process: Process;
  /** @internal The call that it has asked about last; undefined where that is over. */ asking:
    | Asking
    | undefined;

  /** @internal Its name as it lies in slots: decoded when it changes. */ nameWords: readonly number[] = [];

  /** @internal */
  constructor(process: Process, tid: number, name: string) {
    super(tid, name, undefined, 0);
    this.tid = tid;
    this.process = process;
  }

  /** The process, as this process' kernel numbers it. */
  get pid(): number {
    return this.process.pid;
  }

  /** The path of what the process runs. */
  get program(): string {
    return this.process.program;
  }

  /** @internal PR_SET_NAME. */
  rename(name: string): void {
    (this as { name: string }).name = name;
  }

  /** Ends the shims' work for its present call, as UserThread.abort() does; the call fails with EINTR, or is made again after a signal's handler. */
  override abort(reason?: unknown): void {
    this.asking?.interrupt(reason);
  }

  /** A program's threads are ended by signals only: throws TypeError. */
  override terminate(): void {
    throw invalidType('this', "a userthread of this process, and no program's thread", this);
  }
}
