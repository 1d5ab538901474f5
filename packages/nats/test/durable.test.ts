/** durable.test.ts: durable ports on a real server with JetStream: stored, delivered again, put aside. */
import { create, curthread, Msg, MsgPort, sleep } from '@libcr/core';
import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { connect, DurableMsg, type DurableOptions, type Stored, serve } from '../src/index.ts';
import { hasServer, NatsServer, on, twoHosts, uniqueName, until } from './two-hosts.ts';

const hosts = twoHosts('-js');

/** Serves by that function, on one userthread. */
async function take(
  name: string,
  handle: (msg: DurableMsg<number, void>) => void,
  durable: DurableOptions = {},
) {
  const port = new MsgPort<number, void>(name);
  create(
    () => {
      for (const msg of port) {
        try {
          handle(msg as DurableMsg<number, void>);
          msg.replymsg();
        } catch (error) {
          msg.replymsg(error);
        }
      }
    },
    { daemon: true },
  );
  return await serve(hosts.there, name, port, { durable: { storage: 'memory', retryDelay: 10, ...durable } });
}

const MEMORY = { durable: { storage: 'memory' } } as const;

describe.skipIf(!hasServer)('durable ports', () => {
  test('stored first, handled when somebody serves', async () => {
    const name = uniqueName();
    const port = connect<number, Stored>(hosts.here, name, MEMORY);
    const stored = await on(() => [1, 2, 3].map((n) => port.domsg(new Msg(n))));
    expect(stored.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const seen: [number, number][] = [];
    const served = await take(name, (msg) => {
      expect(msg).toBeInstanceOf(DurableMsg);
      seen.push([msg.data, msg.deliveries]);
    });
    await until(() => served.stats.answered === 3);
    expect(seen).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    const { state } = await (await jetstreamManager(hosts.here)).streams.info(`libcr-${name}`);
    expect(state.messages).toBe(0);
    await served.stop();
  });

  test('an error: it is delivered again, and put aside in the end', async () => {
    const name = uniqueName();
    const port = connect<number, Stored>(hosts.here, name, MEMORY);
    const deliveries: number[] = [];
    const served = await take(
      name,
      (msg) => {
        deliveries.push(msg.deliveries);
        throw new Error('never');
      },
      { deliveries: 3 },
    );
    await on(() => port.domsg(new Msg(1)));
    await until(() => served.stats.dead === 1);
    expect(deliveries).toEqual([1, 2, 3]);
    const dead = await (await jetstreamManager(hosts.here)).streams.getMessage(`libcr-${name}-dead`, {
      seq: 1,
    });
    expect(dead?.header.get('Libcr-Error')).toBe('Error: never');
    expect(dead?.header.get('Libcr-Deliveries')).toBe('3');
    await served.stop();
  });

  test('a server that goes away while it has a message: another has it', async () => {
    const name = uniqueName();
    const own = await hosts.server.connect();
    const lost = new MsgPort<number, void>('lost');
    await serve(own, name, lost, { durable: { storage: 'memory', ackWait: 300 } });
    const port = connect<number, Stored>(hosts.here, name, MEMORY);
    await on(() => port.domsg(new Msg(1)));
    await until(() => lost.length === 1);
    await own.close(); // it can't say anything any more
    const seen: number[] = [];
    const served = await take(name, (msg) => seen.push(msg.deliveries), { ackWait: 300 });
    await until(() => served.stats.answered === 1);
    expect(seen).toEqual([2]);
    await served.stop();
  });

  test('one that takes long is not delivered twice', async () => {
    const name = uniqueName();
    const port = connect<number, Stored>(hosts.here, name, MEMORY);
    let taken = 0;
    const served = await take(
      name,
      () => {
        taken++;
        sleep(1500);
      },
      { ackWait: 400 },
    );
    await on(() => port.domsg(new Msg(1)));
    await until(() => served.stats.answered === 1);
    expect(taken).toBe(1);
    await served.stop();
  });

  test('concurrency', async () => {
    const name = uniqueName();
    const port = connect<number, Stored>(hosts.here, name, MEMORY);
    await on(() => {
      for (let i = 0; i < 10; i++) port.sendmsg(new Msg(i));
      for (let i = 0; i < 10; i++) curthread().port.waitport();
    });
    const queue = new MsgPort<number, void>(name);
    const served = await serve(hosts.there, name, queue, { concurrency: 3, ...MEMORY });
    await until(() => queue.length === 3);
    const seen = new Set<number>();
    await on(() => {
      while (seen.size < 10) {
        expect(queue.length).toBeLessThanOrEqual(3);
        const msg = queue.waitport();
        seen.add(msg.data);
        msg.replymsg();
      }
    });
    await served.stop();
  });

  test('without JetStream', async () => {
    const plain = await new NatsServer().start();
    const nc = await plain.connect();
    const port = connect(nc, 'x', { durable: true, timeout: Number.POSITIVE_INFINITY }); // at once
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NOT_DURABLE',
    });
    await expect(serve(nc, 'x', new MsgPort(), { durable: true })).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NOT_DURABLE',
    });
    await nc.close();
    await plain.kill();
  });

  test('a stream that is there, and is another: said at once', async () => {
    const name = uniqueName();
    const manager = await jetstreamManager(hosts.here);
    await manager.streams.add({ name: `libcr-${name}`, subjects: ['others'], storage: 'memory' });
    const port = connect(hosts.here, name, {
      durable: { storage: 'memory' },
      timeout: Number.POSITIVE_INFINITY,
    });
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NOT_DURABLE',
    });
  });

  test('misuse', async () => {
    expect(() => connect(hosts.here, 'x', { durable: { storage: 'tape' as never } })).toThrow(TypeError);
    expect(() => connect(hosts.here, 'x', { durable: { replicas: 6 } })).toThrow(RangeError);
    await expect(serve(hosts.here, 'x', new MsgPort(), { durable: { deliveries: 0 } })).rejects.toThrow(
      RangeError,
    );
    await expect(serve(hosts.here, 'x', new MsgPort(), { durable: { ackWait: 1 } })).rejects.toThrow(
      RangeError,
    );
  });
});
