/**
 * serve.ts: a port as a service on NATS: messages come to it from other hosts, and their answers go back.
 *
 * What is a service, how it is found (`nats micro ls`) and how several of one name share the work is NATS' (@nats-io/services): here is what is put to the port, and when.
 *
 * Invariants:
 *  - Of the messages that have come, `concurrency` at most are with the port; the others wait in `backlog`, and more than that are answered with ERR_LIBCR_NATS_BUSY.
 *  - Each message that has come is in `requests` until it is answered.
 *  - An answer goes to an inbox, and to no other subject: a forged reply subject does nothing but count.
 */
import { Msg, type MsgPort } from '@libcr/core';
import { receive } from '@libcr/core/internal';
import { type NamedEndpointStats, type Service, Svcm } from '@nats-io/services';
import type { NatsConnection, Msg as NatsMsg, Subscription } from '@nats-io/transport-node';
import type { StoreOptions } from './durable/store.ts';
import { type DurableStats, Taker } from './durable/taker.ts';
import { natsError } from './errors.ts';
import { flush, flushed, permission } from './link.ts';
import {
  checkConnection,
  checkCount,
  checkDurable,
  checkEncoding,
  checkName,
  checkObject,
  checkPort,
  checkService,
  checkSubject,
} from './options.ts';
import { decodeAbort, decodeMessage, type Encoding, type InnerEncoding } from './payload.ts';
import { type Desk, Request } from './request.ts';
import { headerText } from './service-error.ts';

export interface ServeOptions {
  /** The subject that messages come by; the service's name if absent. */
  subject?: string | undefined;
  /** Servers of one queue share the messages of a name; those of different queues each get all. 'q' if absent, as all services of NATS have it. */
  queue?: string | undefined;
  /** Messages that the port has at once, from 1 on; Infinity if absent. */
  concurrency?: number | undefined;
  /** Messages that wait here for that, from 0 on; 1,024 if absent. Those that come then fail with ERR_LIBCR_NATS_BUSY. */
  backlog?: number | undefined;
  /**
   * Messages that connect() with `durable` has stored, at least once each: one that is answered with an error, or whose server dies, is delivered again. The port gets DurableMsg, with `deliveries`. Here `backlog` and `inboxes` do
   * not count, and the answer goes nowhere: it acknowledges.
   */
  durable?: boolean | DurableOptions | undefined;
  /** 'json' for clients in other languages. 'structured' if absent. */
  encoding?: Encoding | undefined;
  /** Shown by `nats micro info`. A semantic version; '0.0.0' if absent. */
  version?: string | undefined;
  description?: string | undefined;
  /** What reply subjects begin with: ['_INBOX.'] if absent. More where clients have an inboxPrefix of their own. */
  inboxes?: readonly string[] | undefined;
}

export interface DurableOptions extends StoreOptions {
  /** How often a message is delivered before it is put aside, to the subject NAME.dead: 1 or more; 5 if absent. */
  deliveries?: number | undefined;
  /** Milliseconds without a word of a server's after which its messages are delivered to another: 100 to 2^31-1; 30,000 if absent. */
  ackWait?: number | undefined;
  /** Milliseconds after which a message that was answered with an error is delivered again: 0 to 2^31-1; 1,000 if absent. */
  retryDelay?: number | undefined;
}

export interface ServedStats {
  /** With the port now, and waiting for it. */
  inFlight: number;
  waiting: number;
  /** Answered with a result; with an error; passed on to another service. */
  answered: number;
  failed: number;
  /** Answered with ERR_LIBCR_NATS_BUSY. */
  refused: number;
  /** No messages of this protocol, or with a reply subject that is no inbox. */
  malformed: number;
}

/** A port that is served. */
export interface ServedPort<Stats = ServedStats> {
  readonly port: MsgPort;
  /** How it stands. */
  readonly stats: Stats;
  /**
   * No more messages are taken; those that wait here fail with ERR_LIBCR_NATS_STOPPED (durable ones are another's), and those that the port has are answered yet. The promise is fulfilled when
   * the last one is. The port and the connection stay open. Harmless when it is stopped.
   */
  stop(): Promise<void>;
}

/** Of this package's own ports, too. */
type PortOptions = Omit<ServeOptions, 'encoding'> & {
  encoding?: InnerEncoding | undefined;
  /** The sender of a message that the port has given away does not want its answer any more: beside its signal. */
  aborted?: ((msg: Msg) => void) | undefined;
};

/** What the library has for an endpoint. */
type Told = Pick<
  NamedEndpointStats,
  'num_errors' | 'last_error' | 'processing_time' | 'average_processing_time'
>;

const NS = 1e6;
const QUEUE = 'q';
const DELIVERIES = 5;
const ACK_WAIT = 30_000;
const ACK_WAIT_MIN = 100;
const RETRY_DELAY = 1000;
const BACKLOG = 1024;
/** Milliseconds after which, and then between which, senders are told that a message is still being worked on. */
const BEAT = 1000;
const INBOXES = ['_INBOX.'];
/** The services' convention, after HTTP. */
const BAD_REQUEST = 400;
const TOO_MANY = 429;
const UNAVAILABLE = 503;

