/**
 * request.ts: a message that has come from NATS, until it is answered: where the answer goes.
 *
 * Invariant: it is answered once, or has been passed on to another service, which answers then.
 */
import type { Msg } from '@libcr/core';
import { type Answerer, abortError } from '@libcr/core/internal';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkSize } from './errors.ts';
import { publishIfOpen } from './link.ts';
import { encode, encodeBeat, encodeFailure, encodeMoved, type InnerEncoding } from './payload.ts';
import { writeServiceError } from './service-error.ts';

const BEAT = encodeBeat();
/** What HTTP calls an internal server error: the services' convention. */
const INTERNAL = 500;

/** Whom a request belongs to. */
export interface Desk {
  readonly nc: NatsConnection;
  readonly subject: string;
  readonly encoding: InnerEncoding;
  /** It is answered, or gone. error: undefined for a result. */
  over(request: Request, error: unknown): void;
}

export class Request implements Answerer {
  /** Where the answer goes: an inbox. */
  readonly to: string;
  /** When it came, by performance.now(). */
  readonly since: number = performance.now();
  /** Put to the port. undefined: it waits for its turn. */
  msg: Msg | undefined;
  private readonly desk: Desk;

  constructor(desk: Desk, to: string) {
    this.desk = desk;
    this.to = to;
  }

  /** From msg.replymsg(). Throws DataCloneError and ERR_LIBCR_NATS_TOO_LARGE, and has done nothing then; where the connection is closed the answer is dropped. */
  reply(error: unknown, result: unknown): void {
    if (error === undefined) this.publish(encode(result, this.desk.encoding), 'the answer');
    else this.fail(error);
    this.desk.over(this, error);
  }

  /** Answered with an error, which never fails: one that can't be sent as it is goes without what makes it so. */
  private fail(error: unknown): void {
    if (this.desk.encoding === 'json') {
      this.respondError(error, INTERNAL);
      return;
    }
    try {
      this.publish(encodeFailure(error), 'the error');
    } catch (tooLargeError) {
      this.respondError(tooLargeError, INTERNAL);
    }
  }

  /** An error as all services of NATS have it. For errors of the protocol: whoever asks may be no libcr. */
  respondError(error: unknown, code: number): void {
    publishIfOpen(this.desk.nc, this.to, undefined, { headers: writeServiceError(error, code) });
  }

  private publish(payload: Uint8Array, what: string): void {
    const { nc } = this.desk;
    if (nc.isClosed()) return;
    checkSize(nc, `${what} of ${this.desk.subject}`, payload);
    publishIfOpen(nc, this.to, payload);
  }

  /** Says that it is still being worked on. */
  beat(): void {
    if (this.desk.encoding !== 'json') this.publish(BEAT, 'a beat');
  }

  /** Its sender does not want the answer any more. */
  abort(reason: unknown): void {
    if (this.msg !== undefined) this.msg.abortmsg(reason);
    else this.reply(abortError(reason), undefined);
  }

  // ---------------------------------------------------------------- passing it on

  /** Whether another service can answer it in this one's stead: what it is sent by that connection, its answer goes where this one's would. */
  canMove(nc: NatsConnection, encoding: InnerEncoding): boolean {
    return nc === this.desk.nc && encoding === 'structured' && this.desk.encoding === 'structured';
  }

  /** It is that service's now. */
  move(subject: string, payload: Uint8Array): void {
    this.desk.nc.publish(this.to, encodeMoved(subject));
    this.desk.nc.publish(subject, payload, { reply: this.to });
    this.desk.over(this, undefined);
  }
}
