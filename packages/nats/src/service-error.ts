/**
 * service-error.ts: an error as all services of NATS have it, in a message's headers, written and read: between libcr's ports for errors of the protocol itself, as whoever asks may be no libcr; and for those of other services.
 *
 * Not here: what a userthread has thrown, which goes as it is (payload.ts).
 */
import { CodedError } from '@libcr/core/internal';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type NatsErrorCode, natsError } from './errors.ts';

const TEXT = 'Nats-Service-Error';
const CODE = 'Nats-Service-Error-Code';
/** One of NatsErrorCode. */
const LIBCR_CODE = 'Libcr-Code';
const TEXT_MAX = 1024;

/** A header's value: one line. "" for a text that is empty. */
export function headerText(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').slice(0, TEXT_MAX);
}

/** code: as HTTP's. */
export function writeServiceError(error: unknown, code: number): MsgHdrs {
  const head = headers();
  head.set(TEXT, headerText(error instanceof Error ? error.message : String(error)) || 'an error');
  head.set(CODE, String(code));
  if (error instanceof CodedError) head.set(LIBCR_CODE, error.code);
  return head;
}

/** undefined: they say of no error. subject: who has answered so. */
export function readServiceError(head: MsgHdrs, subject: string): Error | undefined {
  if (!head.has(TEXT)) return undefined;
  const text = head.get(TEXT);
  const code = head.get(LIBCR_CODE) as NatsErrorCode | '';
  if (code.startsWith('ERR_LIBCR_NATS_')) return natsError(code as NatsErrorCode, text);
  const error = natsError('ERR_LIBCR_NATS_SERVICE', `${subject} answered with an error: ${text}`);
  return Object.assign(error, { serviceCode: head.get(CODE) });
}
