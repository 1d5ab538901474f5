/**
 * elsewhere.ts: messages between this process and others that are no rforks of it, for the packages that carry them (@libcr/nats). Here is what core has to know of them:
 * where an abort goes, and where an answer.
 *
 * Not here: how they travel.
 *
 * Invariant: a message that is elsewhere is `held`: whoever carries it answers it once, by msg.replymsg().
 */

import type { TopRemotePort } from '../top/types.ts';
import { ELSEWHERE, type Msg, type MsgAway, type MsgOrigin } from './msg.ts';
import type { MsgPort } from './msgport.ts';

/** Who carries a message of ours to others. */
export interface Carrier {
  /** Its sender no longer wants the answer. One is due all the same. */
  abort(reason: unknown): void;
}

class Away implements MsgAway {
  readonly id = 0;
  readonly at = ELSEWHERE;
  readonly holds = false;
  private readonly carrier: Carrier;

  constructor(carrier: Carrier) {
    this.carrier = carrier;
  }

  abort(reason: unknown): void {
    this.carrier.abort(reason);
  }

  moved(): void {}
}

/** A message of ours, which a putport has kept, is carried elsewhere; undefined: it is no longer. */
export function carry(msg: Msg, carrier: Carrier | undefined): void {
  msg.away = carrier === undefined ? undefined : new Away(carrier);
}

/** Where the answer to a message from elsewhere goes. */
export interface Answerer {
  /** Sends the answer. What it throws is thrown at whoever replies, who still holds the message then. */
  reply(error: unknown, result: unknown): void;
}

class Origin implements MsgOrigin {
  readonly rfork = ELSEWHERE;
  readonly id = 0;
  readonly answerer: Answerer;

  constructor(answerer: Answerer) {
    this.answerer = answerer;
  }

  reply(error: unknown, result: unknown): void {
    this.answerer.reply(error, result);
  }
}

/** A new message that has come from elsewhere is put to a port. A port that is closed has it answered at once. */
export function receive(port: MsgPort, msg: Msg, answerer: Answerer): void {
  msg.origin = new Origin(answerer);
  msg.status = 'held';
  port.receive(msg);
}

/** Whoever has put that message here; undefined for one of this process'. */
export function answererOf(msg: Msg): Answerer | undefined {
  return msg.origin instanceof Origin ? msg.origin.answerer : undefined;
}

/** The message is another's now, who will answer it where it came from. It is done here. */
export function leave(msg: Msg): void {
  msg.origin = undefined;
  msg.status = 'done';
}

/** Whoever carries a port's messages elsewhere: for lwkt top. */
export interface RemotePortInfo {
  readonly name: string;
  readonly stats: Omit<TopRemotePort, 'name'>;
}

let remote: WeakRef<RemotePortInfo>[] = [];

/** Once for each; it is not kept alive. */
export function listRemotePort(port: RemotePortInfo): void {
  remote = remote.filter((ref) => ref.deref() !== undefined);
  remote.push(new WeakRef(port));
}

/** @internal How they stand. */
export function remotePorts(): TopRemotePort[] {
  const rows: TopRemotePort[] = [];
  for (const ref of remote) {
    const port = ref.deref();
    if (port === undefined) continue;
    const { inFlight, sent, failed, latency, latencyMax } = port.stats;
    rows.push({ name: port.name, inFlight, sent, failed, latency, latencyMax });
  }
  return rows;
}
