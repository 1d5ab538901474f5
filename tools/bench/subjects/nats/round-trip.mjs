// One round trip between two processes by a NATS server on loopback, AT_ONCE of them under way: round-trip.mjs HOW AT_ONCE, with HOW one of
//   request   the client's own request() to a plain subscription, 16 bytes there and back
//   domsg     domsg() to a served port, the same bytes
//   block     request(), 16 bytes there and 4 KiB back
//   pread     pread64 of 4 KiB of a file that a served system call port has
// Prints nanoseconds for one: the time for all by their number.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, Msg, MsgPort, run } from '@libcr/core';
import { connect, serve } from '@libcr/nats';
import { remote, serveSyscalls } from '@libcr/nats/syscalls';
import { constants, sys } from '@libcr/syscalls';
import { connect as connectNats } from '@nats-io/transport-node';
import { sampleAsync } from '../../sample.mjs';

const EACH = 4000;
const BLOCK = 4096;
const [how, atOnce, url] = process.argv.slice(2);

async function respond() {
  const nc = await connectNats({ servers: url });
  nc.subscribe('request', { callback: (_, message) => message.respond(message.data) });
  const block = Buffer.alloc(BLOCK, 1);
  nc.subscribe('block', { callback: (_, message) => message.respond(block) });
  const port = new MsgPort('domsg');
  create(
    () => {
      for (const msg of port) msg.replymsg(undefined, msg.data);
    },
    { daemon: true },
  );
  await serve(nc, 'domsg', port);
  await serveSyscalls(nc, 'pread', { shims: [] });
  console.log('ready');
}

function libraryOperation(nc) {
  const bytes = Buffer.alloc(16, 1);
  const subject = how === 'block' ? 'block' : 'request';
  return () => nc.request(subject, bytes, { timeout: 60_000 });
}

/** n operations, atOnce at a time, as promises. */
async function promises(operation, n) {
  let left = n;
  const one = async () => {
    while (left-- > 0) await operation();
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, one));
}

/** The same on userthreads. */
function userthreads(operation, n, port) {
  let left = n;
  const one = () => {
    while (left-- > 0) operation();
  };
  const threads = Array.from({ length: Number(atOnce) }, () => create(one, { syscallPort: port }));
  for (const td of threads) td.join();
}

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'libcr-bench-'));
  const path = join(folder, 'block');
  writeFileSync(path, Buffer.alloc(BLOCK, 1));
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  while (!text.includes('Server is ready')) text += String((await once(server.stderr, 'data'))[0]);
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(text);
  const responder = spawn(process.execPath, [process.argv[1], 'respond', atOnce, `127.0.0.1:${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(responder.stdout, 'data');
  const nc = await connectNats({ servers: `127.0.0.1:${port}` });
  const sample = (all) => sampleAsync(EACH, all);
  if (how === 'request' || how === 'block') {
    const operation = libraryOperation(nc);
    await sample(() => promises(operation, EACH));
  } else if (how === 'domsg') {
    const remotePort = connect(nc, 'domsg');
    const bytes = Buffer.alloc(16, 1);
    await sample(() => run(() => userthreads(() => remotePort.domsg(new Msg(bytes)), EACH)));
  } else {
    const calls = sys.with(remote(nc, 'pread'));
    const fd = await create(() => sys.open(path, constants.O_RDONLY), { syscallPort: calls }).finished;
    const read = () => sys.pread64(fd, Buffer.allocUnsafe(BLOCK), BLOCK, 0);
    await sample(() => run(() => userthreads(read, EACH, calls)));
  }
  await nc.close();
  responder.kill('SIGKILL');
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}

await (how === 'respond' ? respond() : measure());
