// The group "script": what a system call of a program costs while a shim of TypeScript stands before it, in another process. The peer is strace's tracing of the same call.
//
// Who answers looks for calls for some microseconds before it sleeps, and gives that up where it does not help: so these figures depend on whether another CPU is idle.
// A quiet machine with two CPUs or more says what can be had, one with other work what is had there.
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { compile, exists } from '../compile.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const SUBJECTS = 'tools/bench/subjects/script';
const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';
const THREADS = 32;
const STRACED = ['strace, asleep', 'strace, one after the other'];

const call = (scratch, ...args) => [join(scratch, 'call'), ...args];
const shimmed = (how, ...args) => ({
  command: ({ scratch }) => [`${SUBJECTS}/supervise.mjs`, how, ...call(scratch, ...args)],
});
const straced = (...args) => ({
  native: true,
  command: ({ scratch }) => [
    'strace',
    '-f',
    '-e',
    'trace=getppid',
    '-o',
    '/dev/null',
    ...call(scratch, ...args),
  ],
});

export const group = {
  name: 'script',
  what: `shims of TypeScript before a program; medians for one getppid (${availableParallelism()} CPUs, load ${loadavg()[0].toFixed(1)})`,
  needs: ['packages/syscalls/dist/supervisor.js', 'packages/posix-compat/dist/spawn.js', LAUNCHER],

  prepare(scratch) {
    compile(join(root, SUBJECTS, 'call.c'), join(scratch, 'call'));
    const why = exists('strace', '-V') ? undefined : 'strace is missing (Debian: strace)';
    const absent = why && Object.fromEntries(STRACED.map((name) => [name, why]));
    return { scratch, absent };
  },

  subjects: {
    'without shims': shimmed('none', 'busy'),
    'a shim that does not want it': shimmed('unwanted', 'busy'),
    'answered, asleep': shimmed('answer', 'asleep'),
    'answered, one after the other': shimmed('answer', 'busy'),
    'next(), asleep': shimmed('next', 'asleep'),
    'next(), one after the other': shimmed('next', 'busy'),
    'answered, 32 threads': shimmed('answer', 'busy', String(THREADS)),
    'next(), 32 threads': shimmed('next', 'busy', String(THREADS)),
    'strace, asleep': straced('asleep'),
    'strace, one after the other': straced('busy'),
  },
  rows: [
    {
      what: 'a call that no shim wants',
      ours: 'a shim that does not want it',
      peers: ['without shims'],
      expected: { plus: 1 },
    },
    {
      what: 'a call that a shim answers, which sleeps before',
      ours: 'answered, asleep',
      peers: ['strace, asleep'],
      expected: { atMost: 0.65 },
    },
    {
      what: 'a call that a shim answers, one after the other',
      ours: 'answered, one after the other',
      peers: ['strace, one after the other'],
      expected: { atMost: 0.08 },
    },
    {
      what: 'a call by next() of a shim which sleeps before',
      ours: 'next(), asleep',
      peers: ['strace, asleep'],
      expected: { atMost: 1.3 },
    },
    {
      what: 'a call by next(), one after the other',
      ours: 'next(), one after the other',
      peers: ['strace, one after the other'],
      expected: { atMost: 0.15 },
    },
    {
      what: 'a call that a shim answers, 32 threads at once, each call',
      ours: 'answered, 32 threads',
      peers: ['answered, asleep'],
      expected: { atMost: 0.3 },
    },
    {
      what: 'a call by next(), 32 threads at once, each call',
      ours: 'next(), 32 threads',
      peers: ['next(), asleep'],
      expected: { atMost: 0.3 },
    },
  ],
};
