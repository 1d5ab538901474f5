/**
 * messages.ts: messages on their way to other rforks and from them. What rforks say to each other is in wire.ts.
 *
 * Invariants:
 *  - A message of ours that another rfork has is in `sent` until its answer comes, or the news that the rfork has ended which had it last. So
 *    each is answered exactly once, whatever ends.
 *  - A message of others that we have is in `held` until it is answered or passed on to another rfork.
 *  - Where a message of ours is, we hear from each that passes it on, and what several rforks send has no order. A message counts its
 *    hops, and of the news the one with the most hops is true.
 */
import { isError } from '../errors/brands.ts';
import { CodedError } from '../errors/errors.ts';
import { Msg, type MsgAway, type MsgOrigin } from '../msg/msg.ts';
import { native } from '../node/native.ts';
import { exportedPort, pin, release } from './ports.ts';
import { orders, self } from './self.ts';
import { checkTransferable } from './transferable.ts';
import * as wire from './wire.ts';

/** Ours that other rforks have, by our number for them: each knows who has it (msg.away). */
const sent = new Map<number, Msg>();
let lastId = 0;
/** How many of them hold the loop. */
let holding = 0;

/** By the sender's rfork, then by its number for the message. */
const held = new Map<number, Map<number, Msg>>();

const onEnd = new Map<number, (() => void)[]>();

/** Kinds of envelopes that others deal with, and who wants to hear of each rfork that has ended: set by them. (src/trace/) */
export const onKind: Map<number, (from: number, value: unknown) => void> = new Map();
export const onEnded: Set<(rfork: number) => void> = new Set();

/**
 * What main has thrown, of rforks that this one has started and whose end has not been told here: Node may tell the Worker's exit before. new
 * Rfork() has it in.
 */
export const failures: Map<number, () => unknown> = new Map();

const ends = new WeakMap<object, number>();

function endedError(rfork: number): Error {
  const cause = failures.get(rfork)?.();
  const error = new CodedError(
    'ERR_LWKT_RFORK_ENDED',
    `rfork ${rfork} has ended`,
    cause === undefined ? undefined : { cause },
  );
  ends.set(error, rfork);
  return error;
}

/** Whether error has been made here because that rfork has ended. What it has thrown itself may be of the same kind, about a third one. */
export function isEndOf(rfork: number, error: unknown): boolean {
  return typeof error === 'object' && error !== null && ends.get(error) === rfork;
}

function finish(id: number, error: unknown, result: unknown): void {
  const msg = sent.get(id);
  if (msg === undefined) return;
  sent.delete(id);
  if (msg.away?.holds && --holding === 0) native.hold(false);
  msg.away = undefined;
  msg.complete(error, result);
}

/** Calls then when that rfork has ended. */
export function whenEnded(rfork: number, then: () => void): void {
  const all = onEnd.get(rfork);
  if (all === undefined) onEnd.set(rfork, [then]);
  else all.push(then);
}

/** A message of ours on its way: who has it, and how to reach it there. */
class Away implements MsgAway {
  readonly id: number;
  /** The rfork that has it. */
  at: number;
  /** How often it had been passed on when it came there. */
  #hops = 0;
  /** Whether the event loop stays alive for its answer. */
  readonly holds: boolean;
  /** Set once it has been aborted: whoever gets it is told. */
  #aborted: { reason: unknown } | undefined;

  constructor(id: number, at: number, holds: boolean) {
    this.id = id;
    this.at = at;
    this.holds = holds;
  }

  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    if (this.at === self.id) this.#abortHere();
    else this.#send(reason);
  }

  /** After so many hops it is with this rfork. */
  moved(at: number, hops: number): void {
    if (hops <= this.#hops) return; // it has been heard of from farther on
    this.at = at;
    this.#hops = hops;
    if (at === self.id) this.#abortHere();
    else if (ended.has(at)) finish(this.id, endedError(at), undefined);
    else if (this.#aborted !== undefined) this.#send(this.#aborted.reason);
  }

  #abortHere(): void {
    if (this.#aborted !== undefined) held.get(self.id)?.get(this.id)?.abortmsg(this.#aborted.reason);
  }

  #send(reason: unknown): void {
    native.send(this.at, wire.ABORT, 0, self.id, this.id, wire.encodeError(plainReason(reason)));
  }
}

