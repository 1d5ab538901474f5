/**
 * link.ts: what all ports of one connection have in common: the inbox that answers come to, the messages that are under way, and what becomes of them when the connection fails.
 *
 * Not here: what goes into a message (payload.ts), and when one may be sent (remote-port.ts).
 *
 * Invariants:
 *  - A message is in `sent` from its sending until it is answered here, once: by the other side, by the NATS server (nobody serves), by a time limit, by silence or by the end of
 *    the connection. What comes for it afterwards is counted, and dropped.
 *  - Whoever knows a message's reply subject has been sent it: the inbox has a name that can't be guessed.
 */
import type { Carrier } from '@libcr/core/internal';
import {
  createInbox,
  type NatsConnection,
  type Msg as NatsMsg,
  type PublishOptions,
  type Status,
} from '@nats-io/transport-node';
import { natsError } from './errors.ts';
import type { RemotePort } from './remote-port.ts';

/** Milliseconds between two looks at who has fallen silent. */
const LOOK = 1000;

/** A message under way. */
export interface Sent extends Carrier {
  readonly port: RemotePort;
  /** The subject that it is at: where it was sent, or has been forwarded to. */
  readonly subject: string;
  /** When something was heard of it last, or it was sent, by performance.now(). */
  heard: number;
  /** Milliseconds of silence after which whoever has it is lost; Infinity. */
  readonly silence: number;
  answered(message: NatsMsg): void;
  fail(error: Error): void;
}

/** Of one connection. */
export interface LinkStats {
  /** Messages that are under way from here. */
  inFlight: number;
  /** Answers to messages that had their answer, or were never sent. */
  unknown: number;
  /** Answers that were none of this protocol. */
  malformed: number;
}

export class Link {
  readonly nc: NatsConnection;
  readonly stats: LinkStats = { inFlight: 0, unknown: 0, malformed: 0 };
  /** Whether the NATS server can be reached. */
  connected: boolean;
  private readonly inbox: string;
  private listens = false;
  /** By what is behind the inbox' name. */
  private readonly sent = new Map<string, Sent>();
  private last = 0;
  private looks: NodeJS.Timeout | undefined;
  private lookedAt = 0;

  constructor(nc: NatsConnection) {
    this.nc = nc;
    this.connected = isConnected(nc);
    const { inboxPrefix } = (nc as { options?: { inboxPrefix?: string } }).options ?? {};
    this.inbox = `${createInbox(inboxPrefix)}.`;
    if (nc.isClosed() || nc.isDraining()) return; // checkOpen() says so
    this.listen();
    void this.watch();
    void nc.closed().then((error) => this.closed(error ?? undefined));
  }

