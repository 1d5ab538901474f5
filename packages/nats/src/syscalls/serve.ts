/**
 * serve.ts: serveSyscalls(): system calls of userthreads on other hosts are made here, under shims that this side alone chooses.
 *
 * Each call is a message to a port, which some userthreads take from: a call that waits (a read of a pipe) holds one of them.
 *
 * Invariant: a session's calls are made by this process only, which has its descriptors; what it has open is closed when its client says good-bye, falls silent, or the service stops.
 */
import { randomBytes } from 'node:crypto';
import { create, curthread, type Msg, MsgPort, type UserThread } from '@libcr/core';
import { abortError, Interruption, interrupt, outOfRange, uninterrupt } from '@libcr/core/internal';
import { type Shim, type SyscallPort, sys } from '@libcr/syscalls';
import type { NatsConnection } from '@nats-io/transport-node';
import { natsError } from '../errors.ts';
import { checkConnection, checkCount, checkName, checkObject, checkSubject } from '../options.ts';
import { Packed } from '../payload.ts';
import { type ServedPort, serve, servePort } from '../serve.ts';
import {
  ANSWER,
  ANSWERS,
  answerWith,
  CALL,
  GONE,
  type Hello,
  keyOf,
  readRequest,
  roomOf,
  SAYS,
  SESSION_SIZE,
  type Welcome,
} from './protocol.ts';
import { Session } from './session.ts';

export interface ServeSyscallsOptions {
  /** In front of the calls that are made here, the outermost first: a policy, most of all. Without one a client does what this process may do to files, pipes and sockets. */
  shims: readonly Shim[];
  /** The subject; the service's name if absent. */
  subject?: string | undefined;
  /** Calls that are made at once, from 1 on; 64 if absent. Those that wait for something count. */
  concurrency?: number | undefined;
  /** Descriptors that a client may have open, from 1 on; 1,024 if absent. More is EMFILE. */
  descriptors?: number | undefined;
}

/** System calls that are served. */
export interface ServedSyscalls {
  /** Clients that have a session, and what they have open together. */
  readonly stats: { sessions: number; descriptors: number; calls: number };
  /** As ServedPort's: the calls that are under way are answered yet, those that wait for something with EINTR; then all descriptors are closed. */
  stop(): Promise<void>;
}

const CONCURRENCY = 64;
const DESCRIPTORS = 1024;
const LOOK = 5000;
/** Clients at once: each that says hello is kept until it has been silent for long. */
const SESSIONS = 10_000;

/** A userthread that makes calls, and the one that it makes now. */
class Worker {
  msg: Msg<Packed, Packed> | undefined;
  session: Session | undefined;
  private readonly td: UserThread = curthread();
  private interruption: Interruption | undefined;

  /** Its call ends with EINTR if it waits. */
  interrupt(): void {
    if (this.interruption !== undefined) return;
    this.interruption = new Interruption(() => abortError('nobody waits for this call'));
    interrupt(this.td, this.interruption);
  }

  /** What was meant for this call does not reach the next one. */
  over(): void {
    this.msg = undefined;
    this.session = undefined;
    if (this.interruption !== undefined) uninterrupt(this.td, this.interruption);
    this.interruption = undefined;
  }
}

/** An answer to what is no call. */
const said = (what: number): Packed => new Packed(answerWith(Buffer.alloc(ANSWER), what));

class Service implements ServedSyscalls {
  private readonly sessions = new Map<string, Session>();
  private readonly port = new MsgPort<Packed, Packed>('system calls', { shared: true });
  private readonly subject: string;
  private readonly served: ServedPort[] = [];
  private readonly workers: Worker[] = [];
  private looks: NodeJS.Timeout | undefined;
  private readonly most: number;
  private room = 0;
  private calls = 0;

  /** most: descriptors of a client. */
  constructor(subject: string, most: number) {
    this.most = most;
    this.subject = `${subject}.${randomBytes(SESSION_SIZE).toString('hex')}`;
  }

