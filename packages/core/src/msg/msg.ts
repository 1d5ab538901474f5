/**
 * msg.ts: messages between userthreads. What goes to other rforks is in src/rfork/. The protocol is LWKT's (native/src/msg/msg.c has it for C); it is kept in
 * JavaScript because the payload is a JavaScript value and a native object for each message would cost more than the message
 * (docs/decisions/0003-ports-in-javascript.md).
 *
 * Invariants:
 *  - A message has one owner at each moment. idle or done: its sender. queued: the port. held: the receiver.
 *  - Each send is answered by exactly one reply, also after an abort.
 *  - It is in at most one queue: its target's while queued, its reply port's while replied. `previous` and
 *    `next` are its neighbours there, undefined at the ends and outside.
 *
 * msgport.ts and this file import each other: neither uses the other before both are loaded.
 */

import { types } from 'node:util';
import { abortError, CodedError, invalidType } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import { blockUntil, checkWaitOptions, curthread, thread0, wake } from '../thread/block.ts';
import { describe, type UserThread, type WaitOptions } from '../thread/userthread.ts';
import { MsgPort } from './msgport.ts';

/** idle: never sent; queued: on its target; held: with the receiver; replied: on its reply port's queue; done: with its sender again. */
export type MsgState = 'idle' | 'queued' | 'held' | 'replied' | 'done';

/** Elsewhere than on any rfork of this process: another host, say. */
export const ELSEWHERE = -1;

/** Where a message came from that another rfork has sent (src/rfork/), or somebody ELSEWHERE. */
export interface MsgOrigin {
  /** The sender's rfork, and its number for the message. */
  readonly rfork: number;
  readonly id: number;
  /** Sends the answer there. Throws DataCloneError, and then nothing has happened. */
  reply(error: unknown, result: unknown, transfer: readonly ArrayBuffer[] | undefined): void;
}

/** Where a message of ours is that another rfork has (src/rfork/), or somebody ELSEWHERE. */
export interface MsgAway {
  /** Our number for it. */
  readonly id: number;
  /** The rfork, or ELSEWHERE. */
  at: number;
  /** Whether the event loop stays alive for its answer. */
  readonly holds: boolean;
  /** Asks that rfork to finish early. */
  abort(reason: unknown): void;
  /** After so many hops it is with this rfork. */
  moved(at: number, hops: number): void;
}

export interface ReplyOptions {
  /** ArrayBuffers in the answer that move to the sender's rfork instead of being copied; to a sender on this rfork they go as they are. */
  transfer?: readonly ArrayBuffer[] | undefined;
}

export interface MsgOptions {
  /** Where the reply to sendmsg() goes; absent: the sender's own port. */
  replyPort?: MsgPort | undefined;
  /** ArrayBuffers in `data` that move to the receiver's rfork instead of being copied; on this rfork they stay as they are. */
  transfer?: readonly ArrayBuffer[] | undefined;
}

/** A request and, when it comes back, its reply: `data` goes out, `result` or `error` comes in. May be sent again once it is done. */
export class Msg<T = unknown, R = unknown> {
  /** What the sender says. By reference: both sides see the same object. On another rfork: a structured clone. */
  readonly data: T;
  /** What the receiver answered; undefined before, and after an error. */
  result: R | undefined;
  /** What the receiver answered instead: it is thrown at the sender. undefined for success. */
  error: unknown;

  /** @internal */ status: MsgState = 'idle';
  /** @internal */ target: MsgPort | undefined;
  /** @internal */ replyTo: MsgPort | undefined;
  /** @internal */ previous: Msg | undefined;
  /** @internal */ next: Msg | undefined;
  /** @internal The thread that blocks on this very message: its reply is not queued. (MSGF_SYNC) */
  waiter: UserThread | undefined;
  /** @internal */ sync = false;
  /** @internal */ sender: UserThread | undefined;
  /** @internal */ controller: AbortController | undefined;
  /** @internal */ observers: (() => void)[] | undefined;
  /** @internal */ transfer: readonly ArrayBuffer[] | undefined;
  /** @internal Set while another rfork has it. */
  away: MsgAway | undefined;
  /** @internal Set on what another rfork has sent. */
  origin: MsgOrigin | undefined;

