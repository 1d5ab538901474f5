/** two-hosts.ts: a NATS server for a file of tests, with two connections: what they say to each other goes by that server, as two hosts' would. */
import { create } from '@libcr/core';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll } from 'vitest';
import { hasServer, NatsServer } from './nats-server.ts';

export { hasServer, NatsServer } from './nats-server.ts';

export interface TwoHosts {
  readonly server: NatsServer;
  here: NatsConnection;
  there: NatsConnection;
}

/** Started before the file's tests, and ended after them. options: nats-server's. */
export function twoHosts(...options: string[]): TwoHosts {
  const hosts = { server: new NatsServer(...options) } as TwoHosts;
  beforeAll(async () => {
    if (!hasServer) return;
    await hosts.server.start();
    hosts.here = await hosts.server.connect();
    hosts.there = await hosts.server.connect();
  });
  afterAll(async () => {
    await hosts.here?.close();
    await hosts.there?.close();
    await hosts.server.kill();
  });
  return hosts;
}

let names = 0;

/** A name that nobody else serves. */
export const uniqueName = (): string => `service-${++names}`;

/** On a userthread of its own. */
export function on<T>(main: () => T): Promise<T> {
  const finished = create(main).finished as Promise<T>;
  finished.catch(() => {}); // a test may do other things before it looks
  return finished;
}

export async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 5));
}
