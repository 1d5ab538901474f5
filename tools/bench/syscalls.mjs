// The group "syscalls": sys.read of 2 KiB that lie in the page cache, against what node:fs offers for the same read.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const subject = (...args) => ({
  command: ({ file }) => ['tools/bench/subjects/syscalls/read.mjs', file, ...args],
});

export const READ = 2048;
export const READS = 10_000;

export const group = {
  name: 'syscalls',
  what: '@libcr/syscalls; one read() of 2,048 bytes from the page cache',
  needs: ['packages/core/dist/index.js', 'packages/syscalls/dist/index.js'],

  /** One file that is read from its beginning to its end by each sample; writing it puts it into the page cache. */
  prepare(scratch) {
    const file = join(scratch, 'read');
    writeFileSync(file, Buffer.alloc(READ * READS, 'page cache '));
    return { file };
  },

  subjects: {
    'sys.read, userthread': subject('sys'),
    'filehandle.read': subject('filehandle'),
    'sys.read, thread0': subject('sys-thread0'),
    'sys.read, three shims': subject('sys-shims'),
    'fs.readSync': subject('readSync'),
    'sys.promises.read': subject('sys-promises'),
    'fs.read, callback': subject('callback'),
  },
  rows: [
    {
      what: 'sys.read on a userthread',
      ours: 'sys.read, userthread',
      peers: ['filehandle.read'],
      expected: { faster: 10 },
    },
    {
      what: 'the same, against fs.readSync',
      ours: 'sys.read, userthread',
      peers: ['fs.readSync'],
      expected: { atMost: 1.5 },
    },
    {
      what: 'sys.read on the event loop',
      ours: 'sys.read, thread0',
      peers: ['fs.readSync'],
      expected: { atMost: 1.5 },
    },
    {
      what: 'three shims that pass it on',
      ours: 'sys.read, three shims',
      peers: ['sys.read, userthread'],
    },
    {
      what: 'await sys.promises.read',
      ours: 'sys.promises.read',
      peers: ['filehandle.read', 'fs.read, callback'],
    },
  ],
};
