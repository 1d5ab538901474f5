/** file-handle.test.ts: a FileHandle of @libcr/syscalls/fs beside node:fs': after it is closed, while it is used, what it is an instance of. */

/** file-handle.test.ts: a FileHandle of @libcr/syscalls/fs beside node:fs': after it is closed, while it is used, what it is an instance of. */
import nodeFs, { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { besideNode, outcome, programsBesideNode } from './beside-node.ts';

// biome-ignore lint/suspicious/noExplicitAny: methods of any Node's handles
type Handle = any;

const METHODS: Record<string, (handle: Handle) => unknown> = {
  appendFile: (handle) => handle.appendFile('x'),
  chmod: (handle) => handle.chmod(0o600),
  chown: (handle) => handle.chown(0, 0),
  datasync: (handle) => handle.datasync(),
  read: (handle) => handle.read(Buffer.alloc(1)),
  readFile: (handle) => handle.readFile(),
  readLines: (handle) => typeof handle.readLines(),
  readv: (handle) => handle.readv([Buffer.alloc(1)]),
  stat: (handle) => handle.stat(),
  sync: (handle) => handle.sync(),
  truncate: (handle) => handle.truncate(),
  utimes: (handle) => handle.utimes(1, 1),
  write: (handle) => handle.write('x'),
  writeFile: (handle) => handle.writeFile('x'),
  writev: (handle) => handle.writev([Buffer.from('x')]),
};

const file = (folder: string): string => {
  const path = join(folder, 'file');
  nodeFs.writeFileSync(path, 'first\nsecond\n');
  return path;
};

besideNode({
  ...Object.fromEntries(
    Object.entries(METHODS)
      .filter(([name]) => name !== 'readLines')
      .map(([name, method]) => [
        `${name} of a closed one`,
        async (fs: typeof nodeFs, folder: string) => {
          const handle: Handle = await fs.promises.open(file(folder), 'r+');
          await handle.close();
          return [handle.fd, await outcome(() => method(handle))];
        },
      ]),
  ),
  'how read and write may be called': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder), 'r+');
    const reads = [
      [0, 0, 0, 0],
      ['x'],
      [[]],
      [null],
      [undefined],
      [{ length: 3 }],
      [Buffer.alloc(4), { length: 2 }],
    ];
    const writes = [['abc', 0, 16], ['abc', null, 'latin1'], [Buffer.alloc(0), 'x'], [''], [null], [1], [{}]];
    const answers: unknown[] = [];
    for (const args of reads)
      answers.push(await outcome(async () => (await handle.read(...args)).buffer.byteLength));
    for (const args of writes)
      answers.push(await outcome(async () => (await handle.write(...args)).bytesWritten));
    await handle.close();
    return answers;
  },
  'close waits for what is under way': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder), 'r+');
    const order: string[] = [];
    const reading = handle.read(Buffer.alloc(5), 0, 5, 0).then(() => order.push('read'));
    const closing = handle.close().then(() => order.push('closed'));
    await Promise.all([reading, closing]);
    return [order, handle.fd];
  },
  'a method of something else': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const answer = await outcome(() => handle.stat.call({}));
    await handle.close();
    return (answer as { code: unknown }).code;
  },
  'close again': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const events: string[] = [];
    handle.on('close', () => events.push('close'));
    const [first, second] = [handle.close(), handle.close()];
    return [first === second, await first, await second, await handle.close(), events];
  },
  'closed under a stream that reads': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const stream = handle.createReadStream({ highWaterMark: 2 });
    const events: string[] = [];
    for (const name of ['error', 'end', 'close']) stream.on(name, () => events.push(name));
    const closed = new Promise<void>((resolve) => stream.once('close', resolve));
    stream.once('data', () => void handle.close());
    await closed;
    return [events, handle.fd];
  },
  'closed under a stream that writes': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder), 'r+');
    const stream = handle.createWriteStream();
    const events: string[] = [];
    for (const name of ['error', 'finish', 'close']) stream.on(name, () => events.push(name));
    const closed = new Promise<void>((resolve) => stream.once('close', resolve));
    stream.write('FIRST', () => void handle.close());
    await closed;
    return [events, handle.fd];
  },
  'a stream calls what stands on the handle': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder), 'r+');
    let calls = 0;
    for (const name of ['read', 'write', 'writev']) {
      const before = handle[name];
      handle[name] = function (this: unknown, ...args: unknown[]) {
        calls++;
        return before.apply(this, args);
      };
    }
    await new Promise<void>((resolve) =>
      fs.createWriteStream('', { fd: handle }).on('close', resolve).end('F'),
    );
    return [calls > 0, handle.fd, nodeFs.readFileSync(join(folder, 'file'), 'utf8')];
  },
  'a stream of a handle, with fs': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const answer = await outcome(() => fs.createReadStream('', { fd: handle, fs: nodeFs } as never));
    await handle.close();
    return answer;
  },
  'its lines': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const lines: string[] = [];
    for await (const line of handle.readLines()) lines.push(line);
    return [lines, handle.fd];
  },
  'postMessage while it is used': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const { port1, port2 } = new MessageChannel();
    const reading = handle.read(Buffer.alloc(1));
    const answer = await outcome(() => port1.postMessage(handle, [handle]));
    await reading;
    port2.close();
    await handle.close();
    return [answer, handle.fd];
  },
  'postMessage without a list': async (fs, folder) => {
    const handle: Handle = await fs.promises.open(file(folder));
    const { port1, port2 } = new MessageChannel();
    const answer = await outcome(() => port1.postMessage(handle));
    port2.close();
    const stat = await handle.stat();
    await handle.close();
    return [answer, stat.size];
  },
});

