/** options.ts: what callers say, checked: a TypeError or RangeError names what is wrong, and nothing has happened then. */
import { MsgPort } from '@libcr/core';
import { invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Encoding } from './payload.ts';

const MILLISECONDS_MAX = 2 ** 31 - 1;
const REPLICAS_MAX = 5;
/** What a service may be called: the NATS services' own rule. */
const NAME = /^[-\w]+$/;
const VERSION = /^\d+\.\d+\.\d+(-[-\w.]+)?(\+[-\w.]+)?$/;
/** A subject that messages can be sent to. */
const SUBJECT = /^[^\s.*>]+(\.[^\s.*>]+)*$/;

export function checkConnection(nc: unknown): asserts nc is NatsConnection {
  const has = (name: string): boolean => typeof (nc as Record<string, unknown>)[name] === 'function';
  if (typeof nc !== 'object' || nc === null || !['publish', 'subscribe', 'status', 'closed'].every(has))
    throw invalidType('nc', 'a NatsConnection (connect() of @nats-io/transport-node)', nc);
}

export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw invalidType('name', 'of type string', name);
  if (!NAME.test(name)) throw invalidValue(`name "${name}" is not letters, digits, "-" and "_"`);
}

export function checkSubject(what: string, subject: unknown): asserts subject is string | undefined {
  if (subject === undefined) return;
  if (typeof subject !== 'string') throw invalidType(what, 'of type string', subject);
  if (!SUBJECT.test(subject))
    throw invalidValue(`${what} "${subject}" is no subject that messages can be sent to`);
}

/** How a service is shown, and who shares its messages. */
export function checkService(options: {
  queue?: unknown;
  version?: unknown;
  description?: unknown;
  inboxes?: unknown;
}): void {
  const { queue, version, description, inboxes } = options;
  for (const [what, value] of Object.entries({ queue, version, description }))
    if (value !== undefined && typeof value !== 'string')
      throw invalidType(`options.${what}`, 'of type string', value);
  if (queue !== undefined && !NAME.test(queue as string))
    throw invalidValue(`options.queue "${queue}" is not letters, digits, "-" and "_"`);
  if (version !== undefined && !VERSION.test(version as string))
    throw invalidValue(`options.version "${version}" is no semantic version, as 1.2.3`);
  if (inboxes === undefined) return;
  if (!Array.isArray(inboxes)) throw invalidType('options.inboxes', 'an array', inboxes);
  for (const prefix of inboxes)
    if (typeof prefix !== 'string' || prefix === '')
      throw invalidType('each of options.inboxes', 'what subjects begin with', prefix);
}

export function checkPort(port: unknown): asserts port is MsgPort {
  if (!(port instanceof MsgPort)) throw invalidType('port', 'an instance of MsgPort', port);
}

export function checkObject(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
}

/** A number from least (above 0) on; undefined and Infinity are as they are. */
export function checkCount(what: string, value: unknown, least = 1): asserts value is number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (typeof value !== 'number') throw invalidType(what, 'of type number', value);
  if (!Number.isInteger(value) || value < least) throw outOfRange(what, `an integer >= ${least}`, value);
}

export function checkMilliseconds(what: string, value: unknown): asserts value is number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (typeof value !== 'number') throw invalidType(what, 'of type number', value);
  if (!(value > 0 && value <= MILLISECONDS_MAX))
    throw outOfRange(what, `> 0 and <= ${MILLISECONDS_MAX}, or Infinity`, value);
}

export function checkBoolean(what: string, value: unknown): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(what, 'of type boolean', value);
}

export function checkEncoding(value: unknown): asserts value is Encoding | undefined {
  if (value !== undefined && value !== 'structured' && value !== 'json')
    throw invalidType('options.encoding', "'structured' or 'json'", value);
}

/** What durable ports of both sides have. */
export function checkDurable(durable: unknown): void {
  if (durable === undefined || typeof durable === 'boolean') return;
  if (typeof durable !== 'object' || durable === null)
    throw invalidType('options.durable', 'of type boolean or object', durable);
  const { storage, replicas } = durable as { storage?: unknown; replicas?: unknown };
  if (storage !== undefined && storage !== 'file' && storage !== 'memory')
    throw invalidType('options.durable.storage', "'file' or 'memory'", storage);
  checkCount('options.durable.replicas', replicas);
  if (replicas !== undefined && (replicas as number) > REPLICAS_MAX)
    throw outOfRange('options.durable.replicas', `<= ${REPLICAS_MAX}`, replicas);
}
