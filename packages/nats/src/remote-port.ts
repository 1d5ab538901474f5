/**
 * remote-port.ts: a port here whose messages go to a service on NATS.
 *
 * A message that is sent is published with a reply subject of this connection's inbox, and answered by what comes there. Nothing waits for a message that is under way but its sender: a
 * port has a list of them in the order of their sending, which is that of their time limits.
 *
 * Invariant: `bytes` is what the messages in `pending` have; a sender that would make it more than `credit` waits, unless nothing is under way.
 */
import { curthread, EASYNC, type Msg, MsgPort, type UserThread } from '@libcr/core';
import { answererOf, blockUntil, carry, leave, listRemotePort, wake } from '@libcr/core/internal';
import type { NatsConnection, Msg as NatsMsg } from '@nats-io/transport-node';
import { Sender } from './durable/sender.ts';
import type { StoreOptions } from './durable/store.ts';
import { checkSize, fits, natsError, natsTimeout } from './errors.ts';
import { Latency } from './latency.ts';
import { type Link, linkOf, publishIfOpen, type Sent } from './link.ts';
import {
  checkConnection,
  checkCount,
  checkDurable,
  checkEncoding,
  checkMilliseconds,
  checkName,
  checkObject,
  checkSubject,
} from './options.ts';
import {
  decodeFailure,
  decodeJson,
  decodeKind,
  decodeMoved,
  type Encoding,
  encode,
  encodeAbort,
  type InnerEncoding,
  KIND,
  kindOf,
} from './payload.ts';
import { Request } from './request.ts';
import { readServiceError } from './service-error.ts';

export interface ConnectOptions {
  /** The subject that messages are sent to; the service's name if absent. */
  subject?: string | undefined;
  /** Milliseconds after which a message fails with ERR_LIBCR_NATS_TIMEOUT: above 0 to 2^31-1. Infinity if absent, but with encoding 'json': 10,000. */
  timeout?: number | undefined;
  /**
   * Milliseconds without a word after which a message fails with ERR_LIBCR_NATS_LOST: whoever has it says once a second that it is still being worked on. 1,000 to 2^31-1; 5,000 if absent; Infinity:
   * never. With encoding 'json' nobody says it, and it does not count.
   */
  silence?: number | undefined;
  /**
   * Bytes that may be under way: whoever sends more waits until answers have come. So who answers slowly slows his senders. A message that is larger goes alone. Infinity if absent.
   */
  credit?: number | undefined;
  /**
   * Messages are stored by JetStream, and handled at least once by whoever serves that name with `durable`, now or later. The answer comes when a message is stored: { stream, seq }. `timeout` (10,000 if absent) is the time for
   * that, in which it is sent again and again; `silence` and `credit` do not count.
   */
  durable?: boolean | StoreOptions | undefined;
  /** 'json' for services that others have written, or that others are to call. 'structured' if absent. */
  encoding?: Encoding | undefined;
}

export interface RemotePortStats {
  /** Messages that are under way, and their bytes. */
  inFlight: number;
  bytes: number;
  /** Those that were sent, that were answered with a result, and that failed, whoever was the cause. */
  sent: number;
  answered: number;
  failed: number;
  /** Milliseconds from sending to answer: the last ones' mean, and the longest ever. */
  latency: number;
  latencyMax: number;
}

/** Of this package's own ports, too. */
type PortOptions = Omit<ConnectOptions, 'encoding'> & { encoding?: InnerEncoding | undefined };

const SILENCE = 5000;
const SILENCE_MIN = 1000;
/** For those that nobody says anything of: of JSON, and of durable ports. */
const TIMEOUT = 10_000;
const NO_RESPONDERS = 503;

/** A message of a port's that is under way. */
class Message implements Sent {
  readonly port: RemotePort;
  readonly msg: Msg;
  readonly bytes: number;
  readonly since: number;
  readonly silence: number;
  heard: number;
  subject: string;
  reply = '';
  private aborted: { reason: unknown } | undefined;

  constructor(port: RemotePort, msg: Msg, bytes: number, subject: string, silence: number) {
    this.port = port;
    this.msg = msg;
    this.bytes = bytes;
    this.subject = subject;
    this.silence = silence;
    this.since = performance.now();
    this.heard = this.since;
  }

