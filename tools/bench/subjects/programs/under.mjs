// What these subjects share: a program as it is or under the launcher, a server that is started, awaited and ended, and a figure out of what a load tool says.
//
// HOW, the first argument of each subject, is "native" or the number of rforks.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LAUNCHER = join(import.meta.dirname, '../../../../packages/posix-compat/prebuilds/linux-x64/libcr');

export const under = (how) => (how === 'native' ? [] : [LAUNCHER, `--rforks=${how}`, '--']);

/** Runs it to its end; what it has printed. */
export function run(command, options = {}) {
  const [program, ...args] = command;
  const child = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (child.error) throw child.error;
  if (child.status !== 0)
    throw new Error(`${command.join(' ')}: ${child.signal ?? `exit code ${child.status}`}\n${child.stderr}`);
  return child.stdout;
}

/** The nanoseconds of one, by a rate that a load tool has printed. */
export function perSecond(text, pattern) {
  const rate = Number(text.match(pattern)?.[1]);
  if (!(rate > 0)) throw new Error(`no rate (${pattern}) in:\n${text}`);
  return 1e9 / rate;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port) {
  const socket = createConnection({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts the server, calls use() once its port accepts connections (or `ready` says so), and ends it by the signal. */
export async function withServer(
  command,
  { port, ready = () => accepts(port), signal = 'SIGTERM', ...options },
  use,
) {
  const [program, ...args] = command;
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  const ended = once(server, 'exit');
  try {
    while (!(await ready())) {
      if (server.exitCode !== null) throw new Error(`${command.join(' ')}: exit code ${server.exitCode}`);
      await delay(20);
    }
    return await use();
  } finally {
    server.kill(signal);
    await ended;
  }
}
