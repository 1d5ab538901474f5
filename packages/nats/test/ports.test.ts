/** ports.test.ts: connect() and serve() on a real server: what goes there and comes back, and what each failure is. */
import { create, curthread, Msg, MsgPort, sleep, snapshot, type TopRforkRunning } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { connect, type ServeOptions, serve, statsOf } from '../src/index.ts';
import { hasServer, on, twoHosts, uniqueName } from './two-hosts.ts';

/** MiB; 1024 for all of it. */
const STREAM = Number(process.env.LIBCR_NATS_STREAM ?? 48);
/** So that four go into the credit, with the two bytes before them. */
const CHUNK = 8192;
const hosts = twoHosts();

/** A port whose messages a userthread answers by that function. */
async function served(
  answer: (data: never, msg: Msg) => unknown,
  options: ServeOptions = {},
): Promise<string> {
  const name = uniqueName();
  const port = new MsgPort(name);
  create(
    () => {
      for (const msg of port)
        create(
          () => {
            try {
              msg.replymsg(undefined, answer(msg.data as never, msg));
            } catch (error) {
              msg.replymsg(error);
            }
          },
          { daemon: true },
        );
    },
    { daemon: true },
  );
  await serve(hosts.there, name, port, options);
  return name;
}

describe.skipIf(!hasServer)('ports on NATS', () => {
  test('domsg to a userthread elsewhere reads as one to a thread beside', async () => {
    const name = await served((n: number) => n * 2);
    const port = connect<number, number>(hosts.here, name);
    expect(await on(() => port.domsg(new Msg(21)))).toBe(42);
    expect(statsOf(port)).toMatchObject({ inFlight: 0, bytes: 0, sent: 1, answered: 1, failed: 0 });
  });

  test('what structured clone takes goes there and back', async () => {
    const port = connect(hosts.here, await served((data) => data));
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const values = [
      undefined,
      null,
      0,
      -0,
      12345678901234567890n,
      'text äöü \u{1f600}',
      'lone \ud800 half',
      '',
      Buffer.from('bytes'),
      Buffer.alloc(0),
      new Uint16Array([1, 2, 3]),
      new Map([[{ a: 1 }, new Set([1, 'b'])]]),
      new Date(0),
      /x/gi,
      { nested: [{ deep: [undefined, null] }] },
      loop,
    ];
    for (const value of values) expect(await on(() => port.domsg(new Msg(value)))).toStrictEqual(value);
    const error = (await on(() => port.domsg(new Msg(new RangeError('as data'))))) as Error;
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe('as data');
  });

  test('what can not be cloned is an error of the sender, or of who answers, and nothing is lost', async () => {
    const port = connect(hosts.here, await served(() => () => 1));
    await expect(on(() => port.domsg(new Msg(() => 1)))).rejects.toThrow('could not be cloned');
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toThrow('could not be cloned');
  });

  test('errors come back as what they are, with the stack of there', async () => {
    const port = connect(
      hosts.here,
      await served(() => {
        throw Object.assign(new TypeError('not like this'), { code: 'ERR_OWN', path: '/x', cause: 1 });
      }),
    );
    const error = (await on(() => port.domsg(new Msg(1))).catch((reason) => reason)) as TypeError & {
      code: string;
    };
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'not like this', code: 'ERR_OWN', path: '/x' });
    expect(error.stack).toMatch(
      /TypeError: not like this\n {4}\[thrown by service-\d+\]\n {4}at .*ports\.test\.ts/,
    );
  });

  test('sendmsg: the reply comes to the reply port', async () => {
    const port = connect<number, number>(hosts.here, await served((n: number) => n + 1));
    const answers = await on(() => {
      const replies = new MsgPort<number, number>('replies');
      for (let i = 0; i < 100; i++) port.sendmsg(new Msg(i, { replyPort: replies as MsgPort }));
      return Array.from({ length: 100 }, () => replies.waitport().result as number);
    });
    expect(answers.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('abortmsg reaches msg.signal there', async () => {
    let seen: unknown;
    const name = await served((_, msg) => {
      const me = curthread();
      msg.signal.addEventListener('abort', () => {
        seen = (msg.signal.reason as Error).message;
        me.abort();
      });
      sleep(100_000);
    });
    const port = connect(hosts.here, name);
    await on(() => {
      const msg = new Msg<number, unknown>(1);
      port.sendmsg(msg);
      sleep(100); // it may be there by now, or not: both have to do
      msg.abortmsg(new Error('no longer'));
      expect(() => msg.waitmsg()).toThrow('aborted');
    });
    expect(seen).toBe('no longer');
  });

  test('a wait that times out aborts the message', async () => {
    const ended: string[] = [];
    const name = await served((_, msg) => {
      const me = curthread();
      msg.signal.addEventListener('abort', () => me.abort());
      try {
        sleep(100_000);
      } finally {
        ended.push('ended');
      }
    });
    const port = connect(hosts.here, name);
    await expect(on(() => port.domsg(new Msg(1), { timeout: 50 }))).rejects.toMatchObject({
      code: 'ERR_LWKT_TIMEOUT',
    });
    while (statsOf(port)?.inFlight !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ended).toEqual(['ended']);
  });

  test('forwardmsg to a third: that one answers the first', async () => {
    const third = await served((n: number) => `third has ${n}`);
    const name = uniqueName();
    const port = new MsgPort<number, unknown>(name);
    const onward = connect<number, unknown>(hosts.there, third);
    create(
      () => {
        for (const msg of port) onward.forwardmsg(msg);
      },
      { daemon: true },
    );
    const second = await serve(hosts.there, name, port);
    const first = connect<number, unknown>(hosts.here, name);
    expect(await on(() => first.domsg(new Msg(7)))).toBe('third has 7');
    expect(second.stats).toMatchObject({ inFlight: 0, answered: 1 });
    expect(statsOf(onward)).toMatchObject({ sent: 0 }); // it was not in between
  });

  test('nobody serves: said at once', async () => {
    const port = connect(hosts.here, uniqueName());
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NO_RESPONDERS',
    });
  });

  test('a time limit', async () => {
    const name = await served((_, msg) => {
      const me = curthread();
      msg.signal.addEventListener('abort', () => me.abort());
      sleep(100_000);
    });
    const port = connect(hosts.here, name, { timeout: 60 });
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'ERR_LIBCR_NATS_TIMEOUT',
    });
  });

  test('too large: here at once, there as the answer', async () => {
    const port = connect(hosts.here, await served((n: number) => Buffer.alloc(n)));
    await expect(on(() => port.domsg(new Msg(Buffer.alloc(2 ** 20))))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_TOO_LARGE',
    });
    await expect(on(() => port.domsg(new Msg(2 ** 20)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_TOO_LARGE',
    });
    expect(await on(() => port.domsg(new Msg(2 ** 20 - 2)))).toHaveLength(2 ** 20 - 2);
  });

  test('concurrency: the port has so many at once, the others wait, and more are refused', async () => {
    const name = uniqueName();
    const port = new MsgPort<number, number>(name);
    const service = await serve(hosts.there, name, port, { concurrency: 2, backlog: 3 });
    const remote = connect<number, number>(hosts.here, name);
    const all = Array.from({ length: 6 }, (_, i) =>
      on(() => remote.domsg(new Msg(i))).catch((error) => error.code),
    );
    while (service.stats.refused === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(service.stats).toMatchObject({ inFlight: 2, waiting: 3, refused: 1 });
    expect(port.length).toBe(2);
    await on(() => {
      for (let i = 0; i < 5; i++) {
        const msg = port.waitport();
        msg.replymsg(undefined, msg.data);
      }
    });
    const answers = await Promise.all(all);
    expect(answers.filter((each) => each === 'ERR_LIBCR_NATS_BUSY')).toHaveLength(1);
    expect(answers.filter((each) => typeof each === 'number')).toHaveLength(5);
  });

  test('credit: who sends more than is answered waits', async () => {
    const name = uniqueName();
    const port = new MsgPort<Buffer, undefined>(name);
    await serve(hosts.there, name, port);
    const remote = connect<Buffer, undefined>(hosts.here, name, { credit: 10_000 });
    let sent = 0;
    const sender = on(() => {
      for (; sent < 10; sent++) remote.sendmsg(new Msg(Buffer.alloc(4000)));
      for (let i = 0; i < 10; i++) curthread().port.waitport();
    });
    await on(() => {
      for (let i = 0; i < 10; i++) {
        const msg = port.waitport();
        expect(statsOf(remote)?.bytes).toBeLessThanOrEqual(10_000);
        expect(sent).toBeLessThanOrEqual(i + 2);
        msg.replymsg();
      }
    });
    await sender;
  });

  test(`a stream of ${STREAM} MiB through a credit of 64 KiB does not grow`, {
    timeout: 60_000 + STREAM * 1000,
  }, async () => {
    const name = uniqueName();
    const port = new MsgPort<Buffer, number>(name);
    await serve(hosts.there, name, port);
    const remote = connect<Buffer, number>(hosts.here, name, { credit: 65_536 });
    const count = (STREAM * 2 ** 20) / CHUNK;
    let most = 0;
    const before = process.memoryUsage();
    const sender = on(() => {
      const replies = new MsgPort<Buffer, number>('replies');
      let back = 0;
      for (let i = 0; i < count; i++) {
        remote.sendmsg(new Msg(Buffer.alloc(CHUNK, i % 256), { replyPort: replies as MsgPort }));
        most = Math.max(most, statsOf(remote)?.bytes ?? 0);
        for (; replies.getport() !== undefined; back++);
      }
      for (; back < count; back++) replies.waitport();
    });
    const received = await on(() => {
      let bytes = 0;
      for (let i = 0; i < count; i++) {
        const msg = port.waitport();
        bytes += msg.data.length;
        expect(msg.data[0]).toBe(i % 256);
        msg.replymsg(undefined, i);
      }
      return bytes;
    });
    await sender;
    expect(received).toBe(STREAM * 2 ** 20);
    expect(most).toBeLessThanOrEqual(65_536);
    const { rss } = process.memoryUsage();
    expect(rss - before.rss).toBeLessThan(128 * 2 ** 20); // V8 collects when it likes
  });

  test('a closed port, a stopped service', async () => {
    const name = uniqueName();
    const port = new MsgPort(name);
    const service = await serve(hosts.there, name, port);
    const remote = connect(hosts.here, name);
    port.close();
    await expect(on(() => remote.domsg(new Msg(1)))).rejects.toMatchObject({ code: 'ERR_LWKT_PORT_CLOSED' });
    await service.stop();
    await expect(on(() => remote.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NO_RESPONDERS',
    });
  });

  test('servers of one name share the work', async () => {
    const name = uniqueName();
    const taken = [0, 0, 0];
    for (let i = 0; i < 3; i++) {
      const port = new MsgPort<number, number>(name);
      create(
        () => {
          for (const msg of port) {
            taken[i]++;
            msg.replymsg(undefined, msg.data);
          }
        },
        { daemon: true },
      );
      await serve(hosts.there, name, port);
    }
    const remote = connect<number, number>(hosts.here, name);
    await on(() => {
      for (let i = 0; i < 300; i++) remote.domsg(new Msg(i));
    });
    expect(taken.reduce((a, b) => a + b)).toBe(300);
    expect(Math.min(...taken)).toBeGreaterThan(0);
  });

  test('JSON, with clients and services that are not ours', async () => {
    const name = await served(({ n }: { n: number }) => ({ twice: n * 2 }), { encoding: 'json' });
    const answer = await hosts.here.request(name, JSON.stringify({ n: 4 }));
    expect(answer.json()).toEqual({ twice: 8 });
    const bad = await hosts.here.request(name, '{');
    expect(bad.headers?.get('Nats-Service-Error-Code')).toBe('400');
    hosts.here.subscribe('other', {
      callback: (_, message) => void message.respond(JSON.stringify({ got: message.json() })),
    });
    await hosts.here.flush();
    const port = connect(hosts.there, 'other', { encoding: 'json' });
    expect(await on(() => port.domsg(new Msg({ a: 1 })))).toEqual({ got: { a: 1 } });
  });

  test('lwkt top shows it', async () => {
    const name = await served((n) => n);
    const port = connect(hosts.here, name);
    await on(() => port.domsg(new Msg(1)));
    const { rforks } = await snapshot();
    const [main] = rforks as TopRforkRunning[];
    expect(main?.remotePorts.find((each) => each.name === name)).toMatchObject({
      inFlight: 0,
      sent: 1,
      failed: 0,
    });
  });

  test('misuse', async () => {
    expect(() => connect({} as never, 'x')).toThrow(TypeError);
    expect(() => connect(hosts.here, 'a b')).toThrow(TypeError);
    expect(() => connect(hosts.here, 'x', { timeout: 0 })).toThrow(RangeError);
    expect(() => connect(hosts.here, 'x', { subject: 'a.*' })).toThrow(TypeError);
    await expect(serve(hosts.here, 'x', {} as never)).rejects.toThrow(TypeError);
    await expect(serve(hosts.here, 'x', new MsgPort(), { concurrency: 0 })).rejects.toThrow(RangeError);
  });
});
