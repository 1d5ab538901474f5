/**
 * lock.ts: what tokens and serializers have in common: a home rfork with a queue, threads of all rforks that hold it, and the messages by
 * which they ask. What the two differ in is in token.ts and serializer.ts.
 *
 * A thread asks for all that it wants in the order of their homes and numbers, which is the same on all rforks, after it has let go of all that
 * may be let go of: so two threads never wait for each other.
 *
 * Invariants:
 *  - A hold in td.holds has a ticket exactly while its thread has the lock; the inner ones of a thread that holds it twice have none.
 *  - What another rfork's thread holds is let go of when that rfork ends.
 */

import { CodedError, invalidType, wouldBlock } from '../errors/errors.ts';
import { mayBlock } from '../explore/exploring.ts';
import { Msg } from '../msg/msg.ts';
import { EASYNC, MsgPort } from '../msg/msgport.ts';
import { native } from '../node/native.ts';
import { whenEnded } from '../rfork/messages.ts';
import { numberOf } from '../rfork/ports.ts';
import { self } from '../rfork/self.ts';
import {
  blockUninterruptibly,
  blockUntil,
  checkWaitOptions,
  curthread,
  thread0,
  wake,
} from '../thread/block.ts';
import { describe, type UserThread, type WaitOptions } from '../thread/userthread.ts';
import { type Ticket, TicketQueue } from './queue.ts';

/** What is sent home. get: the answer comes when the lock is the sender's. try: true or false at once. */
interface Request {
  op: 'get' | 'try' | 'release';
  rfork: number;
  /** The sender's number for it. */
  id: number;
  shared: boolean;
}

/** At home: the ticket of a thread of another rfork. */
class RemoteTicket implements Ticket {
  readonly shared: boolean;
  msg: Msg<Request, boolean> | undefined;

  constructor(msg: Msg<Request, boolean>) {
    this.shared = msg.data.shared;
    this.msg = msg;
  }

  granted(): void {
    const { msg } = this;
    this.msg = undefined;
    msg?.replymsg(undefined, true);
  }
}

let lastId = 0;

/** One who has a lock here: a way to let go of it. */
export interface Grant {
  release(): void;
}

/** One holding of a token or a serializer by a thread; get() and enter() return it. */
export class Hold {
  /** @internal */ readonly lock: Lock;
  /** @internal */ readonly shared: boolean;
  /** @internal */ readonly thread: UserThread;
  /** @internal */ grant: Grant | undefined;
  /** @internal Whether the same thread holds it already, further out. */ readonly inner: boolean;

  /** @internal */
  constructor(lock: Lock, shared: boolean, thread: UserThread, inner: boolean) {
    this.lock = lock;
    this.shared = shared;
    this.thread = thread;
    this.inner = inner;
  }

