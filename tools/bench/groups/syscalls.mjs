// The group "syscalls": @libcr/syscalls against node:fs, node:net and programs in C, with files in the page cache and not, and over TCP.
//
// The programs in C are compiled for each run; where there is no C compiler, or no fio, what needs them is skipped and said.
//
// Invariant: all subjects of a row do the same work on the same files, or with the same load generator.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CC, compile, exists } from '../compile.mjs';

const SOURCES = join(import.meta.dirname, '..', 'subjects', 'syscalls');
const PROGRAMS = ['files', 'echo-server', 'echo-load', 'drop'];

export const READ = 4096;
export const READS = 10_000;
export const FILES = 5000;
const FILE_BYTES = 2000;
export const RANDOM_PAGES = 32_768;
export const RANDOM_READS = 8192;
export const DEPTH = 64;

const script = (file, ...args) => ({
  command: ({ scratch }) => [`tools/bench/subjects/syscalls/${file}.mjs`, scratch, ...args],
});
/** A script that needs a program in C. */
const compiled = (file, ...args) => ({ ...script(file, ...args), c: true });
const native = (program, ...args) => ({
  c: true,
  native: true,
  command: ({ scratch }) => [join(scratch, program), scratch, ...args],
});
const fio = (...args) => ({ ...script('fio', ...args), fio: true });

const CONCURRENCIES = [1, 16, 128];
const each = (name, file, ...args) =>
  Object.fromEntries(CONCURRENCIES.map((n) => [`${name}, ${n} at once`, script(file, ...args, String(n))]));
const atOnce = (name) => CONCURRENCIES.map((n) => `${name}, ${n} at once`);

const echo = (connections) => ({
  [`echo, userthreads, ${connections}`]: compiled('echo', 'sys', String(connections)),
  [`echo, node:net, ${connections}`]: compiled('echo', 'net', String(connections)),
  [`echo, C epoll, ${connections}`]: compiled('echo', 'c', String(connections)),
});
const echoRows = (connections) => [
  {
    what: `TCP echo of 64 bytes, ${connections} connections`,
    ours: `echo, userthreads, ${connections}`,
    peers: [`echo, node:net, ${connections}`],
    expected: { atMost: 0.75 },
  },
  {
    what: `TCP echo of 64 bytes, ${connections} connections, against C`,
    ours: `echo, userthreads, ${connections}`,
    peers: [`echo, C epoll, ${connections}`],
    expected: { atMost: 1.7 },
  },
];

