/** failures.test.ts: servers that die or stand still, a NATS server that goes and comes back, and messages that somebody else has made. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { create, Msg, MsgPort } from '@libcr/core';
import { createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { connect, serve, statsOf } from '../src/index.ts';
import { linkOf } from '../src/link.ts';
import { hasServer, NatsServer, on, twoHosts, uniqueName, until } from './two-hosts.ts';

const hosts = twoHosts();

const VERSION = 0xc1;

async function echo(connection: NatsConnection, name: string) {
  const port = new MsgPort(name);
  create(
    () => {
      for (const msg of port) msg.replymsg(undefined, msg.data);
    },
    { daemon: true },
  );
  return await serve(connection, name, port);
}

/** A process that serves that name and answers after so many milliseconds, or never: its event loop may stand still meanwhile. */
async function serverProcess(name: string, how: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'programs', 'server.mjs'), hosts.server.url, name, how],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

describe.skipIf(!hasServer)('failures', () => {
  test('a server that is killed while it has the message', async () => {
    const name = uniqueName();
    const child = await serverProcess(name, 'never');
    const port = connect(hosts.here, name, { silence: 2000 });
    const answer = on(() => port.domsg(new Msg(1)));
    await until(() => statsOf(port)?.inFlight === 1);
    child.kill('SIGKILL');
    await expect(answer).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_LOST' });
  });

  test('a server that takes longer than silence lasts, and says so', async () => {
    const name = uniqueName();
    const child = await serverProcess(name, '3500');
    const port = connect(hosts.here, name, { silence: 2500 });
    expect(await on(() => port.domsg(new Msg(1)))).toBe(1);
    child.kill('SIGKILL');
  });

  test('the NATS server goes: at once, and not for good', async () => {
    const own = await new NatsServer().start();
    const client = await own.connect();
    const service = await own.connect();
    const silent = new MsgPort('silent');
    await serve(service, 'silent', silent);
    await echo(service, 'echo');
    const port = connect(client, 'silent', { silence: Number.POSITIVE_INFINITY });
    const echoed = connect(client, 'echo');
    const answer = on(() => port.domsg(new Msg(1)));
    await until(() => silent.length === 1);
    await own.kill();
    await expect(answer).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_DISCONNECTED' });
    await expect(on(() => echoed.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_DISCONNECTED',
    });
    await own.start();
    let result: unknown;
    while (result === undefined) {
      result = await on(() => echoed.domsg(new Msg(2))).catch(({ code }: { code: string }) => {
        expect(['ERR_LIBCR_NATS_DISCONNECTED', 'ERR_LIBCR_NATS_NO_RESPONDERS']).toContain(code);
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(result).toBe(2);
    await client.close();
    await service.close();
    await own.kill();
  });

  test('the connection is closed', async () => {
    const client = await hosts.server.connect();
    const silent = new MsgPort('silent');
    const name = uniqueName();
    await serve(hosts.there, name, silent);
    const port = connect(client, name);
    const answer = on(() => port.domsg(new Msg(1)));
    await until(() => silent.length === 1);
    await client.close();
    await expect(answer).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_CLOSED' });
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({ code: 'ERR_LIBCR_NATS_CLOSED' });
  });

  test('a user who may not', async () => {
    const file = join(hosts.server.folder, 'permissions.conf');
    writeFileSync(
      file,
      'authorization { users = [ { user: a, password: a, permissions: { publish: ["_INBOX.>", "open"], subscribe: [">"] } } ] }\n',
    );
    const own = await new NatsServer('-c', file).start();
    const client = await own.connect({ user: 'a', pass: 'a' });
    const port = connect(client, 'closed', { silence: Number.POSITIVE_INFINITY });
    await expect(on(() => port.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_PERMISSION',
    });
    const open = connect(client, 'open');
    await expect(on(() => open.domsg(new Msg(1)))).rejects.toMatchObject({
      code: 'ERR_LIBCR_NATS_NO_RESPONDERS',
    });
    await client.close();
    await own.kill();
  });
});

describe.skipIf(!hasServer)('what is hostile does nothing but count', () => {
  test('random bytes, and other versions, as requests', async () => {
    const name = uniqueName();
    const service = await echo(hosts.here, name);
    const bytes = [
      Buffer.alloc(0),
      Buffer.from([VERSION]),
      Buffer.from([VERSION + 1, 0, 1]),
      Buffer.from([VERSION, 99, 1]),
    ];
    for (let i = 0; i < 500; i++) bytes.push(randomBytes(i));
    for (let i = 0; i < 500; i++)
      bytes.push(Buffer.concat([Buffer.from([VERSION, i % 3 === 0 ? 16 : 0]), randomBytes(i)]));
    let refused = 0;
    for (const payload of bytes) {
      const answer = await hosts.there.request(name, payload);
      if (answer.headers?.get('Nats-Service-Error-Code') === '400') refused++;
    }
    expect(service.stats.malformed).toBe(refused);
    expect(refused).toBeGreaterThan(600); // some random bytes are values
    expect(service.stats.answered).toBe(bytes.length - refused);
    const port = connect(hosts.there, name);
    expect(await on(() => port.domsg(new Msg('still here')))).toBe('still here');
  });

  test('a forged reply subject gets no answer', async () => {
    const name = uniqueName();
    const service = await echo(hosts.here, name);
    const heard: string[] = [];
    hosts.there.subscribe('elsewhere', { callback: (_, message) => void heard.push(message.subject) });
    await hosts.there.flush();
    for (const reply of ['elsewhere', name, '$JS.API.STREAM.DELETE.x', `${name}.abort`])
      hosts.there.publish(name, Buffer.from([VERSION, 3]), { reply });
    hosts.there.publish(name, Buffer.from([VERSION, 3]));
    await hosts.there.flush();
    await until(() => service.stats.malformed === 5);
    await hosts.there.flush();
    expect(heard).toEqual([]);
    expect(service.stats).toMatchObject({ inFlight: 0, answered: 0 });
  });

  test('a reply subject that is in use already', async () => {
    const name = uniqueName();
    const port = new MsgPort(name);
    const service = await serve(hosts.here, name, port);
    const reply = createInbox();
    for (let i = 0; i < 2; i++) hosts.there.publish(name, Buffer.from([VERSION, 3]), { reply });
    await until(() => service.stats.malformed === 1);
    expect(port.length).toBe(1);
  });

  test('prototypes are not polluted', async () => {
    const name = uniqueName();
    const port = new MsgPort<Record<string, unknown>, unknown>(name);
    await serve(hosts.here, name, port, { encoding: 'json' });
    void hosts.there.request(name, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const structured = uniqueName();
    const ports = [port, new MsgPort<Record<string, unknown>, unknown>(structured)];
    await serve(hosts.here, structured, ports[1] as MsgPort);
    const own = JSON.parse('{"__proto__":{"polluted":1}}');
    void hosts.there.request(structured, Buffer.concat([Buffer.from([VERSION, 0]), serialize(own)]));
    for (const each of ports)
      await on(() => {
        const msg = each.waitport();
        expect(Object.keys(msg.data)).toContain('__proto__');
        expect(({} as { polluted?: number }).polluted).toBeUndefined();
        expect((msg.data as { polluted?: number }).polluted).toBeUndefined();
        msg.replymsg();
      });
  });

  test('answers that are none', async () => {
    const name = uniqueName();
    const answers = [
      Buffer.alloc(0),
      Buffer.from('{}'),
      Buffer.from([VERSION + 1, 0]),
      Buffer.from([VERSION, 77]),
      Buffer.concat([Buffer.from([VERSION, 0]), randomBytes(50)]),
      Buffer.concat([Buffer.from([VERSION, 16]), randomBytes(50)]),
      Buffer.concat([
        Buffer.from([VERSION, 16]),
        serialize({ error: { type: '__proto__', properties: null } }),
      ]),
      Buffer.concat([Buffer.from([VERSION, 16]), serialize(null)]),
    ];
    let i = 0;
    hosts.there.subscribe(name, { callback: (_, message) => void message.respond(answers[i++] as Buffer) });
    await hosts.there.flush();
    const port = connect(hosts.here, name);
    for (const answer of answers)
      await expect(
        on(() => port.domsg(new Msg(1))),
        answer.toString('hex'),
      ).rejects.toThrow();
    expect(({} as { properties?: unknown }).properties).toBeUndefined();
    expect(statsOf(port)).toMatchObject({ inFlight: 0, failed: answers.length });
  });

  test('answers nobody waits for, and aborts of what nobody has', async () => {
    const name = uniqueName();
    const service = await echo(hosts.here, name);
    const port = connect(hosts.here, name);
    let reply = '';
    const sniffed = hosts.there.subscribe(name, {
      callback: (_, message) => {
        reply = message.reply ?? '';
      },
    });
    await hosts.there.flush();
    await on(() => port.domsg(new Msg(1)));
    await until(() => reply !== '');
    sniffed.unsubscribe();
    const before = linkOf(hosts.here).stats.unknown;
    const head = headers();
    head.set('Nats-Service-Error', 'x');
    hosts.there.publish(reply, Buffer.from([VERSION, 1, 2]));
    hosts.there.publish(reply, randomBytes(10), { headers: head });
    hosts.there.publish(`${reply}x`, randomBytes(10));
    await until(() => linkOf(hosts.here).stats.unknown === before + 3);
    for (let i = 0; i < 100; i++) hosts.there.publish(`${name}.abort`, randomBytes(i));
    hosts.there.publish(`${name}.abort`, Buffer.concat([Buffer.from([VERSION, 0]), serialize({ reply: 5 })]));
    hosts.there.publish(
      `${name}.abort`,
      Buffer.concat([Buffer.from([VERSION, 0]), serialize({ reply, reason: { value: 1 } })]),
    );
    await until(() => service.stats.malformed === 101);
    expect(await on(() => port.domsg(new Msg(2)))).toBe(2);
  });
});