  /** One that is not let subscribe tries again with the next message. */
  private listen(): void {
    this.listens = true;
    this.nc.subscribe(`${this.inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.heard(message);
        else {
          this.listens = false;
          this.failAll(permission(error));
        }
      },
    });
  }

  /** Puts it under way: the reply subject that it is to be sent with. */
  begin(sent: Sent): string {
    if (!this.listens) this.listen();
    const token = (++this.last).toString(36);
    this.sent.set(token, sent);
    this.stats.inFlight = this.sent.size;
    if (sent.silence !== Number.POSITIVE_INFINITY && this.looks === undefined) {
      this.lookedAt = performance.now();
      this.looks = setInterval(() => this.lookForSilence(), LOOK).unref();
    }
    return this.inbox + token;
  }

  /** It has its answer. Whether it was under way. */
  end(reply: string): boolean {
    const was = this.sent.delete(reply.slice(this.inbox.length));
    this.stats.inFlight = this.sent.size;
    if (this.sent.size === 0) {
      clearInterval(this.looks);
      this.looks = undefined;
    }
    return was;
  }

  /** Throws ERR_LIBCR_NATS_CLOSED, ERR_LIBCR_NATS_DISCONNECTED. */
  checkOpen(): void {
    checkNotClosed(this.nc);
    if (!this.connected) throw away();
  }

  private heard(message: NatsMsg): void {
    const sent = this.sent.get(message.subject.slice(this.inbox.length));
    if (sent === undefined) this.stats.unknown++;
    else sent.answered(message);
  }

  private async watch(): Promise<void> {
    for await (const status of this.nc.status()) this.see(status);
  }

  private see(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        this.connected = false;
        this.failAll(
          natsError(
            'ERR_LIBCR_NATS_DISCONNECTED',
            'the connection to the NATS server went down while the message was under way',
          ),
        );
        return;
      case 'reconnect':
        this.connected = true;
        return;
      case 'error':
        this.failWhereForbidden(status.error);
        return;
    }
  }

  private failWhereForbidden(error: Error): void {
    const { operation, subject } = error as { operation?: string; subject?: string };
    if (operation !== 'publish') return;
    for (const sent of [...this.sent.values()]) if (sent.subject === subject) sent.fail(permission(error));
  }

  private closed(cause: Error | undefined): void {
    this.connected = false;
    links.delete(this.nc);
    this.failAll(
      natsError('ERR_LIBCR_NATS_CLOSED', 'the connection to the NATS server was closed', cause && { cause }),
    );
  }

  private failAll(error: Error): void {
    for (const sent of [...this.sent.values()]) sent.fail(error);
  }

  private lookForSilence(): void {
    const now = performance.now();
    const late = now - this.lookedAt - LOOK;
    this.lookedAt = now;
    if (late > LOOK / 2) {
      // This event loop has stood still: what was said meanwhile has not been heard yet.
      for (const sent of this.sent.values()) sent.heard += late;
      return;
    }
    for (const sent of [...this.sent.values()])
      if (now - sent.heard > sent.silence)
        sent.fail(
          natsError(
            'ERR_LIBCR_NATS_LOST',
            `nothing was heard for ${Math.round(now - sent.heard)} ms of a message that ${sent.subject} had`,
          ),
        );
  }
}

/** The client forgets what the server has said when that can't be reached. */
const isConnected = ({ info }: NatsConnection): boolean => info !== undefined && info !== null;

const away = (cause?: unknown): Error =>
  natsError(
    'ERR_LIBCR_NATS_DISCONNECTED',
    'the NATS server can not be reached now',
    cause === undefined ? undefined : { cause },
  );

/** Fulfilled when the NATS server has taken what was said. Throws (rejects with) ERR_LIBCR_NATS_CLOSED, ERR_LIBCR_NATS_DISCONNECTED. */
export async function flush(nc: NatsConnection): Promise<void> {
  checkNotClosed(nc);
  if (!isConnected(nc)) throw away();
  try {
    await nc.flush();
  } catch (error) {
    throw away(error);
  }
}

/** Throws ERR_LIBCR_NATS_CLOSED. */
export function checkNotClosed(nc: NatsConnection): void {
  if (nc.isClosed() || nc.isDraining())
    throw natsError('ERR_LIBCR_NATS_CLOSED', 'the connection to the NATS server has been closed');
}

/** What nobody waits for: where the connection is closed, or closes, it is dropped. */
export function publishIfOpen(
  nc: NatsConnection,
  subject: string,
  payload?: Uint8Array,
  options?: PublishOptions,
): void {
  try {
    nc.publish(subject, payload, options);
  } catch (error) {
    if (!nc.isClosed() && !nc.isDraining()) throw error;
  }
}

/** What was published has reached the NATS server, or can't any more. */
export async function flushed(nc: NatsConnection): Promise<void> {
  try {
    await flush(nc);
  } catch {} // it has gone
}

export function permission(cause: Error): Error {
  return natsError('ERR_LIBCR_NATS_PERMISSION', cause.message, { cause });
}

const links = new WeakMap<NatsConnection, Link>();

/** The one of that connection. */
export function linkOf(nc: NatsConnection): Link {
  let link = links.get(nc);
  if (link === undefined) {
    link = new Link(nc);
    links.set(nc, link);
  }
  return link;
}
