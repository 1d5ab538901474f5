/**
 * serve.ts: serveSyscalls(): system calls of userthreads on other hosts are made here, under shims that this side alone chooses.
 *
 * Each call is a message to a port, which some userthreads take from: a call that waits (a read of a pipe) holds one of them.
 *
 * Invariant: a session's calls are made by this process only, which has its descriptors; what it has open is closed when its client says good-bye, falls silent, or the service stops.
 */
import { randomUUID } from 'node:crypto';
import { create, type Msg, MsgPort } from '@libcr/core';
import { type Shim, type SyscallPort, sys } from '@libcr/syscalls';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkConnection, checkCount, checkName, checkObject, checkSubject } from '../options.ts';
import { Parcel } from '../payload.ts';
import { type ServedPort, serve } from '../serve.ts';
import { type Answer, GONE, type Hello, type Request, ROOM, type Welcome } from './protocol.ts';
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
  /** As ServedPort's: the calls that are under way are answered yet; then all descriptors are closed. */
  stop(): Promise<void>;
}

const CONCURRENCY = 64;
const DESCRIPTORS = 1024;
const LOOK = 5000;

class Service implements ServedSyscalls {
  private readonly sessions = new Map<string, Session>();
  private readonly port = new MsgPort<Request, Answer>('system calls', { shared: true });
  private readonly subject: string;
  private readonly served: ServedPort[] = [];
  private readonly looks: NodeJS.Timeout;
  private readonly most: number;
  private calls = 0;

  /** most: descriptors of a client. */
  constructor(subject: string, most: number) {
    this.most = most;
    this.subject = `${subject}.${randomUUID().replaceAll('-', '')}`;
    this.looks = setInterval(() => this.lookForGone(), LOOK).unref();
  }

  async start(
    nc: NatsConnection,
    name: string,
    { shims, subject, concurrency = CONCURRENCY }: ServeSyscallsOptions,
  ): Promise<void> {
    const calls: SyscallPort = sys.with(...shims);
    for (let i = 0; i < concurrency; i++)
      create(() => this.work(), { name: 'system calls', daemon: true, syscallPort: calls });
    const hellos = new MsgPort<Hello, Welcome>('hello', { putport: () => this.welcome() });
    this.served.push(
      await serve(nc, name, this.port, { subject: this.subject, backlog: Number.POSITIVE_INFINITY }),
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
    for (const each of this.served) await each.stop();
    this.port.close();
    for (const session of this.sessions.values()) this.end(session);
  }

  private welcome(): Welcome {
    const session = new Session(randomUUID(), this.most);
    this.sessions.set(session.id, session);
    return { session: session.id, subject: this.subject, room: ROOM };
  }

  private work(): void {
    for (const msg of this.port) {
      try {
        msg.replymsg(undefined, this.answer(msg));
      } catch (error) {
        msg.replymsg(error);
      }
    }
  }

  private answer({ data }: Msg<Request, Answer>): Answer {
    const request = Object(data instanceof Parcel ? data.value : data) as Partial<
      Record<'session' | 'call' | 'args' | 'bye', unknown>
    >;
    const session = this.sessions.get(request.session as string);
    if (session === undefined) return { stale: true };
    session.heard = performance.now();
    if (data instanceof Parcel) {
      this.calls++;
      const { reply, filled } = session.make({ ...request, pieces: data.pieces });
      return new Parcel(reply, filled);
    }
    if (request.bye === true) this.end(session);
    return undefined;
  }

  private lookForGone(): void {
    const old = performance.now() - GONE;
    for (const session of this.sessions.values()) if (session.heard < old) this.end(session);
  }

  private end(session: Session): void {
    this.sessions.delete(session.id);
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
  checkCount('options.descriptors', options.descriptors);
  const service = new Service(options.subject ?? name, options.descriptors ?? DESCRIPTORS);
  await service.start(nc, name, options);
  return service;
}
