/**
 * msgport.ts: ports, where messages go. A port queues what is sent to it until its owner takes it; another putport makes it answer in the
 * sender's context, or refuse. Semantics: DragonFly's thread port, and with `shared` its spin port.
 *
 * Invariants:
 *  - Only the owner takes from a port: the thread named at creation, else the first that takes. `shared`: any thread.
 *  - Requests and replies share the queue, in the order of their arrival; msg.state tells them apart ('held' or 'done' once taken).
 *  - The queue is a list through the messages themselves (LWKT's TAILQ): one leaves the middle as cheaply as
 *    the head.
 */

import { CodedError, invalidType, wouldBlock } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import { mayBlock } from '../explore/exploring.ts';
import { native } from '../node/native.ts';
import { blockUntil, checkWaitOptions, curthread, thread0, wake } from '../thread/block.ts';
import { describe, UserThread, type WaitOptions } from '../thread/userthread.ts';
import { checkMsg, type Msg, type MsgState } from './msg.ts';
import { listPort } from './port-list.ts';

/** A putport's answer: the reply will come later. */
export const EASYNC: unique symbol = Symbol('EASYNC');

export interface MsgPortOptions<T = unknown, R = unknown> {
  /** The thread that takes from it; absent: the first that does. */
  owner?: UserThread | undefined;
  /** Any thread may take from it; each message goes to one. */
  shared?: boolean | undefined;
  /**
   * Instead of queueing: runs in the sender's context. Its value is the result, what it throws is the error; EASYNC: it has kept the message and
   * will call replymsg or forwardmsg.
   */
  putport?: ((msg: Msg<T, R>) => R | typeof EASYNC) | undefined;
}

type Taker = (msg: Msg | undefined) => void;

/** Where a port is that belongs to another rfork. (src/rfork/) */
export interface PortHome {
  /** The other rfork's id. */
  readonly rfork: number;
  /** Sends the message there. What it throws, it throws at the sender, and nothing has happened then. */
  put(msg: Msg): void;
  close(): void;
}

// V8's structured clone asks about host objects: that is how a port travels in a message to another rfork.
const HostObject: new () => object = native.HostObject;

/**
 * A place to send messages to. In a message it goes to other rforks, where it takes messages for this one; only here can they be taken
 * from it.
 */
export class MsgPort<T = unknown, R = unknown> extends HostObject {
  readonly name: string;
  /** @internal Set once, right after the construction. */
  home: PortHome | undefined;
  /** @internal Its number for other rforks, once it has one; it keeps it. (src/rfork/ports.ts) */
  number = 0;
  /** @internal That number while others may have it, else 0. */
  exportedAs = 0;
  #owner: UserThread | undefined;
  readonly #shared: boolean;
  readonly #putport: ((msg: Msg<T, R>) => R | typeof EASYNC) | undefined;
  #head: Msg | undefined;
  #tail: Msg | undefined;
  #length = 0;
  #sleepers: UserThread[] = [];
  #takers: Taker[] = [];
  #closed = false;
  #listed = false;

  constructor(name = 'port', options: MsgPortOptions<T, R> = {}) {
    super();
    if (typeof name !== 'string') throw invalidType('name', 'of type string', name);
    if (typeof options !== 'object' || options === null)
      throw invalidType('options', 'of type object', options);
    if (options.owner !== undefined && !(options.owner instanceof UserThread))
      throw invalidType('options.owner', 'an instance of UserThread', options.owner);
    if (options.shared !== undefined && typeof options.shared !== 'boolean')
      throw invalidType('options.shared', 'of type boolean', options.shared);
    if (options.putport !== undefined && typeof options.putport !== 'function')
      throw invalidType('options.putport', 'of type function', options.putport);
    this.name = name;
    this.#owner = options.owner;
    this.#shared = options.shared === true;
    this.#putport = options.putport;
  }

  /** Who takes from it; undefined for a shared port and for one nobody has taken from. */
  get owner(): UserThread | undefined {
    return this.#shared ? undefined : this.#owner;
  }

  /** Messages queued now. */
  get length(): number {
    return this.#length;
  }

  /** @internal Who waits for a message. */
  get waiting(): number {
    return this.#sleepers.length + this.#takers.length;
  }

  /** @internal Closed, with nothing left to take. */
  get over(): boolean {
    return this.#closed && this.#length === 0;
  }

  /**
   * Sends without waiting. The reply arrives on msg.replyPort (default: the sender's own port), even if the port answers on the spot.
   * Throws ERR_LWKT_MSG_BUSY where the message is under way and ERR_LWKT_PORT_CLOSED. (lwkt_sendmsg)
   */
  sendmsg(msg: Msg<T, R>): void {
    checkMsg(msg);
    this.#checkOpen();
    const before = msg.status;
    msg.begin(this as MsgPort, false);
    this.#send(msg, before);
  }

