/**
 * sender.ts: a port here whose messages are stored by JetStream, and handled by whoever serves them, now or later.
 *
 * Each message has an id of its own, and is published again with it until it is known to be stored: a stream drops what it has already.
 *
 * Invariant: a message is answered once: when it is stored, or when `timeout` has passed, and then it may be stored or not.
 */
import { randomUUID } from 'node:crypto';
import { EASYNC, type Msg, MsgPort } from '@libcr/core';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkSize, natsError, natsTimeout } from '../errors.ts';
import { Latency } from '../latency.ts';
import { checkNotClosed } from '../link.ts';
import { type Encoding, encode } from '../payload.ts';
import { isFinal, openStore, type Store, type StoreOptions } from './store.ts';

/** The result of a message to a durable port. */
export interface Stored {
  /** The stream that has it, and its number there. */
  stream: string;
  seq: number;
}

export interface SenderOptions extends StoreOptions {
  subject: string;
  encoding: Encoding;
  timeout: number;
}

/** Milliseconds that one attempt may take, and between two. */
const ATTEMPT = 2000;
const PAUSE = 100;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE));

export class Sender {
  readonly name: string;
  readonly port: MsgPort;
  private readonly nc: NatsConnection;
  private readonly options: SenderOptions;
  private readonly latency = new Latency();
  private opening: Promise<Store> | undefined;
  private counts = { inFlight: 0, bytes: 0, sent: 0, answered: 0, failed: 0 };

  constructor(nc: NatsConnection, name: string, options: SenderOptions) {
    this.name = name;
    this.nc = nc;
    this.options = options;
    this.port = new MsgPort(name, {
      putport: (msg) => {
        this.put(msg);
        return EASYNC;
      },
    });
  }

  get stats(): Sender['counts'] & { latency: number; latencyMax: number } {
    return { ...this.counts, latency: this.latency.mean, latencyMax: this.latency.longest };
  }

  private put(msg: Msg): void {
    const payload = encode(msg.data, this.options.encoding);
    checkSize(this.nc, `the message to ${this.options.subject}`, payload);
    checkNotClosed(this.nc);
    const since = performance.now();
    const over = (outcome: 'answered' | 'failed'): void => {
      this.counts.inFlight--;
      this.counts.bytes -= payload.length;
      this.counts[outcome]++;
      this.latency.add(performance.now() - since);
    };
    this.counts.inFlight++;
    this.counts.sent++;
    this.counts.bytes += payload.length;
    this.store(payload, since).then(
      (stored) => {
        over('answered');
        msg.replymsg(undefined, stored);
      },
      (error) => {
        over('failed');
        msg.replymsg(error);
      },
    );
  }

  private open(): Promise<Store> {
    this.opening ??= openStore(this.nc, this.options.subject, this.options).catch((error) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** Until it is stored. */
  private async store(payload: Uint8Array, since: number): Promise<Stored> {
    const msgID = randomUUID();
    const { subject, timeout } = this.options;
    for (;;) {
      const left = since + timeout - performance.now();
      try {
        const store = await this.open();
        const { stream, seq } = await store.client.publish(store.subject, payload, {
          msgID,
          timeout: Math.max(1, Math.min(ATTEMPT, left)),
        });
        return { stream, seq };
      } catch (error) {
        if (this.nc.isClosed())
          throw natsError('ERR_LIBCR_NATS_CLOSED', 'the connection to the NATS server was closed', {
            cause: error,
          });
        if (isFinal(error)) throw error;
        if (performance.now() - since < timeout) {
          await pause();
          continue;
        }
        const { code } = error as { code?: string };
        if (code === 'ERR_LIBCR_NATS_NOT_DURABLE') throw error;
        throw Object.assign(natsTimeout(subject, timeout), { cause: error });
      }
    }
  }
}