  /**
   * Lets go. The thread that took it must do it, of what it took last first; throws ERR_LWKT_NOT_OWNER otherwise. A thread that ends lets go of
   * all. (lwkt_reltoken, lwkt_serialize_exit)
   */
  release(): void {
    const me = curthread();
    const holds = me.holds;
    if (holds?.at(-1) !== this)
      throw new CodedError(
        'ERR_LWKT_NOT_OWNER',
        holds?.includes(this)
          ? `${holds.at(-1)?.lock.label} was taken after this hold of ${this.lock.label}: let go of that first`
          : `userthread ${describe(me)} does not hold ${this.lock.label}`,
      );
    holds.pop();
    if (holds.length === 0) me.holds = undefined;
    this.grant?.release();
    this.grant = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** At home, all that threads of other rforks have or want, by their number for it. */
type Visitors = Map<number, RemoteTicket>;

// V8's structured clone asks about host objects: that is how a lock travels in a message to another rfork.
const HostObject: new () => object = native.HostObject;

/** The base of Token and Serializer. */
export abstract class Lock extends HostObject {
  readonly name: string;
  /** @internal Where it is asked for; of another rfork's, a proxy. */
  readonly port: MsgPort<Request, boolean>;
  /** At home only. */
  readonly #queue: TicketQueue | undefined;
  readonly #visitors = new Map<number, Visitors>();

  /** @internal Set while one of another rfork's is made. */
  static #elsewhere: MsgPort | undefined;

  /** @internal What make() makes is asked for at this port, which is another rfork's. */
  static withPort<T extends Lock>(port: MsgPort, make: () => T): T {
    Lock.#elsewhere = port;
    try {
      return make();
    } finally {
      Lock.#elsewhere = undefined;
    }
  }

  constructor(name: string) {
    super();
    if (typeof name !== 'string') throw invalidType('name', 'of type string', name);
    this.name = name;
    if (Lock.#elsewhere !== undefined) {
      this.port = Lock.#elsewhere as MsgPort<Request, boolean>;
      return;
    }
    this.#queue = new TicketQueue();
    this.port = new MsgPort<Request, boolean>(name, { putport: (msg) => this.#serve(msg) });
  }

  /** @internal What it is, for errors and wait reasons: a class' name may be another after bundling. */
  abstract get kind(): string;

  /** @internal Whether its holder lets go of it while it is blocked. */
  abstract get letsGo(): boolean;

  #serve(msg: Msg<Request, boolean>): boolean | typeof EASYNC {
    const { op, rfork, id, shared } = msg.data;
    const queue = this.#queue as TicketQueue;
    const visitors = this.#visitorsOf(rfork);
    if (op === 'release') {
      const ticket = visitors.get(id);
      visitors.delete(id);
      if (ticket !== undefined) queue.leave(ticket);
      return true;
    }
    if (op === 'try' && !queue.free(shared)) return false;
    const ticket = new RemoteTicket(msg);
    visitors.set(id, ticket);
    msg.signal.addEventListener('abort', () => {
      if (ticket.msg === undefined) return; // it has been granted: the sender returns it
      ticket.msg = undefined;
      visitors.delete(id);
      queue.leave(ticket);
      msg.replymsg(new CodedError('ERR_LWKT_DEADLOCK', 'no longer wanted'));
    });
    queue.enter(ticket);
    return EASYNC;
  }

  #visitorsOf(rfork: number): Visitors {
    let visitors = this.#visitors.get(rfork);
    if (visitors === undefined) {
      visitors = new Map();
      this.#visitors.set(rfork, visitors);
      whenEnded(rfork, () => {
        const orphans = this.#visitors.get(rfork);
        this.#visitors.delete(rfork);
        for (const ticket of orphans?.values() ?? []) {
          ticket.msg = undefined;
          this.#queue?.leave(ticket);
        }
      });
    }
    return visitors;
  }

  /** @internal Asks for it and waits; td.holds has nothing that could be let go of meanwhile. */
  acquire(shared: boolean, wait: (reason: string, ready: () => boolean) => void): Grant {
    return this.#queue === undefined
      ? this.#acquireThere(shared, wait)
      : this.#acquireHere(this.#queue, shared, wait);
  }

  #acquireHere(
    queue: TicketQueue,
    shared: boolean,
    wait: (reason: string, ready: () => boolean) => void,
  ): Grant {
    const me = curthread();
    let got = false;
    const ticket: Ticket = {
      shared,
      granted: () => {
        got = true;
        wake(me);
      },
    };
    queue.enter(ticket);
    try {
      wait(this.label, () => got);
    } catch (error) {
      queue.leave(ticket);
      throw error;
    }
    return { release: () => queue.leave(ticket) };
  }

  #acquireThere(shared: boolean, wait: (reason: string, ready: () => boolean) => void): Grant {
    const id = ++lastId;
    const msg = new Msg<Request, boolean>({ op: 'get', rfork: self.id, id, shared });
    const grant = { release: () => this.#releaseThere(id) };
    this.port.post(msg);
    try {
      wait(this.label, () => msg.state === 'done');
    } catch (error) {
      msg.finished.then(grant.release, () => {}); // if it was on its way to us already
      msg.abortmsg(error);
      throw error;
    }
    if (msg.error !== undefined) throw msg.error;
    return grant;
  }

  #releaseThere(id: number): void {
    try {
      this.port.post(new Msg<Request, boolean>({ op: 'release', rfork: self.id, id, shared: false }));
    } catch {
      // its home has ended, and the lock with it
    }
  }