  /**
   * Sends and waits for the reply: returns msg.result, throws msg.error. Blocks only if the port does not answer on the spot. Throws
   * ERR_LWKT_WOULD_BLOCK on thread0 where it would have to wait (send, and await msg.finished there), ERR_LWKT_DEADLOCK for one's own port. If the
   * wait is aborted or times out the message is aborted too; its reply is then nobody's. (lwkt_domsg)
   */
  domsg(msg: Msg<T, R>, options?: WaitOptions): R {
    checkMsg(msg);
    if (options !== undefined) checkWaitOptions(options);
    this.#checkOpen();
    const me = curthread();
    if (this.#putport === undefined) {
      if (me === thread0) throw wouldBlock('domsg()');
      if (me === this.owner)
        throw new CodedError(
          'ERR_LWKT_DEADLOCK',
          `userthread ${describe(me)} cannot wait for its own port to answer`,
        );
    }
    mayBlock(`domsg() to port "${this.name}"`);
    const before = msg.status;
    msg.begin(this as MsgPort, true);
    this.#send(msg, before);
    if (!isDone(msg)) {
      if (me === thread0) throw wouldBlock('domsg()');
      try {
        blockUntil('domsg', () => isDone(msg), options);
      } catch (error) {
        msg.waiter = undefined;
        if (!isDone(msg)) msg.abortmsg(error);
        throw error;
      }
    }
    msg.waiter = undefined;
    if (msg.error !== undefined) throw msg.error;
    return msg.result as R;
  }

  /** @internal Sends as domsg() does, for the running thread, which is woken by the answer, and does not wait. */
  post(msg: Msg<T, R>): void {
    this.#checkOpen();
    const before = msg.status;
    msg.begin(this as MsgPort, true);
    this.#send(msg, before);
  }

  /** Passes on a message that was taken from another port; the reply goes to the first sender. (lwkt_forwardmsg) */
  forwardmsg(msg: Msg<T, R>): void {
    checkMsg(msg);
    this.#checkOpen();
    if (msg.state !== 'held')
      throw new CodedError(
        'ERR_LWKT_MSG_DONE',
        `forwardmsg() of a message that one does not hold (${msg.state})`,
      );
    msg.target = this as MsgPort;
    this.#put(msg);
  }

