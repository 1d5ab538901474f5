/**
 * protocol.ts: what remote() and serveSyscalls() say to each other: messages of the ports that carry them.
 *
 * The first goes to the service's name, and says which of its servers has the session from then on: descriptors are of one process. All others go to that server's own subject, and are bytes: what all messages have in
 * front (payload.ts), the session, what is said, and what belongs to that; an answer has no session.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { HEAD, type Packed } from '../payload.ts';

/** To the service's name. */
export type Hello = { hello: 1 };
/** session: 16 bytes that can't be guessed. subject: that one's server. room: bytes that a call's buffers may have. */
export type Welcome = { session: Uint8Array; subject: string; room: number };

export const SESSION_SIZE = 16;
const SESSION: number = HEAD;
const SAID: number = SESSION + SESSION_SIZE;
/** Where a call begins (@libcr/syscalls/wire). */
export const CALL: number = SAID + 1;

export const SAYS = {
  call: 0,
  /** The client is still there. */
  alive: 1,
  /** It is not any more: its descriptors are closed. */
  bye: 2,
} as const;

const ANSWERED: number = HEAD;
/** Where the answer to a call begins. */
export const ANSWER: number = ANSWERED + 1;

export const ANSWERS = {
  call: 0,
  /** The server has no such session, or not any more. */
  stale: 1,
  noted: 2,
} as const;

/** bytes: with room for it in front. */
export function address(bytes: Buffer, session: Uint8Array, says: number): Buffer {
  bytes.set(session, SESSION);
  bytes[SAID] = says;
  return bytes;
}

/** What is said, and by which session: undefined for what is no request. */
export function readRequest({ bytes }: Packed): { session: string; says: number } | undefined {
  const says = bytes[SAID];
  return says === undefined ? undefined : { session: bytes.toString('latin1', SESSION, SAID), says };
}

export const keyOf = (session: Uint8Array): string => Buffer.from(session).toString('latin1');

export function answerWith(bytes: Buffer, what: number): Buffer {
  bytes[ANSWERED] = what;
  return bytes;
}

export const isStale = ({ bytes }: Packed): boolean => bytes[ANSWERED] === ANSWERS.stale;

/** Milliseconds between two words of a client's that is silent otherwise, and after which one is taken for gone. */
export const ALIVE = 10_000;
export const GONE = 45_000;
const ROOM = 512 * 1024;
const ROOM_MIN = 1024;
/** What a message has besides its buffers, at most: their lengths, paths. */
const BESIDES = 16 * 1024;

/** Bytes that a call's buffers may have, so that it goes into a message of that connection's NATS server. */
export function roomOf({ info }: NatsConnection): number {
  return Math.max(ROOM_MIN, Math.min(ROOM, (info?.max_payload ?? ROOM * 2) - BESIDES));
}
