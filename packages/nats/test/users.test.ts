/** users.test.ts: what users do that nobody has thought of: connections that close, servers that take little, users who may not, values of all kinds, misuse. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { create, curthread, Msg, MsgPort, sleep } from '@libcr/core';
import { sys } from '@libcr/syscalls';
import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { connect, type ServeOptions, serve, statsOf } from '../src/index.ts';
import { linkOf } from '../src/link.ts';
import { remote, serveSyscalls } from '../src/syscalls/index.ts';
import { hasServer, NatsServer, on, twoHosts, uniqueName, until } from './two-hosts.ts';

const hosts = twoHosts('-js');

/** Answers with what it was sent, or throws it if it is an Error. */
async function echo(nc: NatsConnection, name: string, options: ServeOptions = {}) {
  const port = new MsgPort(name);
  create(
    () => {
      for (const msg of port)
        try {
          if (msg.data instanceof Error) throw msg.data;
          msg.replymsg(undefined, msg.data);
        } catch (error) {
          msg.replymsg(error);
        }
    },
    { daemon: true },
  );
  return await serve(nc, name, port, options);
}

/** A NATS server with that configuration, while use() runs. */
async function withServer(text: string, use: (server: NatsServer) => Promise<void>): Promise<void> {
  const file = join(hosts.server.folder, `${uniqueName()}.conf`);
  writeFileSync(file, text);
  const server = await new NatsServer('-c', file).start();
  try {
    await use(server);
  } finally {
    await server.kill();
  }
}

describe.skipIf(!hasServer)('NATS servers', () => {
  test('one that takes little', async () => {
    await withServer('max_payload: 300\n', async (server) => {
      const [here, there] = [await server.connect(), await server.connect()];
      const service = await echo(there, 'echo');
      const port = connect(here, 'echo');
      expect(await on(() => port.domsg(new Msg('x'.repeat(298))))).toHaveLength(298);
      await expect(on(() => port.domsg(new Msg('x'.repeat(299))))).rejects.toMatchObject({
        code: 'ERR_LIBCR_NATS_TOO_LARGE',
      });
      // An error whose stack is larger than that.
      await expect(on(() => port.domsg(new Msg('x'.repeat(200))))).resolves.toHaveLength(200);
      const throwing = new MsgPort('throwing');
      create(
        () => {
          for (const msg of throwing) msg.replymsg(new RangeError('y'.repeat(500)));
        },
        { daemon: true },
      );
      await serve(there, 'throwing', throwing);
      const thrower = connect(here, 'throwing');
      await expect(on(() => thrower.domsg(new Msg(1)))).rejects.toMatchObject({
        code: 'ERR_LIBCR_NATS_TOO_LARGE',
      });
      // And a reason.
      const silent = new MsgPort('silent');
      await serve(there, 'silent', silent);
      await on(() => {
        const msg = new Msg(1);
        connect(here, 'silent').sendmsg(msg);
        const received = silent.waitport();
        msg.abortmsg(new Error('z'.repeat(1000)));
        while (!received.signal.aborted) sleep(5);
        received.replymsg(undefined, 'still');
        expect(msg.waitmsg()).toBe('still');
      });
      await service.stop();
      await here.close();
      await there.close();
    });
  });

  test('users who may not subscribe: said at once, by both sides', async () => {
    const permissions = (more: string): string =>
      `{ publish: ">", subscribe: { allow: ["_INBOX.>", "$SRV.>"${more}] } }`;
    await withServer(
      `authorization { users = [
        { user: deaf, password: x, permissions: { publish: ">", subscribe: ["nothing"] } }
        { user: few, password: x, permissions: ${permissions('')} }
        { user: noaborts, password: x, permissions: ${permissions(', "name"')} }
      ] }\n`,
      async (server) => {
        const deaf = await server.connect({ user: 'deaf', pass: 'x' });
        const port = connect(deaf, 'name', { silence: Number.POSITIVE_INFINITY });
        for (let i = 0; i < 2; i++)
          await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
            code: 'ERR_LIBCR_NATS_PERMISSION',
          });
        for (const user of ['deaf', 'few', 'noaborts']) {
          const nc = await server.connect({ user, pass: 'x' });
          await expect(serve(nc, 'name', new MsgPort()), user).rejects.toMatchObject({
            code: 'ERR_LIBCR_NATS_PERMISSION',
          });
          expect(nc.isClosed()).toBe(false);
          await nc.close();
        }
        await deaf.close();
      },
    );
  });
});

