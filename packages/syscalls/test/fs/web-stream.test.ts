/** web-stream.test.ts: FileHandle.readableWebStream of @libcr/syscalls/fs beside node:fs'. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import type { ReadableStream, ReadableStreamBYOBReader } from 'node:stream/web';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { temporaryFolder } from '../support.ts';

// biome-ignore lint/suspicious/noExplicitAny: @types/node is older than the options
type Handle = any;
const path = join(temporaryFolder(), 'file');
const text = Array.from({ length: 5000 }, (_, i) => `${i} ä\n`).join('');
nodeFs.writeFileSync(path, text);

const codeOf = (error: { code?: string; name: string; message: string }): unknown =>
  error.code === 'ERR_INVALID_STATE' ? error.message : (error.code ?? error.name);

function codeThrown(fn: () => unknown): unknown {
  try {
    return typeof fn();
  } catch (error) {
    return codeOf(error as Error);
  }
}

async function textOf(stream: ReadableStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(new Uint8Array(chunk as ArrayBuffer));
  return Buffer.concat(chunks).toString();
}

const operations: Record<string, (handle: Handle) => Promise<unknown>> = {
  'to the end; the file stays open, and has no second stream': async (handle) => {
    const read = await textOf(handle.readableWebStream({ type: 'bytes' }));
    return [read === text, handle.fd >= 0, codeThrown(() => handle.readableWebStream({ type: 'bytes' }))];
  },
  'from where the file is at': async (handle) => {
    await handle.read(Buffer.alloc(4), 0, 4, null);
    return (await textOf(handle.readableWebStream({ type: 'bytes' }))) === text.slice(4);
  },
  'into a buffer of the reader': async (handle) => {
    const reader = handle
      .readableWebStream({ type: 'bytes' })
      .getReader({ mode: 'byob' }) as ReadableStreamBYOBReader;
    const { value, done } = await reader.read(new Uint8Array(10));
    return [Buffer.from(value as Uint8Array).toString(), done];
  },
  'cancelled: the file stays open': async (handle) => {
    const stream = handle.readableWebStream({ type: 'bytes' });
    await stream.cancel();
    return [handle.fd >= 0, await textOf(stream)];
  },
  'closed with the file, also where it is being read': async (handle) => {
    const reader = handle.readableWebStream({ type: 'bytes' }).getReader();
    const { value } = await reader.read();
    await handle.close();
    return [value.byteLength, (await reader.read()).done, (await reader.closed) === undefined, handle.fd];
  },
  'a file that is closed': async (handle) => {
    await handle.close();
    return codeThrown(() => handle.readableWebStream({ type: 'bytes' }));
  },
};

/** Node 20 has no such options, and its own other kind of stream can end the process. */
const sinceNode22: typeof operations = {
  'autoClose, at the end': async (handle) => {
    const read = await textOf(handle.readableWebStream({ autoClose: true }));
    return [read === text, handle.fd >= 0];
  },
  'autoClose, cancelled': async (handle) => {
    await handle.readableWebStream({ autoClose: true }).cancel();
    return handle.fd >= 0;
  },
  'wrong options': async (handle) => [
    codeThrown(() => handle.readableWebStream({ autoClose: 1 })),
    codeThrown(() => handle.readableWebStream()),
  ],
  'no options': async (handle) => codeThrown(() => handle.readableWebStream(null)),
};

async function on(fs: typeof nodeFs, operation: (handle: Handle) => Promise<unknown>): Promise<unknown> {
  const handle = await fs.promises.open(path);
  try {
    return await operation(handle);
  } finally {
    await handle.close();
  }
}

const [major] = process.versions.node.split('.').map(Number) as [number];

test.each(Object.entries({ ...operations, ...(major >= 22 ? sinceNode22 : {}) }))(
  '%s',
  async (_name, operation) => {
    expect(await on(ownFs as never, operation)).toEqual(await on(nodeFs, operation));
  },
);

/** After an error Node's stream does not let its file be closed, nor may it be collected. */
const kept: Handle[] = [];

test.each([
  ['ours', ownFs],
  ["Node's", nodeFs],
])('a directory: the error of the first read (%s)', async (_whose, fs) => {
  const handle: Handle = await fs.promises.open(join(path, '..'));
  kept.push(handle);
  await expect(textOf(handle.readableWebStream({ type: 'bytes' }))).rejects.toMatchObject({ code: 'EISDIR' });
});
