/**
 * processes.ts: the processes that run under a supervisor, from their first word to their end, and their threads.
 *
 * Invariant: a process is known from its first event on until its pidfd has told of its end; one whose pid is used again is another.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { SLOT } from '../generated/channel.ts';
import type { Asking } from './asking.ts';
import { ProgramThread } from './program-thread.ts';
import type { Slots } from './slots.ts';

/** A program makes as many threads as it likes, one after the other, and nobody tells of their ends. */
const THREADS_MAX = 4096;

export class Process {
  /** Its own number, which no other process has had. (sl_process) */
  readonly number: number;
  /** -1: it is in another namespace of pids. */
  readonly pid: number;
  /** Who has made it, where that is known. */
  readonly parent: number | undefined;
  /** The path of what it runs. */
  program: string;
  /** Its calls that shims are busy with. */
  readonly askings: Set<Asking> = new Set();
  private readonly threads = new Map<number, ProgramThread>();

  constructor(number: number, pid: number, program: string, parent: number | undefined) {
    this.number = number;
    this.pid = pid;
    this.program = program;
    this.parent = parent;
  }

  /** Who has posted the slot that begins there. */
  thread(slots: Slots, at: number): ProgramThread {
    const tid = slots.word(at + SLOT.tid);
    let thread = this.threads.get(tid);
    if (thread === undefined) {
      thread = new ProgramThread(this, tid, '');
      if (this.threads.size >= THREADS_MAX) this.forgetSome();
      this.threads.set(tid, thread);
    }
    if (!slots.isNamed(at, thread.nameWords)) {
      thread.nameWords = slots.nameWords(at);
      thread.rename(slots.name(at));
    }
    return thread;
  }

  /** The oldest that make no call. */
  private forgetSome(): void {
    for (const [tid, { asking }] of this.threads) {
      if (asking === undefined) this.threads.delete(tid);
      if (this.threads.size < THREADS_MAX / 2) return;
    }
  }

  /** It runs another program: one thread, with its number. */
  becomes(program: string): void {
    this.program = program;
    this.threads.clear();
  }
}

/** What a process runs, as the kernel says; "" where it does not. */
export function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Whether a process makes no calls any more, whether somebody has waited for it or not. false where that can't be known. */
export function hasEnded(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
  } catch (error) {
    return (
      (error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH'
    );
  }
}
