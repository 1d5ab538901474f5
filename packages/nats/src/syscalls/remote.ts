/**
 * remote.ts: remote(): a shim by which the system calls of userthreads here are made on another host.
 *
 * Invariants:
 *  - A call about files, pipes or sockets is made there, once, or fails; one about this process goes to the level below, and fails if it names a descriptor, which is that host's.
 *  - A descriptor is of one session: when its server is gone, calls with it fail with ESTALE, as those of a network file system do. Calls by path begin a new session.
 */
import { Msg, MsgPort, Serializer } from '@libcr/core';
import { invalidType } from '@libcr/core/internal';
import { constants as c, type Shim, type SysMsg } from '@libcr/syscalls';
import { argumentsOf, OutgoingCall } from '@libcr/syscalls/wire';
import type { NatsConnection } from '@nats-io/transport-node';
import { natsError } from '../errors.ts';
import {
  checkBoolean,
  checkConnection,
  checkMilliseconds,
  checkName,
  checkObject,
  checkSubject,
} from '../options.ts';
import { Packed } from '../payload.ts';
import { connect, openPort } from '../remote-port.ts';
import { ELSEWHERE, mostOf, POLLS, refusalOf, SELECTS, SHORT } from './calls.ts';
import {
  ALIVE,
  ANSWER,
  address,
  CALL,
  type Hello,
  isStale,
  roomOf,
  SAYS,
  SESSION_SIZE,
  type Welcome,
} from './protocol.ts';

export interface RemoteOptions {
  /** The subject; the service's name if absent. */
  subject?: string | undefined;
  /** Milliseconds after which a call fails with ETIMEDOUT: above 0 to 2^31-1. Infinity if absent: a read of a pipe may take long, and a server that is lost is noticed. */
  timeout?: number | undefined;
  /** Whether close() closes the connection, too: for one that is nobody else's, as in a file of shims. */
  ownsConnection?: boolean | undefined;
}

/** The shim, and the end of what it has open there. */
export interface Remote extends Shim {
  /** Closes all descriptors that were opened through it. Calls through it fail with ESTALE afterwards. Does not block; harmless when it is closed. */
  close(): void;
  [Symbol.dispose](): void;
  /** @internal */ readonly ownsConnection: boolean;
}

interface Session {
  readonly id: Uint8Array;
  readonly port: MsgPort<Packed, Packed>;
}

/** What a port's errors are to who makes a call. */
const ERRNO: Readonly<Record<string, number>> = {
  ERR_LIBCR_NATS_TIMEOUT: c.ETIMEDOUT,
  ERR_LIBCR_NATS_NO_RESPONDERS: c.EHOSTDOWN,
  ERR_LIBCR_NATS_LOST: c.EHOSTDOWN,
  ERR_LIBCR_NATS_DISCONNECTED: c.ENETDOWN,
  ERR_LIBCR_NATS_CLOSED: c.ENETDOWN,
  ERR_LIBCR_NATS_TOO_LARGE: c.EMSGSIZE,
  ERR_LIBCR_NATS_BUSY: c.EAGAIN,
  ERR_LIBCR_NATS_STOPPED: c.EHOSTDOWN,
  ERR_LIBCR_NATS_PERMISSION: c.EACCES,
  ERR_LIBCR_NATS_MALFORMED: c.EPROTO,
};
/** Errors after which the server has forgotten what it had, or is another one. */
const LOSES: ReadonlySet<string> = new Set([
  'ERR_LIBCR_NATS_NO_RESPONDERS',
  'ERR_LIBCR_NATS_LOST',
  'ERR_LIBCR_NATS_STOPPED',
]);

/** Whether a call is about what is open there. */
function hasDescriptor(msg: SysMsg): boolean {
  return POLLS.has(msg.name) || (msg.fd !== undefined && msg.fd !== c.AT_FDCWD);
}

/** Throws TypeError for what no server of ours says. */
function checked(welcome: Welcome): Welcome {
  const { session, subject, room } = Object(welcome) as Record<keyof Welcome, unknown>;
  checkSubject('the subject of a server', subject);
  if (!(session instanceof Uint8Array && session.length === SESSION_SIZE && Number(room) > 0))
    throw invalidType('the answer', 'a welcome', welcome);
  return welcome;
}

/** Whether it names a descriptor of any kind. */
const namesDescriptor = (msg: SysMsg): boolean =>
  SELECTS.has(msg.name) ||
  argumentsOf(msg).some(({ format }, i) => format === 'fd' && (msg.args[i] as number) >= 0);

/** undefined for arguments that no call takes. */
function packed(number: number, args: readonly unknown[]): OutgoingCall | undefined {
  try {
    return new OutgoingCall(number, args, CALL);
  } catch {
    return undefined;
  }
}

class Client {
  private readonly nc: NatsConnection;
  private readonly name: string;
  private readonly options: RemoteOptions;
  private readonly hellos: MsgPort<Hello, Welcome>;
  private readonly beginning = new Serializer('the session of a remote system call port');
  private readonly answers = new MsgPort('answers that nobody waits for', { shared: true });
  private readonly alive: NodeJS.Timeout;
  private session: Session | undefined;
  private room = 0;
  private closed = false;

