// Starts an echo server (sys, net: echo-server.mjs; c: echo-server.c), puts the load on it, and prints what the load generator has measured.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const [scratch, kind, connections] = process.argv.slice(2);
const [program, ...args] =
  kind === 'c'
    ? [join(scratch, 'echo-server')]
    : [process.execPath, join(import.meta.dirname, 'echo-server.mjs'), kind];
const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
const [port] = await once(server.stdout, 'data');
const { status, stdout, stderr } = spawnSync(join(scratch, 'echo-load'), [String(port).trim(), connections]);
server.kill('SIGKILL');
if (status !== 0) throw new Error(`echo-load: ${stderr}`);
console.log(String(stdout).trim());