export class Served implements Desk, ServedPort {
  /** @internal */ readonly nc: NatsConnection;
  readonly name: string;
  readonly subject: string;
  /** @internal */ readonly encoding: InnerEncoding;
  readonly port: MsgPort;
  private readonly concurrency: number;
  private readonly backlogMax: number;
  private readonly inboxes: readonly string[];
  private readonly aborted: ((msg: Msg) => void) | undefined;
  /** By reply subject, in the order of their coming. */
  private readonly requests = new Map<string, Request>();
  private readonly backlog: [Request, unknown][] = [];
  private readonly counts = { answered: 0, failed: 0, refused: 0, malformed: 0 };
  private inFlight = 0;
  private putting = false;
  /** Milliseconds between the coming of messages and their answers. */
  private busy = 0;
  private lastError: string | undefined;
  private beats: NodeJS.Timeout | undefined;
  private service: Service | undefined;
  private aborts: Subscription | undefined;
  private stopping: Promise<void> | undefined;
  private idle: (() => void) | undefined;

  /** @internal */
  constructor(nc: NatsConnection, name: string, port: MsgPort, options: PortOptions) {
    const {
      subject = name,
      encoding = 'structured',
      concurrency = Number.POSITIVE_INFINITY,
      backlog = BACKLOG,
      inboxes = INBOXES,
    } = options;
    this.nc = nc;
    this.name = name;
    this.subject = subject;
    this.encoding = encoding;
    this.port = port;
    this.concurrency = concurrency;
    this.backlogMax = backlog;
    this.inboxes = inboxes;
    this.aborted = options.aborted;
  }

  /** @internal */
  async start({ queue, version = '0.0.0', description = '' }: PortOptions): Promise<void> {
    await flush(this.nc);
    this.service = await new Svcm(this.nc as never).add({
      name: this.name,
      version,
      description,
      metadata: {}, // the protocol wants one in each answer
      ...(queue === undefined ? {} : { queue }),
      statsHandler: (endpoint) => Promise.resolve(this.tell((endpoint as { stats?: Told }).stats)),
    });
    let refused: Error | null = null;
    void this.service.stopped.then((error) => {
      refused ??= error;
    });
    this.service.addEndpoint(this.name, {
      subject: this.subject,
      metadata: {},
      handler: (error, message) => {
        if (error === null) this.take(message as unknown as NatsMsg);
      },
    });
    this.aborts = this.nc.subscribe(`${this.subject}.abort`, {
      callback: (error, message) => {
        if (error === null) this.abort(message);
        else refused ??= error;
      },
    });
    try {
      await flush(this.nc); // from here on it is found
      if (refused !== null) throw permission(refused);
    } catch (error) {
      await this.stop();
      throw error;
    }
    void this.nc.closed().then(() => this.disconnected());
  }

  /** For `nats micro stats`: the library knows of a message's coming only, and not of its answer. */
  private tell(told: Told | undefined): ServedStats {
    const { answered, failed, refused, malformed } = this.counts;
    if (told !== undefined) {
      told.num_errors = failed + refused + malformed;
      if (this.lastError !== undefined) told.last_error = this.lastError;
      told.processing_time = Math.round(this.busy * NS);
      told.average_processing_time = Math.round(told.processing_time / Math.max(1, answered + failed));
    }
    return this.stats;
  }

  get stats(): ServedStats {
    return { inFlight: this.inFlight, waiting: this.backlog.length, ...this.counts };
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    await this.service?.stop();
    this.aborts?.unsubscribe();
    for (const [request] of this.backlog.splice(0)) {
      this.requests.delete(request.to);
      request.respondError(natsError('ERR_LIBCR_NATS_STOPPED', `${this.name} stops serving`), UNAVAILABLE);
      this.counts.refused++;
    }
    if (this.requests.size > 0)
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    clearInterval(this.beats);
    await flushed(this.nc);
  }

  // ---------------------------------------------------------------- what comes

  private take(message: NatsMsg): void {
    const { reply = '', data } = message;
    if (!this.inboxes.some((prefix) => reply.startsWith(prefix)) || this.requests.has(reply)) {
      this.counts.malformed++;
      return;
    }
    const request = new Request(this, reply);
    let value: unknown;
    try {
      value = decodeMessage(data, this.encoding);
    } catch (error) {
      this.counts.malformed++;
      request.respondError(error, BAD_REQUEST);
      return;
    }
    if (this.inFlight < this.concurrency) this.put(request, value);
    else if (this.backlog.length < this.backlogMax) {
      this.requests.set(reply, request);
      this.backlog.push([request, value]);
    } else {
      this.counts.refused++;
      request.respondError(
        natsError('ERR_LIBCR_NATS_BUSY', `${this.name} has ${this.backlog.length} messages waiting`),
        TOO_MANY,
      );
    }
  }

  private put(request: Request, value: unknown): void {
    const msg = new Msg<unknown, unknown>(value);
    request.msg = msg;
    this.requests.set(request.to, request);
    this.inFlight++;
    if (this.beats === undefined) this.beats = setInterval(() => this.beat(), BEAT).unref();
    receive(this.port, msg, request);
  }

