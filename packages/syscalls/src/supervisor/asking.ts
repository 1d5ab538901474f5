/**
 * asking.ts: a call of a program's that shims are busy with: its slot, who serves it, and how it ends.
 *
 *   the shims run ── next() ──► the lwp makes a call ── EVENT_RETURN ──► the shims run ──► an answer
 *
 * Invariant: the slot is the supervisor's while `out` is false, and the lwp's while it is true; it is answered once, when no shim can touch it any more.
 */
import { curthread, type UserThread } from '@libcr/core';
import {
  abortError,
  blockUninterruptibly,
  blockUntil,
  Interruption,
  interrupt,
  isAbortOf,
  throwIfAborted,
  timeoutError,
  uninterrupt,
  wake,
} from '@libcr/core/internal';
import { COMMAND_CALL, COMMAND_DONE, COMMAND_PASS, SLOT } from '../generated/channel.ts';
import { constants as c } from '../generated/constants.ts';
import { rowOf } from '../port/calls.ts';
import type { Shim } from '../port/shim.ts';
import type { SysMsg } from '../port/sysmsg.ts';
import { BECOMES, CallArguments, NO_RETURN } from './arguments.ts';
import type { Desk } from './desk.ts';
import type { ProgramThread } from './program-thread.ts';

/** What the kernel answers itself where a call is to be made again, or to fail with EINTR, after a signal. */
const ERESTARTSYS = 512;

export class Asking {
  readonly slot: number;
  readonly number: number;
  readonly thread: ProgramThread;
  readonly call: CallArguments;
  /** The userthread that runs the shims. */
  readonly td: UserThread;
  /** Shims that are rows for this call, and for what it makes (rows/). */
  readonly skipped: ReadonlySet<Shim>;
  /** The lwp makes a call for next(). */
  out = false;
  /** When the shims have gone on last, by the clock of performance.now(). */
  since = 0;
  private readonly desk: Desk;
  private readonly at: number;
  /** Whoever waits in next(). */
  private waiter: UserThread | undefined;
  private outNumber = 0;
  private result = 0;
  /** Calls of the shims' own that are under way. */
  own = 0;
  /** The present call, or the last, is what the program has asked for, as it is to be answered: who gives up then does not undo it. */
  private isAnswer = false;
  private outIsOwn = false;
  /** What such a call has answered. */
  private answered: number | undefined;
  /** The shims have been interrupted. */
  private interrupted = false;
  /** The process has ended, or runs another program: nobody waits for an answer. */
  private gone = false;
  /** The lwp is away for good, or another's: it has been told to go on. */
  private left = false;
  /** The shims have answered: nothing is to be interrupted any more. */
  private done = false;
  private interruption: Interruption | undefined;
  /** What the call fails with, if the interruption ends it. */
  private failure = 0;

  constructor(desk: Desk, slot: number, thread: ProgramThread) {
    this.desk = desk;
    this.slot = slot;
    this.at = desk.slots.at(slot);
    this.number = Number(desk.slots.long(this.at + SLOT.number));
    this.thread = thread;
    this.td = curthread();
    this.call = new CallArguments(desk.slots, this.at);
    this.skipped = desk.slots.word(this.at + SLOT.rows) === 0 ? desk.rows.always : desk.rows.skipped;
  }

  /** The call's name. */
  get name(): string {
    return rowOf(this.number)?.name ?? `call ${this.number}`;
  }

  // ---------------------------------------------------------------- next()

  /** The level below all shims: the lwp makes the call. Blocks until that has returned. */
  next(msg: SysMsg): number {
    if (this.gone || this.left) return -c.ESRCH;
    if (this.out) blockUntil('a call of the same thread', () => !this.out); // another userthread of the shim's
    if (NO_RETURN.has(msg.number)) return this.leave(msg);
    const { desk, slot, at } = this;
    this.call.write(msg.number, msg.args);
    if (this.own === 0) this.isAnswer = msg.number === this.number && this.call.isInPlace;
    desk.slots.setWord(at + SLOT.command, COMMAND_CALL);
    this.outNumber = msg.number;
    this.outIsOwn = this.own > 0;
    this.waiter = curthread();
    this.out = true;
    desk.answer(slot);
    desk.lookFor(this);
    if (this.out) blockUntil(`${msg.name ?? msg.number} of process ${this.thread.pid}`, () => !this.out);
    this.waiter = undefined;
    this.since = desk.now();
    if (this.gone && this.result < 0) throwIfAborted();
    if (!this.gone) this.call.read(msg.number, msg.args);
    return this.result;
  }

