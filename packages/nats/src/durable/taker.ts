/**
 * taker.ts: the messages of a durable port, put to a port here until somebody has handled them.
 *
 * A message that was answered with a result is acknowledged, and gone. One that was answered with an error comes again, to whoever serves that name, and after so many tries goes to the stream of those that nobody
 * could handle. One whose taker dies comes again when the NATS server has not heard of it for `ackWait`; while it is held here it is heard of.
 *
 * Invariant: each message that has come is acknowledged, refused or put aside once, after its reply; what is lost on the way there makes it come again.
 */
import { Msg, type MsgPort } from '@libcr/core';
import { type Answerer, receive } from '@libcr/core/internal';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { checkNotClosed, flushed } from '../link.ts';
import { decodeMessage, type Encoding } from '../payload.ts';
import { headerText } from '../service-error.ts';
import { notDurable, openStore, type Store, type StoreOptions } from './store.ts';

/** A message of a durable port. */
export class DurableMsg<T = unknown, R = unknown> extends Msg<T, R> {
  /** How often it has been delivered, this time included: 1 or more. More than 1: somebody may have handled it, or a part of it. */
  readonly deliveries: number;

  /** @internal */
  constructor(data: T, deliveries: number) {
    super(data);
    this.deliveries = deliveries;
  }
}

export interface TakerOptions extends StoreOptions {
  subject: string;
  queue: string;
  encoding: Encoding;
  concurrency: number;
  deliveries: number;
  ackWait: number;
  retryDelay: number;
}

export interface DurableStats {
  /** With the port now, and waiting for it here. */
  inFlight: number;
  waiting: number;
  /** Acknowledged; answered with an error, to come again; put aside. */
  answered: number;
  failed: number;
  dead: number;
  malformed: number;
}

const NS = 1e6;
/** Messages that are fetched ahead, at most. */
const AHEAD = 100;
/** How often the server hears of a message before it would give it to another. */
const BEATS = 3;

export class Taker {
  readonly port: MsgPort;
  private readonly nc: NatsConnection;
  private readonly options: TakerOptions;
  private readonly backlog: JsMsg[] = [];
  private readonly held = new Set<JsMsg>();
  private readonly counts = { answered: 0, failed: 0, dead: 0, malformed: 0 };
  private inFlight = 0;
  private messages: ConsumerMessages | undefined;
  private store: Store | undefined;
  private beats: NodeJS.Timeout | undefined;
  private stopping: Promise<void> | undefined;
  private idle: (() => void) | undefined;

  constructor(nc: NatsConnection, port: MsgPort, options: TakerOptions) {
    this.nc = nc;
    this.port = port;
    this.options = options;
  }

  get stats(): DurableStats {
    return { inFlight: this.inFlight, waiting: this.backlog.length, ...this.counts };
  }

  async start(): Promise<void> {
    const { subject, queue, ackWait, concurrency } = this.options;
    checkNotClosed(this.nc);
    this.store = await openStore(this.nc, subject, this.options);
    const { manager, client, stream } = this.store;
    try {
      await manager.consumers.add(stream, {
        durable_name: queue,
        ack_policy: 'explicit',
        ack_wait: ackWait * NS,
        max_deliver: -1,
      });
      const consumer = await client.consumers.get(stream, queue);
      this.messages = await consumer.consume({
        max_messages: Math.min(concurrency, AHEAD),
        callback: (message) => this.take(message),
      });
    } catch (error) {
      throw notDurable(stream, error as Error);
    }
    this.beats = setInterval(() => {
      for (const message of this.held) message.working();
      for (const message of this.backlog) message.working();
    }, ackWait / BEATS).unref();
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    this.messages?.stop();
    for (const message of this.backlog.splice(0)) message.nak(); // another server's, at once
    if (this.held.size > 0)
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    clearInterval(this.beats);
    await flushed(this.nc);
  }

  // ---------------------------------------------------------------- messages

  private take(message: JsMsg): void {
    if (this.stopping !== undefined) message.nak();
    else if (this.inFlight < this.options.concurrency) this.put(message);
    else this.backlog.push(message);
  }

  private put(message: JsMsg): void {
    const { deliveryCount } = message.info;
    this.held.add(message);
    this.inFlight++;
    if (deliveryCount > this.options.deliveries) {
      // Its taker has died each time, and could not say so.
      void this.putAside(message, new Error(`delivered ${deliveryCount - 1} times, and never answered`));
      return;
    }
    let value: unknown;
    try {
      const { data } = message;
      value = decodeMessage(data, this.options.encoding);
    } catch (error) {
      this.counts.malformed++;
      void this.putAside(message, error);
      return;
    }
    const answerer: Answerer = { reply: (error) => this.reply(message, error) };
    receive(this.port, new DurableMsg<unknown, unknown>(value, deliveryCount), answerer);
  }

  private reply(message: JsMsg, error: unknown): void {
    if (error === undefined) {
      message.ack();
      this.counts.answered++;
      this.over(message);
    } else if (message.info.deliveryCount >= this.options.deliveries) void this.putAside(message, error);
    else {
      message.nak(this.options.retryDelay);
      this.counts.failed++;
      this.over(message);
    }
  }

  /** It goes to those that nobody could handle. If that fails, it comes again. */
  private async putAside(message: JsMsg, error: unknown): Promise<void> {
    const store = this.store as Store;
    const head = headers();
    head.set('Libcr-Error', headerText(String(error)));
    head.set('Libcr-Deliveries', String(message.info.deliveryCount));
    try {
      await store.client.publish(store.dead, message.data, {
        headers: head,
        msgID: `${store.stream}:${message.seq}`,
      });
      message.term();
      this.counts.dead++;
    } catch {
      message.nak(this.options.retryDelay);
    }
    this.over(message);
  }

  private over(message: JsMsg): void {
    this.held.delete(message);
    this.inFlight--;
    const next = this.stopping === undefined ? this.backlog.shift() : undefined;
    if (next !== undefined) this.put(next);
    if (this.held.size === 0) this.idle?.();
  }
}
