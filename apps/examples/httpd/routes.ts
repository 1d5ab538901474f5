/**
 * routes.ts: what the server answers, as plain functions that block their userthread: no callbacks, no async.
 * Each throws HttpError for a request that cannot be answered; an AbortError passes through, and `finally`
 * gives back what is open.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { sleep, wait } from '@libcr/core';
import { constants, sys } from '@libcr/syscalls';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_CLOEXEC } = constants;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** A failure that the client is told about. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

let root = -1;

/** The folder that /file serves from. */
export function openRoot(folder: string): void {
  root = sys.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/**
 * Opens a file below root, one step at a time and following no link: so no name, and no link in the folder,
 * leads out of it.
 */
function openBelow(name: string): number {
  const steps = name.split('/');
  if (steps.some((step) => step === '' || step === '.' || step === '..' || step.includes('\0')))
    throw new HttpError(400, 'not a name below the folder');
  let fd = root;
  try {
    for (const [i, step] of steps.entries()) {
      const flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (i < steps.length - 1 ? O_DIRECTORY : O_NONBLOCK);
      const next = sys.openat(fd, step, flags);
      if (fd !== root) sys.close(fd);
      fd = next;
    }
    if (!sys.fstat(fd).isFile()) throw new HttpError(404, 'no such file');
    return fd;
  } catch (error) {
    if (fd !== root) sys.close(fd);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw new HttpError(403, 'permission denied');
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(code ?? ''))
      throw new HttpError(404, 'no such file');
    throw error;
  }
}

function file(params: URLSearchParams, res: ServerResponse): void {
  const fd = openBelow(params.get('name') ?? '');
  try {
    res.writeHead(200, { 'content-type': 'application/octet-stream' });
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(64 * 1024); // a fresh one: res keeps it until it is sent
      const n = sys.read(fd, buffer);
      if (n === 0) break;
      if (!res.write(buffer.subarray(0, n))) wait(once(res, 'drain'));
    }
    res.end();
  } finally {
    sys.close(fd);
  }
}

function slow(params: URLSearchParams, res: ServerResponse): void {
  const ms = Number(params.get('ms') ?? Number.NaN);
  if (!(ms >= 0 && ms <= 60_000)) throw new HttpError(400, 'ms must be 0 to 60000');
  sleep(ms);
  res.end(`slept ${ms} ms\n`);
}

function proxy(params: URLSearchParams, res: ServerResponse): void {
  const given = params.get('url') ?? '';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'http:' || !LOOPBACK.test(url.hostname))
    throw new HttpError(400, 'url must be an http: one of this machine');
  const controller = new AbortController();
  try {
    const { signal } = controller;
    const answer = wait(fetch(url, { signal, redirect: 'error' }));
    const body = wait(answer.text());
    res
      .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
      .end(body);
  } catch (error) {
    if (error instanceof TypeError) throw new HttpError(502, 'the other server does not answer');
    throw error;
  } finally {
    controller.abort(); // gives up the fetch, if it is still under way
  }
}

export const routes: Record<string, (params: URLSearchParams, res: ServerResponse) => void> = {
  '/file': file,
  '/slow': slow,
  '/proxy': proxy,
};