  answered(message: NatsMsg): void {
    this.port.answered(this, message);
  }

  fail(error: Error): void {
    this.port.complete(this, error, undefined);
  }

  /** From msg.abortmsg(). */
  abort(reason: unknown): void {
    this.aborted = { reason };
    this.port.sendAbort(this, reason);
  }

  /** Somebody has passed it on. */
  moved(subject: string): void {
    this.subject = subject;
    if (this.aborted !== undefined) this.port.sendAbort(this, this.aborted.reason);
  }
}

export class RemotePort {
  readonly name: string;
  readonly subject: string;
  readonly port: MsgPort;
  private readonly link: Link;
  private readonly encoding: InnerEncoding;
  private readonly timeout: number;
  private readonly silence: number;
  private readonly credit: number;
  private readonly pending = new Set<Message>();
  private readonly waiters: UserThread[] = [];
  private readonly latency = new Latency();
  private timer: NodeJS.Timeout | undefined;
  private bytes = 0;
  private sent = 0;
  private succeeded = 0;
  private failed = 0;

  constructor(nc: NatsConnection, name: string, options: PortOptions) {
    const { subject = name, encoding = 'structured', credit = Number.POSITIVE_INFINITY } = options;
    this.name = name;
    this.subject = subject;
    this.link = linkOf(nc);
    this.encoding = encoding;
    this.credit = credit;
    this.timeout = options.timeout ?? (encoding === 'json' ? TIMEOUT : Number.POSITIVE_INFINITY);
    this.silence = encoding === 'json' ? Number.POSITIVE_INFINITY : (options.silence ?? SILENCE);
    this.port = new MsgPort(name, {
      putport: (msg) => {
        this.put(msg);
        return EASYNC;
      },
    });
  }

  get stats(): RemotePortStats {
    return {
      inFlight: this.pending.size,
      bytes: this.bytes,
      sent: this.sent,
      answered: this.succeeded,
      failed: this.failed,
      latency: this.latency.mean,
      latencyMax: this.latency.longest,
    };
  }

  // ---------------------------------------------------------------- sending

  private put(msg: Msg): void {
    const payload = encode(msg.data, this.encoding);
    this.link.checkOpen();
    checkSize(this.link.nc, `the message to ${this.subject}`, payload);
    const answerer = answererOf(msg);
    if (answerer instanceof Request && answerer.canMove(this.link.nc, this.encoding)) {
      answerer.move(this.subject, payload);
      leave(msg);
      return;
    }
    if (this.credit !== Number.POSITIVE_INFINITY) this.waitForCredit(payload.length);
    this.send(msg, payload);
  }

  private send(msg: Msg, payload: Uint8Array): void {
    const { link } = this;
    const message = new Message(this, msg, payload.length, this.subject, this.silence);
    message.reply = link.begin(message);
    try {
      link.nc.publish(this.subject, payload, { reply: message.reply });
    } catch (error) {
      link.end(message.reply);
      throw error;
    }
    this.pending.add(message);
    this.bytes += payload.length;
    this.sent++;
    carry(msg, message);
    if (this.timeout !== Number.POSITIVE_INFINITY && this.timer === undefined) this.watch(this.timeout);
  }

  private waitForCredit(bytes: number): void {
    const fits = (): boolean => this.pending.size === 0 || this.bytes + bytes <= this.credit;
    if (fits() && this.waiters.length === 0) return;
    const td = curthread();
    this.waiters.push(td);
    try {
      blockUntil(`credit of ${this.name}`, () => this.waiters[0] === td && fits());
    } finally {
      this.waiters.splice(this.waiters.indexOf(td), 1);
      this.wakeFirst();
    }
    this.link.checkOpen();
  }

  private wakeFirst(): void {
    const first = this.waiters[0];
    if (first !== undefined) wake(first);
  }

  /** @internal */
  sendAbort(message: Message, reason: unknown): void {
    if (this.encoding === 'json' || !this.link.connected) return;
    const { nc } = this.link;
    const told = encodeAbort(message.reply, reason);
    const payload = fits(nc, told) ? told : encodeAbort(message.reply, undefined);
    publishIfOpen(nc, `${message.subject}.abort`, payload);
  }

  // ---------------------------------------------------------------- answers

