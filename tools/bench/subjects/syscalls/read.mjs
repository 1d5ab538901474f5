// Reads a file in pieces of 2,048 bytes, in the way that is named: nanoseconds for one read.
//
// Each sample opens the file anew, reads every piece and checks that it was whole. Opening and closing are outside of the count of operations;
// with 10,000 reads they make no difference.
import { closeSync, openSync, read, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { sampleAsync, sampleBlocking } from '../../sample.mjs';
import { READ, READS } from '../../syscalls.mjs';

const [path, way] = process.argv.slice(2);
const buffer = Buffer.alloc(READ);

function whole(n) {
  if (n !== READ) throw new Error(`read ${n} of ${READ} bytes`);
}

function blocking(openFile, readPiece, closeFile) {
  sampleBlocking(READS, () => {
    const fd = openFile();
    for (let i = 0; i < READS; i++) whole(readPiece(fd));
    closeFile(fd);
  });
}

async function awaiting(readPiece) {
  await sampleAsync(READS, async () => {
    const fd = openSync(path, 'r');
    for (let i = 0; i < READS; i++) whole(await readPiece(fd));
    closeSync(fd);
  });
}

async function throughSys(where, shims = 0) {
  const { run } = await import('@libcr/core');
  const { constants, defineShim, sys, syscallPort } = await import('@libcr/syscalls');
  for (let i = 0; i < shims; i++)
    syscallPort.shim(defineShim({ name: `pass-${i}`, on: ['read'], shim: (next) => (msg) => next(msg) }));
  const sample = () =>
    blocking(
      () => sys.open(path, constants.O_RDONLY),
      (fd) => sys.read(fd, buffer, READ),
      (fd) => sys.close(fd),
    );
  if (where === 'userthread') await run(sample);
  else sample();
}

const ways = {
  sys: () => throughSys('userthread'),
  'sys-thread0': () => throughSys('thread0'),
  'sys-shims': () => throughSys('userthread', 3),
  'sys-promises': async () => {
    const { sys } = await import('@libcr/syscalls');
    await awaiting((fd) => sys.promises.read(fd, buffer, READ));
  },
  readSync: () =>
    blocking(
      () => openSync(path, 'r'),
      (fd) => readSync(fd, buffer, 0, READ, null),
      closeSync,
    ),
  callback: () =>
    awaiting(
      (fd) =>
        new Promise((resolve, reject) => {
          read(fd, buffer, 0, READ, null, (error, n) => (error ? reject(error) : resolve(n)));
        }),
    ),
  filehandle: () =>
    sampleAsync(READS, async () => {
      const handle = await open(path, 'r');
      for (let i = 0; i < READS; i++) whole((await handle.read(buffer, 0, READ, null)).bytesRead);
      await handle.close();
    }),
};

if (!Object.hasOwn(ways, way)) throw new Error(`usage: read.mjs FILE ${Object.keys(ways).join('|')}`);
await ways[way]();
