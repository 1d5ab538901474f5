/**
 * server.ts: the socket at which this process can be looked at: for each line with a request (JSON: SnapshotOptions) a line with the answer (JSON: TopAnswer),
 * in order. client.ts is the other end.
 *
 * Every program under lwkt run has this, and hardly one is looked at: so node:net and node:readline are not imported, but got where they are used.
 *
 * Invariant: neither the socket nor a connection keeps the program alive.
 */
import { unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { CodedError } from '../errors/errors.ts';
import { checkMilliseconds } from '../thread/block.ts';
import { directoryOf, makeDirectory, socketIn } from './place.ts';
import { gather } from './snapshot.ts';
import type { SnapshotOptions, TopSnapshot } from './types.ts';

/** One line of the server's. */
export type TopAnswer = { snapshot: TopSnapshot } | { error: { code: string; message: string } };

const TIMEOUT_DEFAULT = 500;

async function answer(line: string): Promise<TopAnswer> {
  try {
    const { timeout = TIMEOUT_DEFAULT } = (line.trim() === '' ? {} : JSON.parse(line)) as SnapshotOptions;
    checkMilliseconds('timeout', timeout);
    return { snapshot: await gather(timeout, false) };
  } catch (error) {
    const { code = 'ERR_INVALID_ARG_VALUE', message } = error as NodeJS.ErrnoException;
    return { error: { code, message } };
  }
}

function serve(socket: Socket): void {
  socket.unref();
  socket.on('error', () => socket.destroy());
  const lines = process
    .getBuiltinModule('node:readline')
    .createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('error', () => socket.destroy());
  let last: Promise<void> = Promise.resolve();
  lines.on('line', (line) => {
    const answered = answer(line);
    last = last.then(async () => {
      const text = JSON.stringify(await answered);
      if (!socket.destroyed) socket.write(`${text}\n`);
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // exclusive: in a worker of node:cluster too it is this process' own
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
    server.unref();
  });
}

/** Whether somebody listens at a socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = process.getBuiltinModule('node:net').connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.unref();
  });
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it is gone
  }
}

/**
 * From now on this process can be looked at. Rejects with ERR_LWKT_TOP_DIRECTORY, ERR_LWKT_TOP_SERVED where a process of this number is served already, and
 * what the system says.
 */
export async function serveTop(): Promise<void> {
  const uid = process.getuid?.() as number;
  const directory = directoryOf(uid);
  makeDirectory(directory, uid);
  const path = socketIn(directory, process.pid);
  const server = process.getBuiltinModule('node:net').createServer(serve);
  try {
    await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(path))
      throw new CodedError(
        'ERR_LWKT_TOP_SERVED',
        `${path} is in use: by a process with the same number in another container?`,
      );
    remove(path); // of a process that had this number before
    await listen(server, path);
  }
  server.on('error', () => {}); // a connection that could not be accepted
  process.on('exit', () => remove(path));
}
