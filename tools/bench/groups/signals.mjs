// The group "signals": what signals cost on userthreads. Their peer in JavaScript is Node's own: process.kill, and a listener of process.on. The peer of a C program under
// libcr is the same binary without it, which is compiled for each run; that of the preemption tick is the same program under libcr, with one thread, which has none.
import { join } from 'node:path';
import { compile } from '../compile.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const SUBJECTS = 'tools/bench/subjects/signals';
const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';
const subject = (file, ...args) => ({ command: () => [`${SUBJECTS}/${file}.mjs`, ...args] });

/** What subjects/signals/signals.c measures: its name there, what the row says, and what is expected of ours. */
const PROGRAM = [
  ['kill', 'pthread_kill to a handler between two threads of one rfork, in turns, one turn', { atMost: 0.3 }],
  ['queue', 'sigqueue from another process until sigwaitinfo returns', { atMost: 1.2 }],
  [
    'queue-threads',
    'sigqueue from another process until sigwaitinfo returns, beside a second thread',
    { atMost: 1.2 },
  ],
  ['mask', 'sigprocmask', { atMost: 0.2 }],
  ['raise', 'raise with a handler', { atMost: 0.7 }],
];
const native = (name) => `${name}, native`;
const under = (name) => `${name}, under libcr`;
const program = (scratch, name) => [join(scratch, 'signals'), name];
const underLibcr = (name) => ({
  native: true,
  command: ({ scratch }) => [join(root, LAUNCHER), '--', ...program(scratch, name)],
});

export const group = {
  name: 'signals',
  what: '@libcr/signals; medians for one operation',
  needs: ['packages/core/dist/index.js', 'packages/signals/dist/index.js', LAUNCHER],

  prepare(scratch) {
    compile(join(root, SUBJECTS, 'signals.c'), join(scratch, 'signals'));
    return { scratch };
  },

  subjects: {
    ...Object.fromEntries(
      PROGRAM.flatMap(([name]) => [
        [native(name), { native: true, command: ({ scratch }) => program(scratch, name) }],
        [under(name), underLibcr(name)],
      ]),
    ),
    'compute, one thread': underLibcr('compute'),
    'compute, ticks': underLibcr('compute-threads'),
    kill: subject('kill'),
    'process.on': subject('listener'),
    sigwait: subject('sigwait'),
    'process.on, two processes': subject('listeners'),
    sigprocmask: subject('sigprocmask'),
    threadKill: subject('thread-kill'),
  },
  rows: [
    ...PROGRAM.map(([name, what, expected]) => ({
      what: `C: ${what}`,
      ours: under(name),
      peers: [native(name)],
      expected,
    })),
    {
      what: 'C: the preemption tick, on a computing program (CPU time)',
      ours: 'compute, ticks',
      peers: ['compute, one thread'],
      expected: { atMost: 1.01 },
    },
    {
      what: 'kill to the own process until the handler runs',
      ours: 'kill',
      peers: ['process.on'],
      expected: { atMost: 0.5 },
    },
    {
      what: 'a signal to another process and one back, sigwait on both sides',
      ours: 'sigwait',
      peers: ['process.on, two processes'],
      expected: { atMost: 0.8 },
    },
    { what: 'sigprocmask, no system call', ours: 'sigprocmask', peers: [], expected: { most: 1000 } },
    {
      what: 'threadKill to a waiting userthread until its handler has run',
      ours: 'threadKill',
      peers: ['process.on'],
    },
  ],
};
