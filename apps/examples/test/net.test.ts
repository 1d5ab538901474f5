/** net.test.ts: the echo server and its client: both ends of a conversation, and who ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { cli, environment } from '../../lwkt/test/lwkt.ts';

const programs = fileURLToPath(new URL('../', import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(
  program: string,
  ...args: string[]
): ChildProcess & { stdin: Socket; stdout: Socket; stderr: Socket } {
  const child = spawn(process.execPath, [cli, 'run', `${programs}${program}`, ...args], {
    env: environment(),
  });
  children.push(child);
  return child as never;
}

test('clients talk to the echo server; it ends when the last has', async () => {
  const server = start('echo/echo.ts');
  const [first] = (await once(server.stdout, 'data')) as [Buffer];
  const port = /^echo: port (\d+)\n$/.exec(String(first))?.[1];
  const rest = text(server.stdout);
  const clients = ['one', 'two', 'three'].map((word) => {
    const client = start('talk/talk.ts', `tcp://127.0.0.1:${port}`);
    client.stdin.write(`${word}\n`);
    return client;
  });
  for (const client of clients) await once(client.stdout, 'data');
  server.kill('SIGTERM');
  const ended = once(server, 'exit');
  for (const client of clients) client.stdin.end('bye');
  expect(await ended).toEqual([0, null]);
  expect(await rest).toBe(`echo: ${'one\ntwo\nthree\n'.length + 3 * 'bye\n'.length} bytes\n`);
});

test('talk ends when the server does, though standard input goes on', async () => {
  const server = createServer((socket) => socket.end('hello\r\nand good bye'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = start('talk/talk.ts', `tcp://127.0.0.1:${(server.address() as { port: number }).port}`);
  const outputs = Promise.all([text(client.stdout), text(client.stderr)]);
  expect(await once(client, 'exit')).toEqual([0, null]);
  expect(await outputs).toEqual(['hello\nand good bye\n', '']);
  server.close();
});
