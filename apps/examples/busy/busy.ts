/**
 * busy.ts: an HTTP server with a handler that computes for 200 ms (/heavy) and one that answers at once (/light). The command line says where the
 * one that computes runs: on the event loop, as in any Node program, on a userthread for each request, or on one that is preempted. Nothing else
 * differs; /light is always answered on the event loop. README.md shows how long it has to wait for that.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { create, wait } from '@libcr/core';
import { fit, HEAVY, primes } from './compute.ts';

const USAGE = `usage: busy [--on loop|userthread|preemptible] [--slice MS] [--below N] [--port N]
    --on     where the handler that computes runs ("preemptible" if absent)
    --slice  milliseconds after which it gives way (10 if absent)
    --below  how many numbers /heavy goes through; absent: as many as take 200 ms here
`;

// tour: begin
/** Where the handler that computes runs, by --on. */
const PLACES: Record<string, (handler: () => void, slice: number) => unknown> = {
  loop: (handler) => handler(),
  userthread: (handler) => create(handler),
  preemptible: (handler, slice) => create(handler, { preemptible: true, slice }),
};
// tour: end

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

function pages(place: (handler: () => void) => unknown, below: number): Listener {
  return (req, res) => {
    if (req.url === '/light') res.end('light\n');
    else if (req.url === '/heavy') place(() => res.end(`${primes(below)}\n`));
    else res.writeHead(404).end('no such page\n');
  };
}

function serve(port: number, listener: Listener): void {
  const server = createServer(listener);
  server.listen(port, '127.0.0.1');
  wait(once(server, 'listening'));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  console.log(`busy: http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  wait(once(server, 'close'));
}

function commandLine(): { port: number; listener: Listener } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        on: { type: 'string', default: 'preemptible' },
        slice: { type: 'string', default: '10' },
        below: { type: 'string', default: '' },
        port: { type: 'string', default: '0' },
      },
    });
    const place = Object.hasOwn(PLACES, values.on) ? PLACES[values.on] : undefined;
    const slice = Number(values.slice);
    const port = Number(values.port);
    if (place === undefined || !(slice >= 0.1 && slice <= 10_000) || !/^\d*$/.test(values.below))
      return undefined;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
    const below = values.below === '' ? fit(HEAVY) : Number(values.below);
    return { port, listener: pages((handler) => place(handler, slice), below) };
  } catch {
    return undefined; // an option that does not exist
  }
}

const given = commandLine();
if (given) serve(given.port, given.listener);
else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