export const group = {
  name: 'syscalls',
  what: '@libcr/syscalls; reads of 4,096 bytes, 5,000 files of 2,000 bytes, TCP round trips',
  needs: ['packages/core/dist/index.js', 'packages/syscalls/dist/index.js'],

  prepare(scratch, names) {
    const absent = {};
    const hasCompiler = exists(CC, '--version');
    const hasFio = exists('fio', '--version');
    for (const name of names) {
      if (group.subjects[name].c && !hasCompiler) absent[name] = `there is no ${CC} (Debian: gcc)`;
      if (group.subjects[name].fio && !hasFio) absent[name] = 'there is no fio (Debian: fio)';
    }
    if (hasCompiler)
      for (const program of PROGRAMS) compile(join(SOURCES, `${program}.c`), join(scratch, program));
    writeFileSync(join(scratch, 'read'), Buffer.alloc(READ * READS, 'page cache '));
    mkdirSync(join(scratch, 'small'));
    for (let i = 0; i < FILES; i++)
      writeFileSync(join(scratch, 'small', `f${i}`), Buffer.alloc(FILE_BYTES, 'small file '));
    if (names.some((name) => name.startsWith('random'))) {
      const fd = openSync(join(scratch, 'random'), 'w');
      const piece = Buffer.alloc(READ * 256, 'not in the page cache ');
      for (let i = 0; i < RANDOM_PAGES / 256; i++) writeSync(fd, piece);
      closeSync(fd);
    }
    return { scratch, absent };
  },

  subjects: {
    'read, userthread': script('read', 'sys'),
    'fs.readSync': script('read', 'readSync'),
    'read, C': native('files', 'read'),
    ...each('filehandle.read', 'read', 'filehandle'),
    'read, thread0': script('read', 'sys-thread0'),
    'read, one shim': script('read', 'sys-shims', '1'),
    'read, three shims': script('read', 'sys-shims', '3'),
    'read, policy': script('read', 'sys-policy'),
    'copy of 16 MiB': script('trace', 'copy', 'text'),
    'trace, 16 MiB of text': script('trace', 'trace', 'text'),
    'trace, 16 MiB of bytes': script('trace', 'trace', 'bytes'),
    'sys.promises.read': script('read', 'sys-promises'),
    'files, userthread': script('files', 'read', 'sys'),
    ...each('fs.promises.readFile', 'files', 'read', 'promises'),
    'files, C': native('files', 'files'),
    'statx, userthread': script('files', 'stat', 'sys'),
    ...each('fs.promises.stat', 'files', 'stat', 'promises'),
    'statx, C': native('files', 'statx'),
    'random, userthreads': compiled('random', 'sys'),
    'random, fs.promises': compiled('random', 'promises'),
    'random, fio io_uring': fio('0'),
    'random, userthreads, O_DIRECT': script('random', 'sys-direct'),
    'random, fio io_uring, O_DIRECT': fio('1'),
    ...echo(64),
    ...echo(512),
    'chain of stat, libcr': script('chain', 'libcr', 'stat'),
    'chain of stat, fs.promises': script('chain', 'node', 'stat'),
    'tick beside it, libcr': script('chain', 'libcr', 'tick'),
    'tick beside it, fs.promises': script('chain', 'node', 'tick'),
  },
  rows: [
    {
      what: 'read of 4 KiB in the page cache',
      ours: 'read, userthread',
      peers: atOnce('filehandle.read'),
      expected: { faster: 15 },
    },
    {
      what: 'read of 4 KiB in the page cache, against fs.readSync',
      ours: 'read, userthread',
      peers: ['fs.readSync'],
      expected: { atMost: 1.2 },
    },
    {
      what: 'read of 4 KiB in the page cache, against C',
      ours: 'read, userthread',
      peers: ['read, C'],
      expected: { atMost: 3 },
    },
    {
      what: 'read of 4 KiB in the page cache, on the event loop',
      ours: 'read, thread0',
      peers: ['fs.readSync'],
      expected: { atMost: 1.2 },
    },
    { what: 'await sys.promises.read', ours: 'sys.promises.read', peers: atOnce('filehandle.read') },
    {
      what: 'open, stat, read, close of a small file',
      ours: 'files, userthread',
      peers: atOnce('fs.promises.readFile'),
      expected: { faster: 5 },
    },
    {
      what: 'open, stat, read, close of a small file, against C',
      ours: 'files, userthread',
      peers: ['files, C'],
      expected: { atMost: 1.7 },
    },
    {
      what: 'statx of a file',
      ours: 'statx, userthread',
      peers: atOnce('fs.promises.stat'),
      expected: { faster: 8 },
    },
    { what: 'statx of a file, against C', ours: 'statx, userthread', peers: ['statx, C'] },
    {
      what: `random reads of 4 KiB not in the page cache, ${DEPTH} at once`,
      ours: 'random, userthreads',
      peers: ['random, fs.promises'],
      expected: { faster: 1.5 },
    },
    {
      what: `random reads of 4 KiB not in the page cache, ${DEPTH} at once, against fio`,
      ours: 'random, userthreads',
      peers: ['random, fio io_uring'],
      expected: { atMost: 1.25 },
    },
    {
      what: `random reads of 4 KiB not in the page cache, ${DEPTH} at once, with O_DIRECT`,
      ours: 'random, userthreads, O_DIRECT',
      peers: ['random, fio io_uring, O_DIRECT'],
      expected: { atMost: 1.25 },
    },
    ...echoRows(64),
    ...echoRows(512),
    {
      what: 'a chain of stat beside an interval of 1 ms',
      ours: 'chain of stat, libcr',
      peers: ['chain of stat, fs.promises'],
      expected: { faster: 4 },
    },
    {
      what: 'the interval: from one tick to the next',
      ours: 'tick beside it, libcr',
      peers: ['tick beside it, fs.promises'],
      expected: { atMost: 1.25 },
    },
    {
      what: 'one shim that passes the read on',
      ours: 'read, one shim',
      peers: ['read, userthread'],
      expected: { plus: 60 },
    },
    { what: 'three shims that pass it on', ours: 'read, three shims', peers: ['read, userthread'] },
    {
      what: 'a policy of 20 rows, the last one fits',
      ours: 'read, policy',
      peers: ['read, userthread'],
      expected: { plus: 15 },
    },
    ...['text', 'bytes'].map((kind) => ({
      what: `a write of 16 MiB of ${kind}, traced without a limit`,
      ours: `trace, 16 MiB of ${kind}`,
      peers: ['copy of 16 MiB'],
      expected: { atMost: 10 },
    })),
  ],
};