  /** exit and its like: the lwp goes, and its slot with it. */
  private leave(msg: SysMsg): number {
    this.call.write(msg.number, msg.args);
    this.left = true;
    this.desk.slots.setWord(this.at + SLOT.command, COMMAND_PASS);
    this.desk.answer(this.slot);
    return 0;
  }

  /** EVENT_RETURN. */
  returned(): void {
    if (!this.out) return;
    this.result = Number(this.desk.slots.long(this.at + SLOT.result));
    if (!this.outIsOwn) this.answered = this.isAnswer ? this.result : undefined;
    this.back();
  }

  private back(): void {
    this.out = false;
    if (this.waiter !== undefined && this.waiter !== curthread()) wake(this.waiter);
  }

  // ---------------------------------------------------------------- interruptions

  /** The lwp wants an answer soon: sl_cancel. */
  cancel(): void {
    if (!this.out) this.interruptWith(abortError('a signal for the program'), ERESTARTSYS);
  }

  /** msg.td.abort(). */
  interrupt(reason: unknown): void {
    this.interruptWith(abortError(reason), ERESTARTSYS);
  }

  /** It has taken too long. */
  late(milliseconds: number): void {
    this.interruptWith(timeoutError(`the shims' answer`, milliseconds), c.ETIMEDOUT);
  }

  /** The process has ended; or it runs another program, by a call that next() has made: that one has succeeded. */
  end(becomes: boolean): void {
    this.gone = true;
    if (this.out) {
      const succeeded = becomes && BECOMES.has(this.outNumber);
      this.result = succeeded ? 0 : -c.ESRCH;
      if (!succeeded) this.interruptWith(abortError('the process has ended'), 0);
      this.back();
    } else this.interruptWith(abortError('the process has ended'), 0);
  }

  /** The supervisor closes: the call is made, or ends, without it. */
  detach(): void {
    if (!this.out && !this.left && !this.gone) {
      this.left = true;
      this.desk.slots.setWord(this.at + SLOT.command, COMMAND_PASS);
      this.desk.answer(this.slot);
    }
    this.gone = true;
    this.result = -c.ESRCH;
    this.interruptWith(abortError('the supervisor has been closed'), c.EINTR);
    this.back();
  }

  private interruptWith(error: Error, failure: number): void {
    if (this.done) return; // its userthread goes on to other calls
    if (this.interruption !== undefined) uninterrupt(this.td, this.interruption);
    this.failure = failure;
    this.interruption = new Interruption(() => error);
    interrupt(this.td, this.interruption);
  }

  // ---------------------------------------------------------------- the end

  /** What the shims have thrown as the reply; undefined for an error that is one. */
  replyTo(error: unknown): number | undefined {
    if (this.interruption === undefined || !isAbortOf(this.td, error)) return undefined;
    this.interrupted = true;
    return -this.failure;
  }

  /** The shims are done. May block, where the lwp still makes a call that its shim did not wait for. */
  finish(given: number): void {
    this.done = true;
    if (this.interruption !== undefined) uninterrupt(this.td, this.interruption);
    if (this.out) blockUninterruptibly('a call that a shim has left', () => !this.out);
    if (this.left) return;
    if (this.gone) {
      this.desk.native.release(this.slot);
      return;
    }
    const { slots } = this.desk;
    let reply = given;
    if (this.interrupted && this.answered !== undefined) {
      reply = this.answered;
      this.call.read(this.number, this.call.args);
    }
    this.call.answer(reply);
    slots.setLong(this.at + SLOT.result, reply);
    slots.setWord(this.at + SLOT.command, COMMAND_DONE);
    this.desk.answer(this.slot);
  }
}
