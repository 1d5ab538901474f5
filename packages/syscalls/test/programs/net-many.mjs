// An echo server of userthreads in a process of its own, and so many clients in this one, all connected at once: net-many.mjs COUNT.
// Each says something and gets it back, and again when all are there. Prints one line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { create, run, wait } from '@libcr/core';
import { dial, fromStream, listen } from '@libcr/syscalls/net';

const [role, given] = process.argv.slice(2);
const PARALLEL = 500; // connecting at once; the listener's queue is longer

function serve() {
  const listener = listen({ host: '127.0.0.1', backlog: 4096 });
  console.log(listener.address().port);
  let most = 0;
  let now = 0;
  process.once('SIGTERM', () => listener.close());
  listener.serve((conn) => {
    most = Math.max(most, ++now);
    for (const chunk of conn) conn.write(chunk);
    now--;
  });
  console.log(most);
}

function clients(count) {
  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), 'server'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const out = fromStream(server.stdout);
  const port = Number(out.readLine());
  let next = 0;
  const conns = [];
  const dialers = Array.from({ length: PARALLEL }, () =>
    create(() => {
      while (next < count) {
        const i = next++;
        const conn = dial({ host: '127.0.0.1', port });
        conn.write(`hello ${i}\n`);
        if (conn.readLine() === `hello ${i}`) conns[i] = conn;
      }
    }),
  );
  for (const td of dialers) td.join();
  const talkers = conns.map((conn, i) =>
    create(() => {
      conn.write(`again ${i}\n`);
      conn.closeWrite();
      const good = conn.readAll().toString() === `again ${i}\n`;
      conn.close();
      return good;
    }),
  );
  const good = talkers.filter((td) => td.join()).length;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const most = Number(out.readLine());
  const [status] = wait(ended);
  console.log(`${good} of ${count} were answered; ${most} at once; status ${status}`);
}

await run(role === 'server' ? serve : () => clients(Number(given)));
