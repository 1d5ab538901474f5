/** httpd.test.ts: the server's routes, what it refuses, what happens when a client or the server goes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cli, environment, lwkt } from '../../lwkt/test/lwkt.ts';

const program = fileURLToPath(new URL('../httpd/httpd.ts', import.meta.url));
const BIG = Buffer.alloc(5 * 1024 * 1024 + 3, 'more than a socket takes at once');

let scratch = '';
let server: ChildProcess;
let base = '';
let output = '';

/** Waits until the server's output matches. Rejects if the server ends before it does. */
async function printed(pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(output);
    if (match) return match;
    const more = once(server.stdout as NodeJS.ReadableStream, 'data').then(() => true);
    const ended = once(server, 'exit').then(() => false);
    if (!(await Promise.race([more, ended]))) throw new Error(`the server has ended; it printed:\n${output}`);
  }
}

async function text(path: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(base + path);
  return { status: answer.status, body: await answer.text() };
}

function file(name: string): string {
  return `/file?name=${encodeURIComponent(name)}`;
}

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'httpd-test-'));
  mkdirSync(join(scratch, 'root/sub'), { recursive: true });
  writeFileSync(join(scratch, 'secret'), 'secret');
  writeFileSync(join(scratch, 'root/a.txt'), 'a\n');
  writeFileSync(join(scratch, 'root/big'), BIG);
  writeFileSync(join(scratch, 'root/sub/b.txt'), 'b\n');
  writeFileSync(join(scratch, 'root/huge'), '');
  truncateSync(join(scratch, 'root/huge'), 2 ** 28); // a hole, and more than the kernel keeps for a socket
  symlinkSync('../secret', join(scratch, 'root/link'));
  symlinkSync('..', join(scratch, 'root/up'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

beforeEach(async () => {
  output = '';
  server = spawn(process.execPath, [cli, 'run', program, join(scratch, 'root')], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
  });
  const match = await printed(/^httpd: (http:\/\/127\.0\.0\.1:\d+)\/\n/);
  base = match[1] as string;
});
afterEach(async () => {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
});

describe('/file', () => {
  test('gives the file', async () => {
    expect(await text(file('a.txt'))).toEqual({ status: 200, body: 'a\n' });
    expect(await text(file('sub/b.txt'))).toEqual({ status: 200, body: 'b\n' });
    const big = await fetch(base + file('big'));
    expect(Buffer.from(await big.arrayBuffer()).equals(BIG)).toBe(true);
  });

  test.each([
    ['../secret', 400],
    ['sub/../../secret', 400],
    ['/etc/passwd', 400],
    ['', 400],
    ['.', 400],
    ['sub/', 400],
    ['a.txt\0', 400],
    ['link', 404],
    ['up/secret', 404],
    ['sub', 404],
    ['a.txt/x', 404],
    ['none', 404],
    ['x'.repeat(300), 404],
  ])('refuses %j with %d', async (name, status) => {
    const answer = await text(file(name));
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('secret');
  });
});

test('/slow: many sleep at a time, and others are served meanwhile', async () => {
  const sleepers = Array.from({ length: 50 }, () => text('/slow?ms=300'));
  expect(await text(file('a.txt'))).toEqual({ status: 200, body: 'a\n' });
  for (const answer of await Promise.all(sleepers))
    expect(answer).toEqual({ status: 200, body: 'slept 300 ms\n' });
  for (const ms of ['-1', '60001', 'x', ''])
    expect((await text(`/slow?ms=${ms}`)).status, ms).toBe(ms ? 400 : 200);
});

test('/proxy: fetches from this machine only', async () => {
  const proxied = (url: string): string => `/proxy?url=${encodeURIComponent(url)}`;
  expect(await text(proxied(base + file('a.txt')))).toEqual({ status: 200, body: 'a\n' });
  expect(await text(proxied(base + proxied(`${base}/slow?ms=1`)))).toEqual({
    status: 200,
    body: 'slept 1 ms\n',
  });
  expect((await text(proxied(`${base}/none`))).status).toBe(404);
  for (const url of [
    'http://example.com/',
    'http://127.0.0.1.example.com/',
    'file:///etc/passwd',
    'nonsense',
    '',
  ])
    expect((await text(proxied(url))).status, url).toBe(400);
  expect((await text(proxied('http://127.0.0.1:1/'))).status).toBe(502);
});

test('other paths and methods', async () => {
  expect(await text('/none')).toEqual({ status: 404, body: 'no route /none\n' });
  const post = request(`${base}/slow?ms=0`, { method: 'POST' }).end();
  const [answer] = await once(post, 'response');
  answer.resume();
  expect(answer.statusCode).toBe(405);
});

test.each(['/slow?ms=60000', '/file?name=huge'])(
  'a client that goes away aborts its handler: %s',
  async (path) => {
    const client = get(base + path);
    client.on('error', () => {}); // ours
    if (path.startsWith('/file')) {
      const [answer] = await once(client, 'response'); // takes nothing of it: the server waits for "drain"
      answer.on('error', () => {});
    } else await new Promise((resolve) => client.on('socket', (socket) => socket.once('connect', resolve)));
    await text('/slow?ms=0'); // the server has seen the first request: it accepts in order
    client.destroy();
    await printed(new RegExp(`^GET ${path.replace('?', '\\?')} aborted$`, 'm'));
  },
);

test.each(['SIGINT', 'SIGTERM'] as const)('%s: handlers are aborted, status 0', async (signal) => {
  const sleeping = text('/slow?ms=60000');
  await text('/slow?ms=0');
  server.kill(signal);
  expect(await sleeping).toEqual({ status: 503, body: 'shutting down\n' });
  const [status] = await once(server, 'exit');
  expect(status).toBe(0);
  expect(output).toMatch(/^httpd: closed$/m);
});

test('wrong command lines: usage, status 2', async () => {
  for (const args of [[], ['a', 'b'], ['--port', '70000', '.'], ['--port', 'x', '.'], ['--dance', '.']]) {
    const { status, stderr } = await lwkt(['run', program, ...args]);
    expect(stderr, String(args)).toMatch(/^usage: httpd/);
    expect(status, String(args)).toBe(2);
  }
});