  /** @internal A message that another rfork has sent, held by nobody yet. */
  receive(msg: Msg<T, R>): void {
    msg.target = this as MsgPort;
    if (this.#closed) msg.complete(this.#closedError(), undefined);
    else this.#put(msg);
  }

  /** The next message, or undefined. Never blocks; throws ERR_LWKT_NOT_OWNER on another thread's port. (lwkt_getport) */
  getport(): Msg<T, R> | undefined {
    this.#claim();
    return this.#take();
  }

  /** The next message; blocks until there is one. ERR_LWKT_PORT_CLOSED once the port is closed and empty. (lwkt_waitport) */
  waitport(options?: WaitOptions): Msg<T, R> {
    const msg = this.#next(options);
    if (msg === undefined) throw this.#closedError();
    return msg;
  }

  #next(options?: WaitOptions): Msg<T, R> | undefined {
    if (options !== undefined) checkWaitOptions(options);
    mayBlock(`port "${this.name}"`);
    this.#claim();
    let msg = this.#take();
    if (msg !== undefined || this.#closed) return msg;
    const me = curthread();
    if (me === thread0) throw wouldBlock('waitport()');
    this.#sleepers.push(me);
    me.waitingOn = this as MsgPort;
    try {
      blockUntil(
        `port "${this.name}"`,
        () => {
          msg = this.#take();
          return msg !== undefined || this.#closed;
        },
        options,
      );
    } finally {
      me.waitingOn = undefined;
      const at = this.#sleepers.indexOf(me);
      if (at >= 0) this.#sleepers.splice(at, 1);
      // A message may have come for us while we gave up: whoever else sleeps here must look.
      if (this.#length > 0) this.#wakeOne();
    }
    return msg;
  }

  /** On a userthread: each message in turn, waiting for it; ends when the port is closed. */
  *[Symbol.iterator](): Generator<Msg<T, R>, void, undefined> {
    for (;;) {
      const msg = this.#next();
      if (msg === undefined) return;
      yield msg;
    }
  }

  /** On the event loop: the same with `for await`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Msg<T, R>, void, undefined> {
    for (;;) {
      this.#claim();
      let msg = this.#take();
      this.#list();
      if (msg === undefined && !this.#closed)
        msg = (await new Promise<Msg | undefined>((resolve) => this.#takers.push(resolve))) as
          | Msg<T, R>
          | undefined;
      if (msg === undefined) return;
      yield msg;
    }
  }

  /** No more messages: queued requests come back with ERR_LWKT_PORT_CLOSED, waiters' iterations end. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.home?.close();
    for (let msg = this.#take(); msg !== undefined; msg = this.#take())
      if (msg.status === 'held') msg.complete(this.#closedError(), undefined);
    for (const taker of this.#takers.splice(0)) taker(undefined);
    for (const td of this.#sleepers) wake(td);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Whether a message to it does no more than to join the queue and to wake a userthread. */
  get queues(): boolean {
    return (
      this.#putport === undefined && this.home === undefined && !this.#closed && this.#takers.length === 0
    );
  }

  /** @internal */
  enqueue(msg: Msg<T, R>): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taken(msg as Msg);
      taker(msg as Msg);
      return;
    }
    const last = this.#tail;
    this.#tail = msg as Msg;
    if (last === undefined) this.#head = msg as Msg;
    else {
      last.next = msg as Msg;
      msg.previous = last;
    }
    this.#length++;
    if (this.#sleepers.length === 0) this.#list();
    this.#wakeOne();
  }

  /** For who looks: from now on it is found, also while no thread waits at it. */
  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    if (this.#owner?.ownPort !== (this as MsgPort)) listPort(this as MsgPort);
  }

  /** @internal Takes a certain message, which must be in it, out of the queue. */
  unqueue(msg: Msg<T, R>): void {
    const { previous, next } = msg;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    // or a message that somebody keeps would keep all that came after it
    msg.previous = undefined;
    msg.next = undefined;
    this.#length--;
    taken(msg as Msg);
  }

  #send(msg: Msg<T, R>, before: MsgState): void {
    if (this.home === undefined) {
      this.#put(msg);
      return;
    }
    try {
      this.home.put(msg as Msg);
    } catch (error) {
      msg.status = before;
      msg.waiter = undefined;
      throw error;
    }
  }

  #put(msg: Msg<T, R>): void {
    if (this.home !== undefined) {
      this.home.put(msg as Msg);
      return;
    }
    if (this.#putport === undefined) {
      msg.status = 'queued';
      this.enqueue(msg);
      return;
    }
    let answer: R | typeof EASYNC;
    try {
      answer = this.#putport(msg);
    } catch (error) {
      if (msg.status === 'held') msg.complete(error, undefined);
      return;
    }
    if (answer !== EASYNC && msg.status === 'held') msg.complete(undefined, answer);
  }

  #take(): Msg<T, R> | undefined {
    const msg = this.#head as Msg<T, R> | undefined;
    if (msg !== undefined) this.unqueue(msg);
    return msg;
  }

  #wakeOne(): void {
    const td = this.#sleepers[0];
    if (td === undefined) return;
    if (this.#sleepers.length > 1) {
      // it goes to the end, so that several messages wake several sleepers
      this.#sleepers.shift();
      this.#sleepers.push(td);
    }
    wake(td);
  }

  /** The running thread becomes the owner, or must be it. */
  #claim(): void {
    if (this.home !== undefined)
      throw new CodedError(
        'ERR_LWKT_NOT_OWNER',
        `port "${this.name}" is rfork ${this.home.rfork}'s: only there can messages be taken from it`,
      );
    if (this.#shared) return;
    const me = curthread();
    if (this.#owner === me) return;
    if (this.#owner !== undefined && this.#owner.state !== 'finished')
      throw new CodedError(
        'ERR_LWKT_NOT_OWNER',
        `port "${this.name}" belongs to userthread ${describe(this.#owner)}: only that one may take from it ` +
          '(a port made with { shared: true } serves all)',
      );
    this.#owner = me;
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  #closedError(): Error {
    return new CodedError('ERR_LWKT_PORT_CLOSED', `port "${this.name}" is closed`);
  }

  override toString(): string {
    const where = this.home === undefined ? `${this.#length} queued` : `of rfork ${this.home.rfork}`;
    return `MsgPort "${this.name}"${this.#closed ? ' closed' : ''} ${where}`;
  }
}

inspectAsString(MsgPort);

function isDone(msg: { status: string }): boolean {
  return msg.status === 'done';
}

/** A message leaves a queue: a request is the receiver's now, a reply its sender's. */
function taken(msg: Msg): void {
  msg.status = msg.status === 'replied' ? 'done' : 'held';
}
