/** connections.test.ts: ten thousand connections to an echo server that has a userthread for each. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const WANTED = 10_000;
const SPARE = 100; // descriptors besides the connections
const program = join(import.meta.dirname, '../programs', 'connections.mjs');

/** A command that runs with as many open files as are allowed: Node raises its own limit, but says so nowhere. */
const unlimited = (...args: string[]): [string, string[]] => [
  'sh',
  ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', process.execPath, program, ...args],
];

test('all are answered, and none is left', async () => {
  const hard = Number(/^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  const count = Math.min(WANTED, (Number.isNaN(hard) ? WANTED + SPARE : hard) - SPARE);
  if (count < WANTED)
    console.warn(`connections.test.ts: ${count} connections only: the limit of open files is ${hard}`);
  const [command, args] = unlimited('server');
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = await once(server.stdout, 'data');
    for (let again = 0; again < 2; again++) {
      const [client, clientArgs] = unlimited('clients', String(port).trim(), String(count));
      const { status, stdout, stderr } = spawnSync(client, clientArgs, {
        encoding: 'utf8',
        timeout: 280_000,
      });
      expect({ status, stdout, stderr }).toEqual({
        status: 0,
        stdout: `${count} connections, ${3 * count} echoes\n`,
        stderr: '',
      });
    }
  } finally {
    server.kill('SIGKILL');
  }
});
