/**
 * services.test.ts: a served port is a service as NATS' own tools know it: what `nats micro ls`, `info` and `stats` ask ($SRV.PING, $SRV.INFO.name, $SRV.STATS.name), asked by plain requests, and the answers of the
 * documented form (io.nats.micro.v1.*).
 */
import { create, Msg, MsgPort, sleep } from '@libcr/core';
import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { connect, type ServeOptions, serve } from '../src/index.ts';
import { hasServer, on, twoHosts, uniqueName } from './two-hosts.ts';

const hosts = twoHosts();
const NS = 1e6;

interface Answer {
  type: string;
  name: string;
  id: string;
  version: string;
  metadata: object;
}
interface Endpoint {
  name: string;
  subject: string;
  queue_group: string;
  num_requests: number;
  num_errors: number;
  last_error?: string;
  processing_time: number;
  average_processing_time: number;
  data: { answered: number; inFlight: number };
}

/** A server that answers after some milliseconds, and throws for what is negative. */
async function served(nc: NatsConnection, name: string, options: ServeOptions = {}) {
  const port = new MsgPort<number, number>(name);
  create(
    () => {
      for (const msg of port) {
        sleep(5);
        if (msg.data < 0) msg.replymsg(new RangeError('less than nothing'));
        else msg.replymsg(undefined, msg.data);
      }
    },
    { daemon: true },
  );
  return await serve(nc, name, port, options);
}

/** All who answer within some time, as the tools ask. */
async function ask<T extends Answer>(subject: string, count: number): Promise<T[]> {
  const answers: T[] = [];
  const all = await hosts.here.requestMany(subject, undefined, {
    strategy: 'count',
    maxMessages: count,
    maxWait: 10_000,
  });
  for await (const answer of all) answers.push(answer.json() as T);
  return answers;
}

const identity = { id: expect.stringMatching(/^\w{22}$/), version: '1.2.3', metadata: {} };

describe.skipIf(!hasServer)('served ports as services', () => {
  test('ping, info', async () => {
    const name = uniqueName();
    const one = await served(hosts.there, name, { version: '1.2.3', description: 'halves', queue: 'own' });
    const [ping] = await ask<Answer>(`$SRV.PING.${name}`, 1);
    expect(ping).toEqual({ type: 'io.nats.micro.v1.ping_response', name, ...identity });
    const [info] = await ask<Answer>(`$SRV.INFO.${name}`, 1);
    expect(info).toEqual({
      type: 'io.nats.micro.v1.info_response',
      name,
      ...identity,
      description: 'halves',
      endpoints: [{ name, subject: name, queue_group: 'own', metadata: {} }],
    });
    expect((await ask<Answer>(`$SRV.INFO.${name}.${ping?.id}`, 1))[0]).toEqual(info);
    expect((await ask<Answer>('$SRV.PING', 1))[0]).toEqual(ping); // all services
    await one.stop();
    await expect(hosts.here.request(`$SRV.PING.${name}`)).rejects.toThrow('no responders');
  });

  test('stats: requests, errors and how long they took', async () => {
    const name = uniqueName();
    await served(hosts.there, name, { version: '1.2.3' });
    const port = connect<number, number>(hosts.here, name);
    await on(() => {
      for (let i = 0; i < 10; i++) port.domsg(new Msg(i));
      for (let i = 0; i < 3; i++) expect(() => port.domsg(new Msg(-1))).toThrow('less than nothing');
    });
    await expect(hosts.here.request(name, 'no message of ours')).resolves.toBeDefined();
    const [stats] = await ask<Answer & { started: string; endpoints: Endpoint[] }>(`$SRV.STATS.${name}`, 1);
    expect(stats).toMatchObject({ type: 'io.nats.micro.v1.stats_response', name, ...identity });
    expect(new Date(stats?.started ?? '').toISOString()).toBe(stats?.started);
    expect(stats?.endpoints).toHaveLength(1);
    const endpoint = stats?.endpoints[0] as Endpoint;
    expect(endpoint).toMatchObject({
      name,
      subject: name,
      queue_group: 'q',
      num_requests: 14,
      num_errors: 4,
      last_error: 'less than nothing',
      data: { answered: 10, failed: 3, malformed: 1, inFlight: 0 },
    });
    expect(endpoint.processing_time).toBeGreaterThanOrEqual(13 * 4.9 * NS);
    expect(endpoint.average_processing_time).toBe(Math.round(endpoint.processing_time / 13));
  });

  test('several servers of one name: each answers, and their figures add up', async () => {
    const name = uniqueName();
    const three = [hosts.there, hosts.here, hosts.there];
    for (const nc of three) await served(nc, name, { version: '1.2.3' });
    const pings = await ask<Answer>(`$SRV.PING.${name}`, 3);
    expect(new Set(pings.map(({ id }) => id)).size).toBe(3);
    const port = connect<number, number>(hosts.here, name);
    const sent = 60;
    await on(() => {
      const replies = new MsgPort<number, number>('replies');
      for (let i = 0; i < sent; i++) port.sendmsg(new Msg(i, { replyPort: replies as MsgPort }));
      for (let i = 0; i < sent; i++) replies.waitport();
    });
    const all = await ask<Answer & { endpoints: Endpoint[] }>(`$SRV.STATS.${name}`, 3);
    const endpoints = all.flatMap((each) => each.endpoints);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(pings.map(({ id }) => id)));
    expect(endpoints.map(({ num_requests }) => num_requests).reduce((a, b) => a + b)).toBe(sent);
    expect(endpoints.map(({ data }) => data.answered).reduce((a, b) => a + b)).toBe(sent);
    for (const { num_requests, num_errors } of endpoints) {
      expect(num_requests).toBeGreaterThan(0);
      expect(num_errors).toBe(0);
    }
  });
});