  async start(
    nc: NatsConnection,
    name: string,
    { shims, subject, concurrency = CONCURRENCY }: ServeSyscallsOptions,
  ): Promise<void> {
    const calls: SyscallPort = sys.with(...shims);
    this.room = roomOf(nc);
    this.looks = setInterval(() => this.lookForGone(), LOOK).unref();
    for (let i = 0; i < concurrency; i++)
      create(() => this.work(), { name: 'system calls', daemon: true, syscallPort: calls });
    const hellos = new MsgPort<Hello, Welcome>('hello', { putport: () => this.welcome() });
    this.served.push(
      await servePort(nc, name, this.port as unknown as MsgPort, {
        subject: this.subject,
        backlog: Number.POSITIVE_INFINITY,
        encoding: 'packed',
        aborted: (msg) => this.aborted(msg),
      }),
    );
    this.served.push(await serve(nc, name, hellos, { subject }));
  }

  get stats(): ServedSyscalls['stats'] {
    let descriptors = 0;
    for (const { open } of this.sessions.values()) descriptors += open;
    return { sessions: this.sessions.size, descriptors, calls: this.calls };
  }

  async stop(): Promise<void> {
    clearInterval(this.looks);
    const stopped = this.served.map((each) => each.stop());
    for (const worker of this.workers) if (worker.session !== undefined) worker.interrupt();
    await Promise.all(stopped);
    this.port.close();
    for (const session of this.sessions.values()) this.end(session);
  }

  private welcome(): Welcome {
    if (this.sessions.size >= SESSIONS)
      throw natsError('ERR_LIBCR_NATS_BUSY', `there are ${SESSIONS} clients already`);
    const id = randomBytes(SESSION_SIZE);
    const key = keyOf(id);
    this.sessions.set(key, new Session(key, this.most));
    return { session: id, subject: this.subject, room: this.room };
  }

  private work(): void {
    const worker = new Worker();
    this.workers.push(worker);
    for (const msg of this.port) {
      worker.msg = msg;
      try {
        msg.replymsg(undefined, this.answer(worker, msg.data));
      } catch (error) {
        msg.replymsg(error);
      }
      worker.over();
    }
  }

  /** The client does not wait for that call any more. */
  private aborted(msg: Msg): void {
    this.workers.find((worker) => (worker.msg as unknown) === msg)?.interrupt();
  }

  private answer(worker: Worker, packed: Packed): Packed {
    const request = readRequest(packed);
    const session = request && this.sessions.get(request.session);
    if (session === undefined) return said(ANSWERS.stale);
    session.heard = performance.now();
    if (request?.says === SAYS.bye) this.end(session);
    if (request?.says !== SAYS.call) return said(ANSWERS.noted);
    this.calls++;
    worker.session = session;
    return new Packed(answerWith(session.make(packed.bytes, CALL, this.room, ANSWER), ANSWERS.call));
  }

  private lookForGone(): void {
    const old = performance.now() - GONE;
    for (const session of this.sessions.values()) if (session.heard < old) this.end(session);
  }

  private end(session: Session): void {
    this.sessions.delete(session.id);
    for (const worker of this.workers) if (worker.session === session) worker.interrupt();
    create(() => session.end(), { daemon: true });
  }
}

/**
 * Makes system calls of files, pipes and sockets for userthreads on other hosts, who have a shim of remote()'s. What they may do, options.shims say; those are this side's, and see each call as one of this process'. A
 * client uses the descriptors that it has opened, and none of this process'.
 *
 * Fulfilled when it can be found. On a userthread: wait(serveSyscalls(…)). Throws (rejects with) TypeError and RangeError for misuse.
 */
export async function serveSyscalls(
  nc: NatsConnection,
  name: string,
  options: ServeSyscallsOptions,
): Promise<ServedSyscalls> {
  checkConnection(nc);
  checkName(name);
  checkObject(options);
  checkSubject('options.subject', options.subject);
  checkCount('options.concurrency', options.concurrency);
  if (options.concurrency === Number.POSITIVE_INFINITY)
    throw outOfRange('options.concurrency', 'a number of userthreads', options.concurrency);
  checkCount('options.descriptors', options.descriptors);
  const service = new Service(options.subject ?? name, options.descriptors ?? DESCRIPTORS);
  await service.start(nc, name, options);
  return service;
}
