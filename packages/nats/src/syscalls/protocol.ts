/**
 * protocol.ts: what remote() and serveSyscalls() say to each other: messages of the ports that carry them.
 *
 * The first goes to the service's name, and says which of its servers has the session from then on: descriptors are of one process.
 */
import type { PackedCall } from '@libcr/syscalls/wire';
import type { Parcel } from '../payload.ts';

/** To the service's name. */
export type Hello = { hello: 1 };
/** session: a number that can't be guessed. subject: that one's server. */
export type Welcome = { session: string; subject: string; room: number };

/** To that subject. A call's bytes are the parcel's pieces. */
export type Request =
  | Parcel<{ session: string; call: string; args: PackedCall['args'] }>
  /** The client is still there. */
  | { session: string; alive: true }
  /** It is not any more: its descriptors are closed. */
  | { session: string; bye: true };
/** A call's: the reply, and what the kernel has written. stale: the server has no such session (any more). */
export type Answer = Parcel<number> | { stale: true } | undefined;

/** Milliseconds between two words of a client's that is silent otherwise, and after which one is taken for gone. */
export const ALIVE = 10_000;
export const GONE = 45_000;
/** Bytes that a call's buffers may have: so that they go into a message of NATS', which has a megabyte. */
export const ROOM: number = 512 * 1024;
