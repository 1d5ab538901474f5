/**
 * errors.ts: the errors of ports on NATS, with their codes.
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | ERR_LIBCR_NATS_NO_RESPONDERS | Error | nobody serves that name: the NATS server says so at once |
 * | ERR_LIBCR_NATS_TIMEOUT | Error, name TimeoutError | the port's timeout passed without an answer |
 * | ERR_LIBCR_NATS_LOST | Error | whoever had the message has fallen silent: it was killed, or its event loop stands still |
 * | ERR_LIBCR_NATS_DISCONNECTED | Error | the connection to the NATS server is down, or went down while the message was under way |
 * | ERR_LIBCR_NATS_CLOSED | Error | the connection has been closed, or is being drained |
 * | ERR_LIBCR_NATS_TOO_LARGE | Error | a message, or an answer, is larger than the NATS server takes (its max_payload) |
 * | ERR_LIBCR_NATS_BUSY | Error | the server has as many messages waiting as it takes |
 * | ERR_LIBCR_NATS_STOPPED | Error | the server stops serving, and had not given the message to its port yet |
 * | ERR_LIBCR_NATS_MALFORMED | Error | a message or an answer is none of this protocol, or of another version |
 * | ERR_LIBCR_NATS_PERMISSION | Error | the NATS server does not let this user publish there, or subscribe to it |
 * | ERR_LIBCR_NATS_SERVICE | Error | a service that is not libcr's answered with an error; serviceCode is its code |
 * | ERR_LIBCR_NATS_NOT_DURABLE | Error | the NATS server has no JetStream, or not the stream that a durable port needs |
 *
 * What the other side's userthread has thrown is thrown here as it is there: name, message, code and other plain properties, and its stack behind a line that says where it is from.
 */
import { CodedError } from '@libcr/core/internal';
import type { NatsConnection } from '@nats-io/transport-node';

export type NatsErrorCode =
  | 'ERR_LIBCR_NATS_NO_RESPONDERS'
  | 'ERR_LIBCR_NATS_TIMEOUT'
  | 'ERR_LIBCR_NATS_LOST'
  | 'ERR_LIBCR_NATS_DISCONNECTED'
  | 'ERR_LIBCR_NATS_CLOSED'
  | 'ERR_LIBCR_NATS_TOO_LARGE'
  | 'ERR_LIBCR_NATS_BUSY'
  | 'ERR_LIBCR_NATS_STOPPED'
  | 'ERR_LIBCR_NATS_MALFORMED'
  | 'ERR_LIBCR_NATS_PERMISSION'
  | 'ERR_LIBCR_NATS_SERVICE'
  | 'ERR_LIBCR_NATS_NOT_DURABLE';

export function natsError(code: NatsErrorCode, message: string, options?: ErrorOptions): Error {
  return new CodedError(code, message, options);
}

export function natsTimeout(subject: string, milliseconds: number): Error {
  const error = natsError('ERR_LIBCR_NATS_TIMEOUT', `no answer from ${subject} within ${milliseconds} ms`);
  error.name = 'TimeoutError';
  return error;
}

/** Whether the server of that connection would take it. */
export function fits({ info }: NatsConnection, payload: Uint8Array): boolean {
  return payload.length <= (info?.max_payload ?? Number.POSITIVE_INFINITY);
}

/** Throws ERR_LIBCR_NATS_TOO_LARGE for what the server of that connection would not take. */
export function checkSize(nc: NatsConnection, what: string, payload: Uint8Array): void {
  if (!fits(nc, payload))
    throw natsError(
      'ERR_LIBCR_NATS_TOO_LARGE',
      `${what} has ${payload.length} bytes, and the NATS server takes ${nc.info?.max_payload} at most`,
    );
}