test("an instance of Node's class, and of the one that is exported", async () => {
  const [own, node] = [await ownFs.promises.open('/dev/null'), await nodeFs.promises.open('/dev/null')];
  expect(own).toBeInstanceOf(node.constructor);
  expect(own).toBeInstanceOf((await import('../../src/fs/index.ts')).FileHandle);
  expect(node).not.toBeInstanceOf((await import('../../src/fs/index.ts')).FileHandle);
  await Promise.all([own.close(), node.close()]);
});

test("a handle of Node's own where one of ours is taken", async () => {
  const path = join(import.meta.dirname, 'file-handle.test.ts');
  const handle = await nodeFs.promises.open(path);
  expect(await ownFs.promises.readFile(handle, 'utf8')).toBe(nodeFs.readFileSync(path, 'utf8'));
  await handle.close();
});

test('one that is collected when all of its calls have been made is not closed twice', async () => {
  const handle = await ownFs.promises.open('/dev/null');
  const { fd } = handle;
  await handle.close();
  expect(existsSync(`/proc/self/fd/${fd}`)).toBe(false);
});

programsBesideNode(
  {
    'collected: closed, and said': `
      const fs = require('node:fs');
      const warnings = [];
      let fd;
      // Numbers of descriptors differ.
      const say = (text) => warnings.push(text.replaceAll(String(fd), 'N'));
      process.on('warning', ({ name, code, message }) => say([name, code, message].join(' ')));
      process.on('uncaughtException', ({ name, code, message }) => say([name, code, message].join(' ')));
      const isOpen = () => { try { return fs.readlinkSync('/proc/self/fd/' + fd) === '/dev/zero'; } catch { return false; } };
      (async () => {
        await (async () => { ({ fd } = await fs.promises.open('/dev/zero')); })();
        while (isOpen() || warnings.length === 0) { await new Promise(setImmediate); gc(); }
        await new Promise(setImmediate);
        console.log(warnings.join('\\n'));
      })();
    `,
    'by postMessage, here and to a Worker': `
      const fs = require('node:fs');
      const { Worker, isMainThread, parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');
      (async () => {
        if (!isMainThread) {
          const { handle } = workerData;
          parentPort.postMessage([handle.fd >= 0, (await handle.readFile('utf8')).split('\\n').length]);
          await handle.close();
          return;
        }
        const { port1, port2 } = new MessageChannel();
        const handle = await fs.promises.open(__filename);
        port1.postMessage(handle, [handle]);
        console.log(handle.fd);
        await handle.stat().catch(({ code, syscall, message }) => console.log(code, syscall, message));
        const { message } = receiveMessageOnPort(port2);
        console.log(Object.getPrototypeOf(message) === Object.getPrototypeOf(handle), message.fd >= 0);
        port2.close();
        const worker = new Worker(__filename, { workerData: { handle: message }, transferList: [message] });
        worker.on('message', (answer) => console.log(answer, message.fd));
        worker.on('exit', (code) => console.log(code));
      })();
    `,
    "http2's respondWithFD": `
      const fs = require('node:fs');
      const http2 = require('node:http2');
      (async () => {
        const handle = await fs.promises.open(__filename);
        const server = http2.createServer();
        server.on('stream', (stream) => stream.respondWithFD(handle, { 'content-type': 'text/plain' }));
        server.listen(0, () => {
          const client = http2.connect('http://localhost:' + server.address().port);
          const request = client.request();
          let text = '';
          request.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
          request.on('end', async () => {
            console.log(text === fs.readFileSync(__filename, 'utf8'));
            await handle.close();
            client.close();
            server.close();
          });
        });
      })();
    `,
  },
  ['--expose-gc'],
);