/** A reason may be anything; what can't be cloned is not worth a failure. */
function plainReason(reason: unknown): unknown {
  return isError(reason) ||
    (typeof reason !== 'object' && typeof reason !== 'function' && typeof reason !== 'symbol')
    ? reason
    : undefined;
}

/** On a message that has come here from another rfork (or that has come back here by way of one). */
class Origin implements MsgOrigin {
  readonly rfork: number;
  readonly id: number;
  /** How often it has been passed on. */
  readonly hops: number;

  constructor(rfork: number, id: number, hops: number) {
    this.rfork = rfork;
    this.id = id;
    this.hops = hops;
  }

  reply(error: unknown, result: unknown, transfer: readonly ArrayBuffer[] | undefined): void {
    if (this.rfork === self.id) {
      this.forget();
      finish(this.id, error, result);
      return;
    }
    checkTransferable(transfer);
    if (error === undefined) native.send(this.rfork, wire.REPLY, 0, 0, this.id, result, transfer);
    else native.send(this.rfork, wire.FAIL, 0, 0, this.id, wire.encodeError(error));
    this.forget(); // after the send, which may refuse the value
  }

  forget(): void {
    const messages = held.get(this.rfork);
    messages?.delete(this.id);
    if (messages?.size === 0) held.delete(this.rfork);
  }
}

/**
 * Sends a message to another rfork's port. Until it is answered the event loop stays alive, if `holds`. Throws DataCloneError,
 * ERR_LWKT_RFORK_ENDED; then nothing has happened.
 */
export function putRemote(rfork: number, port: number, msg: Msg, holds = true): void {
  if (msg.origin instanceof Origin) {
    passOn(rfork, port, msg, msg.origin);
    return;
  }
  const id = ++lastId;
  checkTransferable(msg.transfer);
  if (native.send(rfork, wire.REQUEST, port, self.id, id, msg.data, msg.transfer) !== 0)
    throw endedError(rfork);
  sent.set(id, msg);
  msg.away = new Away(id, rfork, holds);
  if (holds && holding++ === 0) native.hold(true);
}

/** A message that came from another rfork goes on to a third, or home. Its answer goes from there to its first sender. */
function passOn(rfork: number, port: number, msg: Msg, origin: Origin): void {
  const hops = origin.hops + 1;
  if (native.send(rfork, wire.REQUEST, port, origin.rfork, origin.id, msg.data, undefined, hops) !== 0)
    throw endedError(rfork);
  origin.forget();
  msg.origin = undefined;
  msg.status = 'done';
  if (origin.rfork === self.id) sent.get(origin.id)?.away?.moved(rfork, hops);
  else if (origin.rfork !== rfork)
    native.send(origin.rfork, wire.MOVED, rfork, 0, origin.id, undefined, undefined, hops);
}

/** Rforks whose end has been told. A message may move to one that we have never met. */
const ended = new Set<number>();

function request(port: number, origin: Origin, data: unknown, unreadable: boolean): void {
  const msg = new Msg<unknown, unknown>(data);
  const { rfork, id } = origin;
  msg.origin = origin;
  msg.status = 'held';
  const messages = held.get(rfork);
  if (messages === undefined) held.set(rfork, new Map([[id, msg]]));
  else messages.set(id, msg);
  if (ended.has(rfork)) msg.disown(endedError(rfork)); // that came here sooner than what another has passed on
  const target = exportedPort(port);
  if (unreadable) msg.complete(data, undefined);
  else if (target === undefined)
    msg.complete(
      new CodedError('ERR_LWKT_PORT_CLOSED', `rfork ${self.id} has no port ${port} any more`),
      undefined,
    );
  else target.receive(msg);
  if (rfork === self.id) sent.get(id)?.away?.moved(rfork, origin.hops);
}