  /** @internal Takes it if that needs no waiting for other holders. */
  tryAcquire(shared: boolean): Grant | undefined {
    const queue = this.#queue;
    if (queue !== undefined)
      return queue.free(shared) ? this.#acquireHere(queue, shared, () => {}) : undefined;
    const id = ++lastId;
    const msg = new Msg<Request, boolean>({ op: 'try', rfork: self.id, id, shared });
    this.port.post(msg);
    blockUninterruptibly(this.label, () => msg.state === 'done');
    if (msg.error !== undefined) throw msg.error;
    return msg.result ? { release: () => this.#releaseThere(id) } : undefined;
  }

  /** @internal The hold of the running thread that is furthest out; undefined if it has none. */
  protected heldBy(td: UserThread): Hold | undefined {
    return td.holds?.find((hold) => hold.lock === this);
  }

  /** @internal The rfork that keeps it. */
  get homeId(): number {
    return this.port.home?.rfork ?? self.id;
  }

  /** @internal For errors and wait reasons. */
  get label(): string {
    return `${this.kind.toLowerCase()} "${this.name}"`;
  }

  override toString(): string {
    const queue = this.#queue;
    const where =
      queue === undefined ? `of rfork ${this.homeId}` : `${queue.holders} in, ${queue.waiting} waiting`;
    return `${this.kind} "${this.name}" ${where}`;
  }
}

/** The running userthread, which is about to take something; thread0 may not. */
export function taker(what: string): UserThread {
  const me = curthread();
  if (me === thread0) throw wouldBlock(what);
  return me;
}

/** Before td blocks: lets go of what its holder lets go of. Returns what is to be had again, which is then out of td.holds' way. */
export function letGo(td: UserThread): Hold[] | undefined {
  const { holds } = td;
  if (holds === undefined || !holds.some(({ lock }) => lock.letsGo)) return undefined;
  for (const hold of holds)
    if (hold.lock.letsGo) {
      hold.grant?.release();
      hold.grant = undefined;
    }
  td.holds = undefined;
  return holds;
}

/**
 * td runs again, and goes on when it has all that it held: in order, so that nobody waits for each other. Uninterruptible. Throws
 * ERR_LWKT_RFORK_ENDED where one is gone with its home; the others are held then.
 */
export function regain(td: UserThread, holds: Hold[]): void {
  let lost: { error: unknown } | undefined;
  for (const hold of inOrder(holds)) {
    try {
      hold.grant = hold.lock.acquire(hold.shared, blockUninterruptibly);
    } catch (error) {
      lost ??= { error };
    }
  }
  td.holds = holds;
  if (lost !== undefined) throw lost.error;
}

/** What must be asked for, in the order in which everybody asks, on all rforks. */
function inOrder(holds: Hold[]): Hold[] {
  return holds
    .filter(({ lock, inner, grant }) => lock.letsGo && !inner && grant === undefined)
    .sort((a, b) => a.lock.homeId - b.lock.homeId || numberOf(a.lock.port) - numberOf(b.lock.port));
}

/** The running thread has one more, the last taken. */
export function push(hold: Hold): void {
  hold.thread.holds = [...(hold.thread.holds ?? []), hold];
}

/** The running thread takes one more. Blocks. */
export function take(hold: Hold, options: WaitOptions | undefined): void {
  if (options !== undefined) checkWaitOptions(options);
  const me = hold.thread;
  mayBlock(hold.lock.label);
  if (hold.inner) {
    push(hold);
    return;
  }
  const quick = hold.lock.port.home === undefined ? hold.lock.tryAcquire(hold.shared) : undefined;
  if (quick !== undefined) {
    hold.grant = quick;
    push(hold);
    return;
  }
  const wait = (reason: string, ready: () => boolean): void => blockUntil(reason, ready, options);
  if (!hold.lock.letsGo) {
    hold.grant = hold.lock.acquire(hold.shared, wait); // suspend() lets go of the tokens meanwhile
    push(hold);
    return;
  }
  const rest = letGo(me) ?? me.holds ?? [];
  me.holds = undefined;
  try {
    for (const each of inOrder([...rest, hold])) each.grant = each.lock.acquire(each.shared, wait);
  } catch (error) {
    hold.grant?.release();
    hold.grant = undefined;
    if (rest.length > 0) regain(me, rest);
    throw error;
  }
  me.holds = [...rest, hold];
}

/** A thread has ended. */
export function dropAll(td: UserThread): void {
  const { holds } = td;
  td.holds = undefined;
  for (const hold of holds ?? []) hold.grant?.release();
}