  constructor(data: T, options?: MsgOptions) {
    this.data = data;
    if (options !== undefined) {
      this.replyTo = replyPortOf(options);
      this.transfer = checkTransfer('options.transfer', options.transfer);
    }
  }

  /** Where the reply to sendmsg() goes. May be set, but for ERR_LWKT_MSG_BUSY while the reply waits there. */
  get replyPort(): MsgPort | undefined {
    return this.replyTo;
  }

  set replyPort(port: MsgPort | undefined) {
    if (port !== undefined) checkReplyPort('replyPort', port);
    if (this.status === 'replied')
      throw new CodedError(
        'ERR_LWKT_MSG_BUSY',
        'the reply to this message waits on its reply port: take it first',
      );
    this.replyTo = port;
  }

  /** Where the message is. */
  get state(): MsgState {
    return this.status;
  }

  /** For the receiver: aborted when the sender no longer wants the answer (abortmsg). One reply is due all the same. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    return this.controller.signal;
  }

  /** For code on the event loop: the reply as a promise. Rejects with ERR_LWKT_MSG_DONE if the message was never sent. */
  get finished(): Promise<R> {
    return new Promise((resolve, reject) => {
      const settle = (): void => (this.error === undefined ? resolve(this.result as R) : reject(this.error));
      if (this.status === 'done' || this.status === 'replied') settle();
      else if (this.status === 'idle') reject(neverSent());
      else {
        this.observers ??= [];
        this.observers.push(settle);
      }
    });
  }

  /**
   * Waits for this message's reply, whatever else is queued, and takes it off its reply port. Returns the result, throws the error. Only
   * its sender may; on thread0 it throws ERR_LWKT_WOULD_BLOCK unless the reply is there. (lwkt_waitmsg)
   */
  waitmsg(options?: WaitOptions): R {
    if (options !== undefined) checkWaitOptions(options);
    const me = curthread();
    if (this.status === 'idle') throw neverSent();
    if (this.sender !== me && this.status !== 'done')
      throw new CodedError(
        'ERR_LWKT_NOT_OWNER',
        `this message was sent by userthread ${describe(this.sender as UserThread)}: only that one may wait for it`,
      );
    if (this.status !== 'replied' && this.status !== 'done') {
      this.waiter = me;
      try {
        blockUntil('waitmsg', () => this.status === 'replied' || this.status === 'done', options);
      } finally {
        this.waiter = undefined;
      }
    }
    if (this.status === 'replied') this.replyTo?.unqueue(this as Msg);
    this.status = 'done';
    if (this.error !== undefined) throw this.error;
    return this.result as R;
  }

  /**
   * Answers the message: it belongs to its sender again. error (anything but undefined) is thrown at the sender, else it gets result. Callable by
   * whoever holds the message, on any thread of this rfork. Throws ERR_LWKT_MSG_DONE for a second reply; and where the sender is on another
   * rfork, DataCloneError for a result that can't go there: the message is still held then. (lwkt_replymsg)
   */
  replymsg(error?: unknown, result?: R, options?: ReplyOptions): void {
    const transfer = options === undefined ? undefined : checkTransfer('options.transfer', options.transfer);
    if (this.status !== 'held')
      throw new CodedError(
        'ERR_LWKT_MSG_DONE',
        this.status === 'queued'
          ? 'replymsg() to a message that is still queued: take it from its port first'
          : 'replymsg() to a message that nobody waits to have answered: it has its reply, or was never sent',
      );
    if (this.origin === undefined) this.complete(error, result);
    else {
      this.origin.reply(error, result, transfer);
      this.status = 'done';
    }
  }

