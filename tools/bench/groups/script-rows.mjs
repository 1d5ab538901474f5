// The group "script-rows": what a system call of a program costs while a ready-made shim of TypeScript stands before it which is done in the program, and asks nobody. The peer is
// strace, doing the same: -e inject where it makes calls fail, -c where it counts, -o where it shows them.
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { compile, exists } from '../compile.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const SUBJECTS = 'tools/bench/subjects/script';
const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';

const call = (scratch) => [join(scratch, 'call'), 'busy'];
const shimmed = (how) => ({
  command: ({ scratch }) => [`${SUBJECTS}/supervise-rows.mjs`, how, ...call(scratch)],
});
const straced = (...options) => ({
  native: true,
  command: ({ scratch }) => [
    'strace',
    '-f',
    ...options,
    '-e',
    'trace=getppid',
    '-o',
    '/dev/null',
    ...call(scratch),
  ],
});

const subjects = {
  'policy denies': shimmed('policy'),
  'fault, every second call': shimmed('fault'),
  metrics: shimmed('metrics'),
  trace: shimmed('trace'),
  'strace, all calls fail': straced('-e', 'inject=getppid:error=EACCES'),
  'strace, every second call fails': straced('-e', 'inject=getppid:error=EIO:when=1+2'),
  'strace -c': straced('-c'),
  'strace -o': straced(),
};

export const group = {
  name: 'script-rows',
  what: `ready-made shims before a program that ask nobody; medians for one getppid (${availableParallelism()} CPUs, load ${loadavg()[0].toFixed(1)})`,
  needs: ['packages/syscalls/dist/shims/policy.js', 'packages/posix-compat/dist/spawn.js', LAUNCHER],

  prepare(scratch) {
    compile(join(root, SUBJECTS, 'call.c'), join(scratch, 'call'));
    const why = exists('strace', '-V') ? undefined : 'strace is missing (Debian: strace)';
    const names = Object.keys(subjects).filter((name) => name.startsWith('strace'));
    return { scratch, absent: why && Object.fromEntries(names.map((name) => [name, why])) };
  },

  subjects,
  rows: [
    {
      what: 'a call that the policy denies',
      ours: 'policy denies',
      peers: ['strace, all calls fail'],
      expected: { atMost: 0.05 },
    },
    {
      what: 'a call of which every second fails',
      ours: 'fault, every second call',
      peers: ['strace, every second call fails'],
      expected: { atMost: 0.05 },
    },
    {
      what: 'a call that is counted and measured',
      ours: 'metrics',
      peers: ['strace -c'],
      expected: { atMost: 0.05 },
    },
    {
      what: 'a call that is traced to a file',
      ours: 'trace',
      peers: ['strace -o'],
      expected: { atMost: 0.05 },
    },
  ],
};
