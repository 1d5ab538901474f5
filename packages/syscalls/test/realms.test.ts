/** realms.test.ts: arguments that were made in another realm, as everything is that code under Jest makes: `instanceof` knows none of them. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import vm from 'node:vm';
import { create, curthread, Msg, MsgPort, run, sleep } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import fs from '../src/fs/index.ts';
import { constants as c, sys } from '../src/index.ts';
import { fromStream } from '../src/net/index.ts';
import { memfs } from '../src/shims/memfs/index.ts';
import { policy } from '../src/shims/policy/index.ts';
import { codeOf, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
/** Evaluates there. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it is
const there = (code: string, globals: object = {}): any => vm.runInNewContext(code, globals);
const bytes = (text: string): Uint8Array => there('Uint8Array.from(list)', { list: [...Buffer.from(text)] });

/** A signal as another realm's library has it: no AbortSignal of this realm, nor a child of one. */
const foreignSignal = (): { abort(): void; signal: AbortSignal } =>
  there(`
    const listeners = new Set();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_type, listener) => listeners.add(listener),
      removeEventListener: (_type, listener) => listeners.delete(listener),
    };
    ({ signal, abort() { signal.aborted = true; signal.reason = new Error('enough'); for (const l of listeners) l(); } })`);

/** As whatwg-url makes them. */
const foreignUrl = (path: string): URL => {
  const { href, protocol, host, hostname, pathname } = new URL(`file://${path}`);
  return there('({ ...url })', { url: { href, protocol, host, hostname, pathname } });
};

describe('fs', () => {
  test('paths: bytes and URLs', async () => {
    fs.writeFileSync(bytes(at('bytes')) as Buffer, bytes('content'));
    expect(nodeFs.readFileSync(at('bytes'), 'utf8')).toBe('content');
    expect(await fs.promises.readFile(foreignUrl(at('bytes')), 'utf8')).toBe('content');
    expect(sys.stat(bytes(at('bytes'))).size).toBe(sys.stat(foreignUrl(at('bytes'))).size);
    expect(codeOf(() => fs.statSync(foreignUrl('/none')))).toBe('ENOENT');
    expect(codeOf(() => sys.stat(foreignUrl('/none')))).toBe('ENOENT');
    expect(codeOf(() => fs.statSync(there('({ href: "file:///", path: "/" })')))).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(fs.globSync('bytes', { cwd: foreignUrl(folder) })).toEqual(['bytes']);
  });

  test('dates', () => {
    nodeFs.writeFileSync(at('dated'), '');
    const date = there('new Date(1e12)');
    fs.utimesSync(at('dated'), date, date);
    expect(fs.statSync(at('dated')).mtimeMs).toBe(1e12);
  });

  test('signals', async () => {
    const aborting = foreignSignal();
    const reading = fs.promises.readFile('/dev/zero', { signal: aborting.signal });
    setTimeout(aborting.abort, 1);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    const controller = foreignSignal();
    const watching = fs.promises.watch(folder, { signal: controller.signal })[Symbol.asyncIterator]().next();
    controller.abort();
    await expect(watching).rejects.toMatchObject({ name: 'AbortError' });
    for (const signal of [1, {}, there('({})'), null])
      expect(codeOf(() => fs.readFileSync('/', { signal } as never))).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('arrays, buffers, chunks, options, functions', async () => {
    const list = there('[Uint8Array.from([97]), new DataView(new ArrayBuffer(1))]');
    fs.writevSync(nodeFs.openSync(at('list'), 'w'), list);
    expect(nodeFs.readFileSync(at('list'), 'utf8')).toBe('a\0');
    await fs.promises.writeFile(
      at('chunks'),
      there('(async function* () { yield "a"; yield Uint8Array.from([98]) })()'),
    );
    expect(nodeFs.readFileSync(at('chunks'), 'utf8')).toBe('ab');
    await fs.promises.writeFile(at('chunks'), there('new Map([["x", 1]]).keys()'));
    expect(fs.readFileSync(at('chunks'), there('({ encoding: "utf8" })'))).toBe('x');
    const told = await new Promise((resolve) => {
      fs.readFile(at('chunks'), there('(error, data) => resolve(String(data))', { resolve }));
    });
    expect(told).toBe('x');
  });
});

describe('shims', () => {
  test('policy and memfs see paths in bytes, of whatever view', async () => {
    const denied = sys.with(
      policy([{ action: 'deny', on: ['openat'], path: `${folder}/**`, errno: 'EPERM' }]),
    );
    nodeFs.writeFileSync(at('even'), '');
    const path = at('even');
    const padded = path.length % 2 === 0 ? path : `/${path}`;
    const wide = new Uint16Array(new Uint8Array(Buffer.from(padded)).buffer);
    const outcomes = await create(
      () =>
        [bytes(at('even')), wide, new DataView(wide.buffer)].map((it) => [
          sys.raw(c.SYS_open, it, c.O_RDONLY, 0),
          curthread().errno,
        ]),
      { syscallPort: denied },
    ).finished;
    expect(outcomes).toEqual(new Array(3).fill([-1, c.EPERM]));
    const tree = memfs({ '/only': { here: bytes('of bytes') } });
    const opened = await create(() => fs.readFileSync(bytes('/only/here') as Buffer, 'utf8'), {
      syscallPort: sys.with(tree),
    }).finished;
    expect(opened).toBe('of bytes');
  });
});

describe('core', () => {
  test('promises, errors, functions and signals', async () => {
    const { signal, abort } = foreignSignal();
    const outcome = await run(() => {
      const td = create(there('() => sleep(60000)', { sleep }), { signal });
      sleep(1);
      abort();
      try {
        td.join();
      } catch (error) {
        return (error as Error).name;
      }
      return 'none';
    });
    expect(outcome).toBe('AbortError');
    expect(await run(there('async () => 5'))).toBe(5);
    await expect(run(there('() => { throw new TypeError("theirs") }'))).rejects.toMatchObject({
      message: 'theirs',
    });
  });

  test('messages and transfer lists', async () => {
    const port = new MsgPort('port');
    const buffer = there('new ArrayBuffer(8)');
    expect(() => new Msg(buffer, { transfer: there('[buffer]', { buffer }) })).not.toThrow();
    port.close();
  });
});

describe('net', () => {
  test('streams', async () => {
    const stream = Readable.toWeb(Readable.from([Buffer.from('web')]));
    const text = await run(() =>
      fromStream(stream as never)
        .readAll()
        .toString(),
    );
    expect(text).toBe('web');
    const chunks = new Readable({ read() {}, objectMode: false });
    chunks.push(bytes('node'));
    chunks.push(null);
    expect(await run(() => fromStream(chunks).readAll().toString())).toBe('node');
    const { Writable } = await import('node:stream');
    const got: Buffer[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        got.push(chunk);
        done();
      },
    });
    await run(() => {
      const out = fromStream(sink);
      out.write(bytes('bytes'));
      out.closeWrite();
    });
    expect(Buffer.concat(got).toString()).toBe('bytes');
  });
});