  /**
   * Tells the target that the answer is no longer wanted. Still queued there: it comes back at once with an AbortError. Taken already:
   * the receiver's msg.signal is aborted, and it answers when it likes. Never loses the message. (lwkt_abortmsg)
   */
  abortmsg(reason?: unknown): void {
    if (this.status === 'queued') {
      this.target?.unqueue(this as Msg);
      this.complete(abortError(reason), undefined);
    } else if (this.status === 'held') {
      if (this.away !== undefined) this.away.abort(reason);
      else this.disown(reason);
    }
  }

  /** @internal Whether its reply does no more than to queue it and to wake userthreads. */
  get quiet(): boolean {
    if (this.origin !== undefined || this.observers !== undefined) return false;
    return this.sync || this.replyTo === undefined || this.replyTo.queues;
  }

  /** @internal Nobody wants the answer any more: tells whoever has it, or gets it. */
  disown(reason: unknown): void {
    this.controller ??= new AbortController();
    this.controller.abort(reason);
  }

  /** @internal Makes it the target's. */
  begin(target: MsgPort, sync: boolean): void {
    if (this.status !== 'idle' && this.status !== 'done')
      throw new CodedError(
        'ERR_LWKT_MSG_BUSY',
        `this message is under way (${this.status}): it can be sent again when it is back`,
      );
    const me = curthread();
    this.status = 'held';
    this.target = target;
    this.sync = sync;
    this.sender = me;
    this.waiter = sync && me !== thread0 ? me : undefined;
    this.result = undefined;
    this.error = undefined;
    this.controller = undefined;
    if (!sync) this.replyTo ??= me.port;
  }

  /** @internal The reply, from wherever it comes. */
  complete(error: unknown, result: R | undefined): void {
    if (this.origin !== undefined) {
      this.status = 'done';
      this.#answerOrigin(this.origin, error, result);
      return;
    }
    this.error = error;
    this.result = error === undefined ? result : undefined;
    if (this.sync || this.replyTo === undefined) this.status = 'done';
    else {
      this.status = 'replied';
      this.replyTo.enqueue(this as Msg);
    }
    if (this.waiter !== undefined) wake(this.waiter);
    if (this.observers !== undefined) {
      const { observers } = this;
      this.observers = undefined;
      for (const observer of observers) observer();
    }
  }

  /** As replymsg, for those who could do nothing about an answer that can't be cloned: the sender gets that error. */
  #answerOrigin(origin: MsgOrigin, error: unknown, result: unknown): void {
    try {
      origin.reply(error, result, undefined);
    } catch (cloneError) {
      origin.reply(cloneError, undefined, undefined);
    }
  }

  toString(): string {
    return `Msg ${this.status}${this.target ? ` ${this.target}` : ''}`;
  }
}

inspectAsString(Msg);

function neverSent(): Error {
  return new CodedError('ERR_LWKT_MSG_DONE', 'this message was never sent');
}

export function checkMsg(msg: unknown): asserts msg is Msg {
  if (!(msg instanceof Msg)) throw invalidType('msg', 'an instance of Msg', msg);
}

export function checkTransfer(name: string, transfer: unknown): readonly ArrayBuffer[] | undefined {
  if (transfer === undefined) return undefined;
  if (!Array.isArray(transfer) || !transfer.every((buffer) => types.isArrayBuffer(buffer)))
    throw invalidType(name, 'an array of ArrayBuffers', transfer);
  return transfer;
}

function replyPortOf(options: MsgOptions): MsgPort | undefined {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { replyPort } = options;
  if (replyPort !== undefined) checkReplyPort('options.replyPort', replyPort);
  return replyPort;
}

function checkReplyPort(name: string, port: unknown): void {
  if (!(port instanceof MsgPort)) throw invalidType(name, 'an instance of MsgPort', port);
}