  constructor(nc: NatsConnection, name: string, options: RemoteOptions) {
    this.nc = nc;
    this.name = name;
    this.options = options;
    this.hellos = connect<Hello, Welcome>(nc, name, options);
    this.alive = setInterval(() => this.say(SAYS.alive), ALIVE).unref();
  }

  call(msg: SysMsg): number {
    try {
      return this.make(msg);
    } catch (error) {
      const code = (error as { code?: string }).code ?? '';
      if (LOSES.has(code)) this.session = undefined;
      const errno = ERRNO[code];
      if (errno === undefined) throw error;
      return -errno;
    }
  }

  private make(msg: SysMsg): number {
    const before = this.session;
    if (before === undefined && hasDescriptor(msg)) return -(this.closed ? c.ESTALE : c.EBADF);
    const first = this.send(before ?? this.begin(), msg);
    if (first !== undefined) return first;
    if (this.session === before) this.session = undefined;
    if (hasDescriptor(msg)) return -c.ESTALE;
    return this.send(this.begin(), msg) ?? -c.ESTALE;
  }

  /** undefined: the server does not know the session. */
  private send(session: Session, msg: SysMsg): number | undefined {
    const args = this.shortened(msg);
    const outgoing = packed(msg.number, args);
    if (outgoing === undefined) return -c.EINVAL;
    const answer = session.port.domsg(new Msg(new Packed(address(outgoing.bytes, session.id, SAYS.call))));
    if (isStale(answer)) return undefined;
    const reply = outgoing.finish(answer.bytes, ANSWER);
    if (reply > mostOf(msg.name, args))
      throw natsError(
        'ERR_LIBCR_NATS_MALFORMED',
        `${msg.name} was answered with more bytes than it has asked for`,
      );
    return reply;
  }

  /** Reads and writes may be shorter than asked for; of a program's memory a part is here. */
  private shortened({ name, args }: SysMsg): readonly unknown[] {
    const i = SHORT.get(name);
    if (i === undefined) return args;
    const memory = args[i - 1];
    const most = ArrayBuffer.isView(memory) ? Math.min(this.room, memory.byteLength) : this.room;
    return (args[i] as number) > most ? args.map((value, at) => (at === i ? most : value)) : args;
  }

  /** The session that there is, or a new one. */
  private begin(): Session {
    const hold = this.beginning.enter();
    try {
      if (this.session !== undefined) return this.session;
      if (this.closed) throw Object.assign(new Error('it is closed'), { code: 'ERR_LIBCR_NATS_STOPPED' });
      const { session, subject, room } = checked(this.hellos.domsg(new Msg<Hello, Welcome>({ hello: 1 })));
      this.room = Math.min(room, roomOf(this.nc));
      const { timeout } = this.options;
      const port = openPort<Packed, Packed>(this.nc, this.name, { subject, timeout, encoding: 'packed' });
      this.session = { id: session, port };
      return this.session;
    } finally {
      hold.release();
    }
  }

  /** Something that nobody waits for. */
  private say(what: number): void {
    if (this.session === undefined || this.nc.isClosed() || this.nc.isDraining()) return;
    while (this.answers.getport() !== undefined); // to what was said before
    const { id, port } = this.session;
    const said = new Packed(address(Buffer.alloc(CALL), id, what));
    port.sendmsg(new Msg<Packed, Packed>(said, { replyPort: this.answers }));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.alive);
    this.say(SAYS.bye);
    this.session = undefined;
    if (this.options.ownsConnection && !this.nc.isClosed() && !this.nc.isDraining())
      this.nc.drain().catch(() => this.nc.close()); // it can't be reached
  }
}

/**
 * A shim by which system calls about files, pipes and sockets are made on the host that serves that name (serveSyscalls()): sys.with(remote(nc, 'files-host')). Paths are that host's, and so are descriptors, which other userthreads here
 * can't use without the shim. Calls about this process are made here. Reads and writes may be shorter than asked for.
 *
 * A call fails with ETIMEDOUT (options.timeout), EHOSTDOWN (nobody serves, or whoever did is lost), ENETDOWN (no NATS server), ESTALE (the descriptor was one of a server that is gone); it may have been made then. It blocks the
 * userthread that makes it, and throws ERR_LWKT_WOULD_BLOCK on thread0. Throws TypeError and RangeError for misuse.
 */
export function remote(nc: NatsConnection, name: string, options: RemoteOptions = {}): Remote {
  checkConnection(nc);
  checkName(name);
  checkObject(options);
  checkSubject('options.subject', options.subject);
  checkMilliseconds('options.timeout', options.timeout);
  checkBoolean('options.ownsConnection', options.ownsConnection);
  const client = new Client(nc, name, options);
  return {
    name: `remote ${name}`,
    on: 'all',
    shim: (next) => (msg) => {
      if (ELSEWHERE.has(msg.name)) return client.call(msg);
      return namesDescriptor(msg) ? refusalOf(msg.name) : next(msg);
    },
    ownsConnection: options.ownsConnection ?? false,
    close: () => client.close(),
    [Symbol.dispose]: () => client.close(),
  };
}