  /** From the backlog, as many as there is room for. A port that is closed answers at once: no deeper with each. */
  private putNext(): void {
    if (this.putting) return;
    this.putting = true;
    try {
      while (this.inFlight < this.concurrency) {
        const next = this.backlog.shift();
        if (next === undefined) return;
        this.put(...next);
      }
    } finally {
      this.putting = false;
    }
  }

  /** The connection is closed: nobody will have the answers. */
  private disconnected(): void {
    const error = natsError('ERR_LIBCR_NATS_CLOSED', 'the connection to the NATS server was closed');
    for (const [request] of this.backlog.splice(0)) this.requests.delete(request.to);
    for (const request of [...this.requests.values()]) this.abortRequest(request, error);
  }

  private abortRequest(request: Request, reason: unknown): void {
    const { msg } = request;
    request.abort(reason);
    if (msg !== undefined) this.aborted?.(msg);
  }

  private abort(message: NatsMsg): void {
    try {
      const { reply, reason } = decodeAbort(message.data);
      const request = this.requests.get(reply);
      if (request === undefined) return; // another server's
      const waiting = this.backlog.findIndex(([each]) => each === request);
      if (waiting >= 0) this.backlog.splice(waiting, 1);
      this.abortRequest(request, reason);
    } catch {
      this.counts.malformed++;
    }
  }

  // ---------------------------------------------------------------- what goes

  /** @internal */
  over(request: Request, error: unknown): void {
    this.requests.delete(request.to);
    this.busy += performance.now() - request.since;
    if (error === undefined) this.counts.answered++;
    else {
      this.counts.failed++;
      this.lastError = headerText(error instanceof Error ? error.message : String(error));
    }
    if (request.msg !== undefined) {
      this.inFlight--;
      this.putNext();
    }
    if (this.requests.size > 0) return;
    clearInterval(this.beats);
    this.beats = undefined;
    this.idle?.();
  }

  private beat(): void {
    const old = performance.now() - BEAT / 2;
    for (const request of this.requests.values()) {
      if (request.since > old) return; // and so did those after it
      request.beat();
    }
  }
}

/**
 * Serves a port to other hosts: each message that is sent to that name, on any connection to the same NATS servers, is put to the port, as one of a userthread beside it would be, and
 * replymsg() answers it there. `msg.signal` is aborted when its sender gives up. What is replied or thrown is cloned.
 *
 * Fulfilled when it can be found. It ends by stop(), or with the connection. Callable on any thread of the rfork that has the connection; on a userthread: wait(serve(…)). Throws (rejects with)
 * TypeError and RangeError for misuse.
 */
export async function serve<T, R>(
  nc: NatsConnection,
  name: string,
  port: MsgPort<T, R>,
  options: ServeOptions & { durable: true | DurableOptions },
): Promise<ServedPort<DurableStats>>;
export async function serve<T, R>(
  nc: NatsConnection,
  name: string,
  port: MsgPort<T, R>,
  options?: ServeOptions,
): Promise<ServedPort>;
export async function serve<T, R>(
  nc: NatsConnection,
  name: string,
  port: MsgPort<T, R>,
  options: ServeOptions = {},
): Promise<ServedPort<unknown>> {
  checkConnection(nc);
  checkName(name);
  checkPort(port);
  checkObject(options);
  checkSubject('options.subject', options.subject);
  checkCount('options.concurrency', options.concurrency);
  checkCount('options.backlog', options.backlog, 0);
  checkEncoding(options.encoding);
  checkService(options);
  const { durable } = options;
  checkDurable(durable);
  if (typeof durable === 'object') checkDurableOptions(durable);
  if (!durable) return await servePort(nc, name, port as unknown as MsgPort, options);
  const taker = takerOf(nc, name, port as unknown as MsgPort, options);
  await taker.start();
  return taker;
}

/** The same without a look at the options, and not durable. */
export async function servePort(
  nc: NatsConnection,
  name: string,
  port: MsgPort,
  options: PortOptions,
): Promise<ServedPort> {
  const served = new Served(nc, name, port, options);
  await served.start(options);
  return served;
}

function checkDurableOptions({ deliveries, ackWait, retryDelay }: DurableOptions): void {
  checkCount('options.durable.deliveries', deliveries);
  checkCount('options.durable.ackWait', ackWait, ACK_WAIT_MIN);
  checkCount('options.durable.retryDelay', retryDelay, 0);
}

function takerOf(nc: NatsConnection, name: string, port: MsgPort, options: ServeOptions): Taker {
  const {
    subject = name,
    queue = QUEUE,
    encoding = 'structured',
    concurrency = Number.POSITIVE_INFINITY,
  } = options;
  const {
    deliveries = DELIVERIES,
    ackWait = ACK_WAIT,
    retryDelay = RETRY_DELAY,
    ...store
  } = Object(options.durable) as DurableOptions;
  return new Taker(nc, port, {
    ...store,
    subject,
    queue,
    encoding,
    concurrency,
    deliveries,
    ackWait,
    retryDelay,
  });
}
