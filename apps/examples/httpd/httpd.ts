/**
 * httpd.ts: a node:http server whose handlers are userthreads: each may wait, in blocking style, for files,
 * timers and other servers. A client that goes away aborts its handler; SIGINT and SIGTERM let the server end
 * in order. What the routes do is in routes.ts.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { type Group, group, wait } from '@libcr/core';
import { HttpError, openRoot, routes } from './routes.ts';

const USAGE = 'usage: httpd [--port N] FOLDER    (port 0, the default: any free one)\n';

const BASE = 'http://localhost';

/** Runs on a userthread of its own, one for each request. */
function handle(req: IncomingMessage, res: ServerResponse): void {
  let outcome = 'aborted';
  try {
    const { url: target = '/' } = req;
    if (!URL.canParse(target, BASE)) throw new HttpError(400, 'not a URL');
    const url = new URL(target, BASE);
    const route = routes[url.pathname];
    if (req.method !== 'GET') throw new HttpError(405, 'only GET');
    if (route === undefined) throw new HttpError(404, `no route ${url.pathname}`);
    route(url.searchParams, res);
    outcome = String(res.statusCode);
  } catch (error) {
    if (res.destroyed) return; // the client has gone: nobody to tell
    const { name } = error as Error;
    const status = error instanceof HttpError ? error.status : name === 'AbortError' ? 503 : 500;
    outcome = String(status);
    if (status === 500) console.error(error);
    if (res.headersSent) res.destroy();
    else {
      const text =
        status === 503 ? 'shutting down' : status === 500 ? 'internal error' : (error as Error).message;
      res.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
    }
  } finally {
    console.log(`${req.method} ${req.url} ${outcome}`);
  }
}

/** A request gets a userthread, which ends with its client. */
function answer(g: Group, req: IncomingMessage, res: ServerResponse): void {
  if (g.signal.aborted) return void res.writeHead(503, { connection: 'close' }).end('shutting down\n');
  const td = g.create(() => handle(req, res), { name: `${req.method} ${req.url}` });
  res.on('close', () => td.abort('the client has gone')); // nothing happens to one that has finished
}

/** Serves until SIGINT or SIGTERM. All handlers have finished when the group has. */
function serve(port: number, folder: string): void {
  openRoot(folder);
  const server = createServer();
  const closed = once(server, 'close');
  try {
    group((g) => {
      const stop = (): void => {
        server.close(); // no new connections, and idle ones are closed
        g.abort('shutting down');
      };
      server.on('request', (req, res) => answer(g, req, res)).listen(port, '127.0.0.1');
      wait(once(server, 'listening'));
      process.once('SIGINT', stop).once('SIGTERM', stop);
      console.log(`httpd: http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      wait(closed);
    });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
  wait(closed);
  console.log('httpd: closed');
}

function commandLine(): { port: number; folder: string } | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { port: { type: 'string', default: '0' } },
      allowPositionals: true,
    });
    const port = Number(values.port);
    if (positionals.length === 1 && Number.isInteger(port) && port >= 0 && port <= 65_535)
      return { port, folder: positionals[0] as string };
  } catch {
    // an option that does not exist
  }
  return undefined;
}

const given = commandLine();
if (given) serve(given.port, given.folder);
else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