describe.skipIf(!hasServer)('connections', () => {
  test('closed before: each message, and serve(), says so', async () => {
    const nc = await hosts.server.connect();
    await nc.close();
    const closed = { code: 'ERR_LIBCR_NATS_CLOSED' };
    const port = connect(nc, 'x');
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject(closed);
    await expect(serve(nc, 'x', new MsgPort())).rejects.toMatchObject(closed);
    await expect(serve(nc, 'x', new MsgPort(), { durable: true })).rejects.toMatchObject(closed);
    const durable = connect(nc, 'x', { durable: true });
    await expect(on(() => durable.domsg(new Msg(1)))).rejects.toMatchObject(closed);
  });

  test('services are stopped, and system calls closed, while the NATS server is away', async () => {
    const server = await new NatsServer('-js').start();
    const [nc, own] = [await server.connect(), await server.connect()];
    const service = await echo(nc, 'echo');
    const durable = await serve(nc, 'durable', new MsgPort(), { durable: { storage: 'memory' } });
    const syscalls = await serveSyscalls(nc, 'files', { shims: [] });
    const files = remote(own, 'files', { ownsConnection: true });
    await create(() => sys.stat('/'), { syscallPort: sys.with(files) }).finished;
    await server.kill();
    await until(() => !linkOf(own).connected);
    files.close();
    const away = { code: 'ERR_LIBCR_NATS_DISCONNECTED' };
    await expect(serve(nc, 'late', new MsgPort())).rejects.toMatchObject(away);
    const late = connect(nc, 'late');
    await expect(on(() => late.domsg(new Msg(1)))).rejects.toMatchObject(away);
    await Promise.all([service.stop(), durable.stop(), syscalls.stop()]);
    await until(() => own.isClosed());
    await nc.close();
  });

  test('drained, with messages under way on both sides', async () => {
    const name = uniqueName();
    const [client, server] = [await hosts.server.connect(), await hosts.server.connect()];
    const silent = new MsgPort<number, number>(name);
    const service = await serve(server, name, silent);
    const port = connect<number, number>(client, name);
    const answers = [1, 2].map((n) => on(() => port.domsg(new Msg(n))));
    await until(() => silent.length === 2);
    const [one, two] = await on(() => [silent.waitport(), silent.waitport()] as const);
    await server.drain();
    await until(() => one.signal.aborted && two.signal.aborted);
    for (const msg of [one, two]) msg.replymsg(undefined, 1); // nobody hears it: no error
    await service.stop();
    await client.drain();
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_CLOSED' });
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_CLOSED' });
  });

  test('an event loop that stands still for longer than silence lasts hears what was said', async () => {
    const name = uniqueName();
    await echo(hosts.there, name);
    const port = connect(hosts.here, name, { silence: 1000 });
    const answers = [1, 2, 3].map((n) => on(() => port.domsg(new Msg(n))));
    await new Promise((resolve) => setImmediate(resolve));
    for (const end = performance.now() + 2500; performance.now() < end; );
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  });
});