function rforkEnded(rfork: number): void {
  ended.add(rfork);
  for (const [id, msg] of sent) if (msg.away?.at === rfork) finish(id, endedError(rfork), undefined);
  const orphans = held.get(rfork);
  held.delete(rfork);
  // They are not taken back: what somebody has said before he died can still be heard.
  if (orphans !== undefined) for (const msg of orphans.values()) msg.disown(endedError(rfork));
  const then = onEnd.get(rfork) ?? [];
  onEnd.delete(rfork);
  for (const each of then) each();
  failures.delete(rfork);
  for (const listener of onEnded) listener(rfork);
}

function handle(
  kind: number,
  from: number,
  port: number,
  origin: number,
  id: number,
  value: unknown,
  hops: number,
): void {
  switch (kind) {
    case wire.REQUEST:
    case -wire.REQUEST:
      request(port, new Origin(origin, id, hops), value, kind < 0);
      break;
    case wire.REPLY:
      finish(id, undefined, value);
      break;
    case wire.FAIL:
      finish(id, wire.decodeError(value), undefined);
      break;
    case -wire.REPLY:
    case -wire.FAIL:
      finish(id, value, undefined);
      break;
    case wire.ABORT:
      held.get(origin)?.get(id)?.abortmsg(wire.decodeError(value));
      break;
    case wire.MOVED:
      sent.get(id)?.away?.moved(port, hops);
      break;
    case wire.CLOSE:
      exportedPort(port)?.close();
      break;
    case wire.RELEASE:
      release(port, id);
      break;
    case wire.PIN:
      pin(port);
      break;
    case wire.ENDED:
      rforkEnded(from);
      break;
    default:
      onKind.get(kind)?.(from, value);
  }
}

/** Whether dealing with an envelope does no more than to queue and to wake userthreads: nobody else's code runs, no promise is settled. */
function isQuiet(kind: number, port: number, id: number): boolean {
  if (kind === wire.REQUEST) return exportedPort(port)?.queues === true;
  return kind === wire.REPLY && sent.get(id)?.quiet === true;
}

/** What has been received and is to be dealt with from `next` on. */
const NONE: unknown[] = [];
let fields = NONE;
let next = 0;

/** Until an rfork's own ports are there, what is sent to them waits: the loop may turn before main.ts has run, under execArgv's --import say. */
let open = orders === undefined;

/** Its ports are there. */
export function openPorts(): void {
  open = true;
  deliver(false);
}

/**
 * Called by the native side when envelopes have come. On thread0; or (here) on the stack of a userthread that waits: then it leaves to thread0 what
 * is not quiet, and what comes after it. Whether it has dealt with all it has got. Nothing but termination leaves it as an exception.
 */
export function deliver(here: boolean): boolean {
  if (!open) return false;
  if (next >= fields.length) {
    fields = native.receive(here);
    next = 0;
    if (here && fields.length === 0) return false;
  }
  while (next < fields.length) {
    const at = next;
    const kind = fields[at] as number;
    const port = fields[at + 2] as number;
    const id = fields[at + 4] as number;
    if (here && !isQuiet(kind, port, id)) return false;
    next = at + 7; // whatever comes of it
    const from = fields[at + 1] as number;
    handle(kind, from, port, fields[at + 3] as number, id, fields[at + 5], fields[at + 6] as number);
  }
  fields = NONE;
  next = 0;
  return true;
}

export function closeRemote(rfork: number, port: number): void {
  native.send(rfork, wire.CLOSE, port, 0, 0, undefined);
}

export function releaseRemote(rfork: number, port: number, shares: number): void {
  native.send(rfork, wire.RELEASE, port, 0, shares, undefined);
}

export function pinRemote(rfork: number, port: number): void {
  native.send(rfork, wire.PIN, port, 0, 0, undefined);
}