  /** @internal */
  answered(message: Message, answer: NatsMsg): void {
    try {
      this.read(message, answer);
    } catch (error) {
      this.link.stats.malformed++;
      this.complete(message, error, undefined);
    }
  }

  private read(message: Message, answer: NatsMsg): void {
    const { headers: head, data } = answer;
    if (head !== undefined) {
      if (head.code === NO_RESPONDERS && data.length === 0) {
        this.complete(
          message,
          natsError('ERR_LIBCR_NATS_NO_RESPONDERS', `nobody serves ${message.subject}`),
          undefined,
        );
        return;
      }
      const error = readServiceError(head, message.subject);
      if (error !== undefined) {
        this.complete(message, error, undefined);
        return;
      }
    }
    if (this.encoding === 'json') {
      this.complete(message, undefined, decodeJson(data));
      return;
    }
    const kind = kindOf(data);
    if (kind === KIND.beat) message.heard = performance.now();
    else if (kind === KIND.moved) message.moved(decodeMoved(data));
    else if (kind === KIND.failure)
      this.complete(
        message,
        decodeFailure(data, message.subject) ?? new Error('undefined was thrown'),
        undefined,
      );
    else this.complete(message, undefined, decodeKind(kind, data, this.encoding));
  }

  /** @internal The answer, from wherever it comes. */
  complete(message: Message, error: unknown, result: unknown): void {
    if (!this.link.end(message.reply)) return;
    this.pending.delete(message);
    this.bytes -= message.bytes;
    if (error === undefined) this.succeeded++;
    else this.failed++;
    this.latency.add(performance.now() - message.since);
    carry(message.msg, undefined);
    message.msg.replymsg(error, result);
    this.wakeFirst();
    if (this.pending.size === 0 && this.timer !== undefined) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
  }

  // ---------------------------------------------------------------- time limits

  private watch(milliseconds: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.endLate();
    }, milliseconds);
  }

  private endLate(): void {
    const now = performance.now();
    for (const message of this.pending) {
      const left = message.since + this.timeout - now;
      if (left > 0.5) {
        this.watch(left);
        return;
      }
      this.sendAbort(message, 'it took too long');
      this.complete(message, natsTimeout(message.subject, this.timeout), undefined);
    }
  }
}

const remotePorts = new WeakMap<MsgPort, { readonly stats: RemotePortStats }>();

/**
 * A port whose messages are served on another host, or in another process, by serve() there: domsg() waits for the answer, sendmsg()'s reply comes to its reply port, msg.abortmsg() reaches
 * the other side's msg.signal, forwardmsg() passes on a message that was taken here. `data` and the result are cloned.
 *
 * Each message is handled at most once: it has its answer, or fails with a coded error (errors.ts), and then may have been handled or not. It does not block, and does not
 * ask whether somebody serves that name: messages do. Callable on any thread of the rfork that has the connection. Throws TypeError and RangeError for misuse.
 */
export function connect<T = unknown, R = unknown>(
  nc: NatsConnection,
  name: string,
  options: ConnectOptions = {},
): MsgPort<T, R> {
  checkConnection(nc);
  checkName(name);
  checkObject(options);
  checkSubject('options.subject', options.subject);
  checkMilliseconds('options.timeout', options.timeout);
  checkCount('options.silence', options.silence, SILENCE_MIN);
  checkCount('options.credit', options.credit);
  checkEncoding(options.encoding);
  checkDurable(options.durable);
  const { durable, subject = name, encoding = 'structured', timeout = TIMEOUT } = options;
  if (!durable) return openPort(nc, name, options);
  return listed(
    new Sender(nc, name, { ...(durable === true ? {} : durable), subject, encoding, timeout }),
  ) as MsgPort<T, R>;
}

/** The same without a look at the options. */
export function openPort<T, R>(nc: NatsConnection, name: string, options: PortOptions): MsgPort<T, R> {
  return listed(new RemotePort(nc, name, options)) as MsgPort<T, R>;
}

function listed(remote: RemotePort | Sender): MsgPort {
  remotePorts.set(remote.port, remote);
  listRemotePort(remote);
  return remote.port;
}

/** How a port of connect()'s stands; undefined for another one. */
export function statsOf<T, R>(port: MsgPort<T, R>): RemotePortStats | undefined {
  return remotePorts.get(port as unknown as MsgPort)?.stats;
}
