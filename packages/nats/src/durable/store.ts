/**
 * store.ts: where the messages of a durable port are kept until they are acknowledged: two streams of JetStream's, one for those to be handled, one for those that nobody could handle.
 *
 * Invariant: both sides make the same streams, whoever comes first; one that is there and is another is an error.
 */
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { natsError } from '../errors.ts';

export interface StoreOptions {
  /** 'file' if absent: they survive the NATS server. 'memory': they do not. */
  storage?: 'file' | 'memory' | undefined;
  /** How many servers of the cluster keep them: 1 to 5; 1 if absent. */
  replicas?: number | undefined;
}

export interface Store {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Its stream's name. */
  readonly stream: string;
  /** Where messages are published that are to be handled, and those that could not be. */
  readonly subject: string;
  readonly dead: string;
}

const streamOf = (subject: string): string => `libcr-${subject.replaceAll('.', '-')}`;

export function durableSubject(subject: string): string {
  return `${subject}.durable`;
}

export async function openStore(nc: NatsConnection, subject: string, options: StoreOptions): Promise<Store> {
  const { storage = 'file', replicas = 1 } = options;
  const stream = streamOf(subject);
  const common = { storage, num_replicas: replicas } as const;
  const [todo, dead] = [durableSubject(subject), `${subject}.dead`];
  try {
    const manager = await jetstreamManager(nc);
    await manager.streams.add({ ...common, name: stream, subjects: [todo], retention: 'workqueue' });
    await manager.streams.add({ ...common, name: `${stream}-dead`, subjects: [dead] });
    return { client: jetstream(nc), manager, stream, subject: todo, dead };
  } catch (error) {
    throw notDurable(stream, error as Error);
  }
}

export function notDurable(stream: string, cause: Error): Error {
  return natsError('ERR_LIBCR_NATS_NOT_DURABLE', `the stream ${stream} can not be had: ${cause.message}`, {
    cause,
  });
}

/** Whether it makes no sense to try again: there is no JetStream, or the stream is another. Not so: a server that is not ready yet. */
export function isFinal(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (code !== 'ERR_LIBCR_NATS_NOT_DURABLE') return false;
  if (cause instanceof JetStreamApiError) return cause.status >= 400 && cause.status < 500;
  return (cause as Error | undefined)?.name === 'JetStreamNotEnabled';
}
