// The group "posix": what POSIX objects cost on userthreads. Their peer in JavaScript is what Workers have: Atomics.wait and notify. The peer of a C program's
// threads under libcr is the same binary without it, which is compiled for each run.
import { join } from 'node:path';
import { compile } from '../compile.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const SUBJECTS = 'tools/bench/subjects/posix';
const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';
const subject = (file, ...args) => ({ command: () => [`${SUBJECTS}/${file}.mjs`, ...args] });

/** What subjects/posix/threads.c measures: its name there, what the row says, and what is expected of ours. */
const THREADS = [
  ['create', 'pthread_create and pthread_join', { atMost: 0.1 }],
  ['cond', 'condition variable, two threads in turns, one turn', { atMost: 0.1 }],
  ['semaphore', 'semaphore, two threads in turns, one turn', { atMost: 0.1 }],
  ['barrier', 'barrier of 64 threads, one round', { atMost: 0.3 }],
  ['mutex', 'mutex that four threads contend for, lock and unlock', { atMost: 1 }],
  ['pipes', '1,000 threads blocked on pipes, woken and joined, each', { atMost: 0.8 }],
  ['pipe', 'pipe, two threads in turns, one turn', { atMost: 1 }],
  ['yield', 'sched_yield, two threads'],
  ['getppid', 'a call passed through', { plus: 40 }],
  ['futex', 'futex wake with nobody waiting', { most: 30 }],
];
const native = (name) => `${name}, native`;
const under = (name) => `${name}, under libcr`;
const threads = (scratch, name) => [join(scratch, 'threads'), name];

export const group = {
  name: 'posix',
  what: '@libcr/posix-compat; medians for one operation',
  needs: ['packages/core/dist/index.js', 'packages/posix-compat/dist/index.js', LAUNCHER],

  prepare(scratch) {
    compile(join(root, SUBJECTS, 'threads.c'), join(scratch, 'threads'));
    return { scratch };
  },

  subjects: {
    ...Object.fromEntries(
      THREADS.flatMap(([name]) => [
        [native(name), { native: true, command: ({ scratch }) => threads(scratch, name) }],
        [
          under(name),
          { native: true, command: ({ scratch }) => [join(root, LAUNCHER), '--', ...threads(scratch, name)] },
        ],
      ]),
    ),
    Mutex: subject('mutex', 'local'),
    'Mutex, shared': subject('mutex', 'shared'),
    Cond: subject('cond', 'local'),
    'Cond, shared': subject('cond', 'shared'),
    Semaphore: subject('semaphore'),
    'Atomics.wait, notify': subject('atomics'),
    'a mutex by Atomics': subject('atomics-mutex'),
  },
  rows: [
    ...THREADS.map(([name, what, expected]) => ({
      what: `C: ${what}`,
      ours: under(name),
      peers: [native(name)],
      expected,
    })),
    {
      what: 'mutex: lock and unlock',
      ours: 'Mutex',
      peers: ['Atomics.wait, notify'],
      expected: { atMost: 0.1 },
    },
    {
      what: 'condition variable, two threads of one rfork in turns, one turn',
      ours: 'Cond',
      peers: ['Atomics.wait, notify'],
      expected: { atMost: 0.1 },
    },
    {
      what: 'semaphore, two threads of one rfork in turns, one turn',
      ours: 'Semaphore',
      peers: ['Atomics.wait, notify'],
      expected: { atMost: 0.1 },
    },
    {
      what: 'mutex in shared memory: lock and unlock',
      ours: 'Mutex, shared',
      peers: ['a mutex by Atomics'],
    },
    {
      what: 'condition variable in shared memory, two threads of one rfork in turns, one turn',
      ours: 'Cond, shared',
      peers: ['Atomics.wait, notify'],
    },
  ],
};
