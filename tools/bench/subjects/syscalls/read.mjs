// Reads a file in pieces of 4,096 bytes, in the way that is named: nanoseconds for one read.
//
// Each sample opens the file anew, reads every piece and checks that it was whole. Opening and closing are outside of the count of operations;
// with 10,000 reads they make no difference.
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { READ, READS } from '../../groups/syscalls.mjs';
import { sampleAsync, sampleBlocking } from '../../sample.mjs';

const [scratch, way, count = '1'] = process.argv.slice(2);
const path = join(scratch, 'read');
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

async function throughSys(where, ...shims) {
  const { run } = await import('@libcr/core');
  const { constants, sys, syscallPort } = await import('@libcr/syscalls');
  syscallPort.shim(...shims);
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
  'sys-shims': async () => {
    const { defineShim } = await import('@libcr/syscalls');
    const pass = (_, i) =>
      defineShim({ name: `pass-${i}`, on: ['read'], shim: (next) => (msg) => next(msg) });
    await throughSys('userthread', ...Array.from({ length: Number(count) }, pass));
  },
  'sys-policy': async () => {
    const { policy } = await import('@libcr/syscalls/shims/policy');
    const others = Array.from({ length: 19 }, (_, i) => ({
      action: 'deny',
      on: ['openat'],
      path: `/none/${i}/**`,
    }));
    await throughSys('userthread', policy([...others, { action: 'allow', on: ['read'] }]));
  },
  'sys-promises': async () => {
    const { sys } = await import('@libcr/syscalls');
    await sampleAsync(READS, async () => {
      const fd = openSync(path, 'r');
      for (let i = 0; i < READS; i++) whole(await sys.promises.read(fd, buffer, READ));
      closeSync(fd);
    });
  },
  readSync: () =>
    blocking(
      () => openSync(path, 'r'),
      (fd) => readSync(fd, buffer, 0, READ, null),
      closeSync,
    ),
  // Each of `count` readers has a part of the file, and a buffer of its own.
  filehandle: () =>
    sampleAsync(READS, async () => {
      const handle = await open(path, 'r');
      let piece = 0;
      const reader = async () => {
        const own = Buffer.alloc(READ);
        while (piece < READS) whole((await handle.read(own, 0, READ, piece++ * READ)).bytesRead);
      };
      await Promise.all(Array.from({ length: Number(count) }, reader));
      await handle.close();
    }),
};

if (!Object.hasOwn(ways, way))
  throw new Error(`usage: read.mjs SCRATCH ${Object.keys(ways).join('|')} [COUNT]`);
await ways[way]();