describe.skipIf(!hasServer)('ports', () => {
  test('closed while messages are with it, and wait for it', async () => {
    const name = uniqueName();
    const port = new MsgPort<number, number>(name);
    const service = await serve(hosts.there, name, port, { concurrency: 2, backlog: 5000 });
    const remote = connect<number, number>(hosts.here, name);
    const all = Array.from({ length: 3000 }, (_, n) =>
      on(() => remote.domsg(new Msg(n))).catch(({ code }) => code),
    );
    await until(() => service.stats.waiting === 2998);
    const taken = await on(() => port.waitport());
    port.close();
    taken.replymsg(undefined, 7);
    const outcomes = await Promise.all(all);
    expect(outcomes.filter((each) => each === 7)).toHaveLength(1);
    expect(outcomes.filter((each) => each === 'ERR_LWKT_PORT_CLOSED')).toHaveLength(2999);
    expect(service.stats).toMatchObject({ inFlight: 0, waiting: 0 });
    await service.stop();
  });

  test('one port served by two names, and twice by one', async () => {
    const [one, two] = [uniqueName(), uniqueName()];
    const port = new MsgPort<number, number>('both');
    create(
      () => {
        for (const msg of port) msg.replymsg(undefined, msg.data);
      },
      { daemon: true },
    );
    const services = [
      await serve(hosts.there, one, port),
      await serve(hosts.there, two, port),
      await serve(hosts.there, two, port),
    ];
    for (const name of [one, two]) {
      const remote = connect<number, number>(hosts.here, name);
      await on(() => {
        for (let n = 0; n < 50; n++) expect(remote.domsg(new Msg(n))).toBe(n);
      });
    }
    expect(services.map(({ stats }) => stats.answered).reduce((a, b) => a + b)).toBe(100);
    for (const service of services) await service.stop();
  });

  test('a message that is aborted while it waits there, and one that is answered at that moment', async () => {
    const name = uniqueName();
    const port = new MsgPort<number, number>(name);
    const service = await serve(hosts.there, name, port, { concurrency: 1 });
    const remote = connect<number, number>(hosts.here, name);
    await on(() => {
      const [first, second, third] = [1, 2, 3].map((n) => new Msg<number, number>(n)) as [
        Msg<number, number>,
        Msg<number, number>,
        Msg<number, number>,
      ];
      for (const msg of [first, second, third]) remote.sendmsg(msg);
      const received = port.waitport();
      second.abortmsg('not now');
      expect(() => second.waitmsg()).toThrow('aborted');
      first.abortmsg('too late');
      received.replymsg(undefined, 10);
      expect(first.waitmsg()).toBe(10);
      port.waitport().replymsg(undefined, 30);
      expect(third.waitmsg()).toBe(30);
      third.abortmsg('it is back'); // harmless
    });
    expect(service.stats).toMatchObject({ inFlight: 0, waiting: 0 });
    await service.stop();
  });

  test('durable: aborted by its sender, it is handled all the same', async () => {
    const name = uniqueName();
    const options = { durable: { storage: 'memory', retryDelay: 10 } } as const;
    const remote = connect<number, unknown>(hosts.here, name, options);
    const port = new MsgPort<number, void>(name);
    const service = await serve(hosts.there, name, port, options);
    await on(() => {
      const msg = new Msg<number, unknown>(1);
      remote.sendmsg(msg);
      const received = port.waitport();
      msg.abortmsg('no longer');
      received.replymsg(new Error('once more'));
      port.waitport().replymsg();
      expect(msg.waitmsg()).toMatchObject({ seq: 1 });
    });
    expect(service.stats).toMatchObject({ answered: 1, failed: 1 });
    await service.stop();
  });

  test('values: of all kinds', async () => {
    const name = uniqueName();
    await echo(hosts.there, name);
    const port = connect(hosts.here, name);
    const shared = Buffer.from(new SharedArrayBuffer(8)).fill(7);
    expect(await on(() => port.domsg(new Msg(shared)))).toEqual(Buffer.alloc(8, 7));
    class Point {
      x = 1;
      get length() {
        return this.x;
      }
    }
    expect(await on(() => port.domsg(new Msg(new Point())))).toEqual({ x: 1 });
    const uncloneable: unknown[] = [
      () => 1,
      { deep: [{ method() {} }] },
      Symbol('x'),
      new WeakMap(),
      Promise.resolve(),
      new SharedArrayBuffer(8),
      new Uint8Array(new SharedArrayBuffer(8)).buffer,
      new Proxy({}, {}),
    ];
    for (const [i, value] of uncloneable.entries())
      await expect(
        on(() => port.domsg(new Msg(value))),
        String(i),
      ).rejects.toThrow(/clone/i);
    await expect(on(() => port.domsg(new Msg(new Array(2 ** 22))))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_MALFORMED', // nobody makes an array of that many holes for others
    });
    await expect(
      on(() => port.domsg(new Msg(Array.from({ length: 2 ** 21 }, Math.random)))),
    ).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_TOO_LARGE',
    });
    let deep: unknown = 'a';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    await expect(on(() => port.domsg(new Msg(deep)))).rejects.toThrow();
    expect(statsOf(port)?.inFlight).toBe(0);
    expect(await on(() => port.domsg(new Msg('still here')))).toBe('still here');
  });

  test('JSON: what has no text is refused', async () => {
    const name = uniqueName();
    await echo(hosts.there, name, { encoding: 'json' });
    const port = connect(hosts.here, name, { encoding: 'json' });
    expect(await on(() => port.domsg(new Msg(undefined)))).toBeUndefined();
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const value of [1n, cyclic, () => 1, Symbol('x')])
      await expect(on(() => port.domsg(new Msg(value)))).rejects.toThrow(TypeError);
  });

  test('what is thrown: whatever it is', async () => {
    const name = uniqueName();
    const thrown: unknown[] = [undefined, null, 0, 'text', { a: 1 }, () => 1, Symbol('x')];
    const port = new MsgPort<number, never>(name);
    create(
      () => {
        for (const msg of port) msg.replymsg(thrown[msg.data] ?? new Error('nothing'));
      },
      { daemon: true },
    );
    await serve(hosts.there, name, port);
    const remote = connect<number, never>(hosts.here, name);
    for (let i = 0; i < thrown.length; i++) {
      const outcome = await on(() => remote.domsg(new Msg(i))).then(
        () => 'no error',
        (error: unknown) => error,
      );
      if (typeof thrown[i] === 'object' && thrown[i] !== null) expect(outcome).toEqual(thrown[i]);
      else if (typeof thrown[i] === 'string' || thrown[i] === 0) expect(outcome).toBe(thrown[i]);
      else expect(outcome).toBeInstanceOf(Error);
    }
  });

  test('userthreads that are aborted while they wait for credit', async () => {
    const name = uniqueName();
    const port = new MsgPort<Buffer, void>(name);
    await serve(hosts.there, name, port);
    const remote = connect<Buffer, void>(hosts.here, name, { credit: 10 });
    const senders = Array.from({ length: 5 }, () => create(() => remote.domsg(new Msg(Buffer.alloc(9)))));
    const outcomes = senders.map((td) =>
      td.finished.then(
        () => 'done',
        ({ name }) => name,
      ),
    );
    await until(() => port.length === 1);
    senders[1]?.abort();
    senders[2]?.abort();
    await on(() => {
      for (let i = 0; i < 3; i++) port.waitport().replymsg();
    });
    expect(await Promise.all(outcomes)).toEqual(['done', 'AbortError', 'AbortError', 'done', 'done']);
    expect(statsOf(remote)).toMatchObject({ inFlight: 0, bytes: 0 });
  });

  test('a Worker has connections of its own', async () => {
    const name = uniqueName();
    await echo(hosts.there, name);
    const worker = new Worker(new URL('programs/worker.mjs', import.meta.url), {
      workerData: { url: hosts.server.url, name },
    });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toEqual({ echoed: 'from a worker' });
    const served = connect(hosts.here, `${name}-worker`);
    expect(await on(() => served.domsg(new Msg(20)))).toBe(21);
    await worker.terminate();
    await expect(on(() => served.domsg(new Msg(20)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NO_RESPONDERS',
    });
  });
});

describe.skipIf(!hasServer)('misuse: an error that names what is wrong, at once', () => {
  test.each([
    ['spaces', 'a b'],
    ['a wildcard', '*'],
    ['a wildcard in it', 'a.>'],
    ['dots', 'a.b'],
    ['nothing', ''],
    ['no text', 5],
  ])('a name with %s', async (_, name) => {
    expect(() => connect(hosts.here, name as string)).toThrow(TypeError);
    await expect(serve(hosts.here, name as string, new MsgPort())).rejects.toThrow(TypeError);
  });

  test.each([
    { timeout: 0 },
    { timeout: -1 },
    { timeout: Number.NaN },
    { silence: 999 },
    { silence: 1500.5 },
    { credit: 0 },
  ])('connect() with %o', (options) => {
    expect(() => connect(hosts.here, 'x', options)).toThrow(RangeError);
  });

  test.each([
    { timeout: '5' },
    { encoding: 'xml' },
    { subject: 'a.*' },
    { subject: 'a b' },
    { subject: '' },
    { durable: 'yes' },
  ])('connect() with %o', (options) => {
    expect(() => connect(hosts.here, 'x', options as never)).toThrow(TypeError);
  });

  test.each([
    { concurrency: -1 },
    { concurrency: 0 },
    { concurrency: 1.5 },
    { backlog: -1 },
    { durable: { deliveries: 0 } },
  ])('serve() with %o', async (options) => {
    await expect(serve(hosts.here, 'x', new MsgPort(), options as never)).rejects.toThrow(RangeError);
  });

  test.each([
    { queue: 'a b' },
    { queue: 5 },
    { version: 'one' },
    { description: 5 },
    { inboxes: '_INBOX.' },
    { inboxes: [''] },
    { concurrency: '5' },
  ])('serve() with %o', async (options) => {
    await expect(serve(hosts.here, 'x', new MsgPort(), options as never)).rejects.toThrow(TypeError);
  });

  test('on thread0 a message that has to wait is an error', async () => {
    const name = uniqueName();
    await serve(hosts.there, name, new MsgPort());
    const remote = connect<Buffer, void>(hosts.here, name, { credit: 10 });
    expect(() => remote.domsg(new Msg(Buffer.alloc(1)))).toThrow(
      expect.objectContaining({ code: 'ERR_LWKT_WOULD_BLOCK' }),
    );
    expect(curthread().id).toBe(0);
  });
});
