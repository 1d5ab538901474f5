/**
 * conformance.test.ts: what the standard says of signals, one behaviour a test, and what there is beside it; then what does not hold. The cases are in programs/.
 * docs/signals-conformance.md is written from the results: `npx vitest run test/conformance.test.ts -u`.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { limits } from './limits.ts';
import { conformance, type Results } from './run.ts';

const table = fileURLToPath(new URL('../../../docs/signals-conformance.md', import.meta.url));

interface Subject {
  program: string;
  about: string;
  /** Whose sentences they are. */
  text: string;
}

const subjects: Subject[] = [
  {
    program: 'action.mjs',
    about: 'actions and sending',
    text: 'POSIX.1-2017: sigaction, kill, raise, sigqueue, pthread_kill, 2.4 Signal Concepts; sigaction(2), sigqueue(3)',
  },
  {
    program: 'mask.mjs',
    about: 'masks and what is pending',
    text: 'POSIX.1-2017: pthread_sigmask, sigpending, pthread_create, sigsetops; signal(7)',
  },
  {
    program: 'wait.mjs',
    about: 'waiting',
    text: 'POSIX.1-2017: sigwait, sigtimedwait, sigsuspend, pause; sigwaitinfo(2)',
  },
  {
    program: 'calls.mjs',
    about: 'system calls that are interrupted, with io_uring and without',
    text: 'POSIX.1-2017: 2.4.4 Signal Effects on Other Functions; signal(7), "Interruption of system calls"',
  },
  {
    program: 'timers.mjs',
    about: 'timers',
    text: 'POSIX.1-2017: timer_create, timer_settime, timer_getoverrun, alarm; timer_create(2)',
  },
  { program: 'subscribe.mjs', about: 'signals(), abortOn(), onsignal()', text: 'the README of this package' },
  {
    program: 'node.mjs',
    about: 'beside Node',
    text: 'the README; where it names them, signal(7) and fork(2)',
  },
  { program: 'rforks.mjs', about: 'several rforks and Workers', text: 'the README of this package' },
];

const results = new Map<string, Results>();
for (const { program, about } of subjects)
  describe(about, () => {
    results.set(program, conformance(program));
  });

describe('system calls where there is no ring', () => {
  const withRing = results.get('calls.mjs') as Results;
  conformance('calls.mjs', { env: { LIBCR_SYSCALLS_PATH: 'readiness' } }, withRing);
});

describe('what does not hold', () => {
  results.set('limits.mjs', conformance('limits.mjs'));
  test('each has its cause', () =>
    expect([...(results.get('limits.mjs') as Results).keys()]).toEqual(Object.keys(limits)));
});

function row(...cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

function written(): string {
  const held = (of: Results) => [...of.values()].filter((holds) => holds === true).length;
  let text = `# Signals of @libcr/signals: what of POSIX holds for userthreads

Written from the results of \`packages/signals/test/conformance.test.ts\`: each behaviour is a sentence and a small program. Linux, glibc; of programs that run under \`lwkt run --\` see
[posix-conformance.md](posix-conformance.md).

`;
  text += row('subject', 'behaviours', 'hold', 'whose text') + row('---', '---:', '---:', '---');
  for (const { program, about, text: source } of subjects) {
    const of = results.get(program) as Results;
    text += row(about, of.size, held(of), source);
  }
  text += `\n## What does not hold under Node, and why\n\n`;
  text += row('of the standard: what happens here', 'why') + row('---', '---');
  for (const [name, why] of Object.entries(limits)) text += row(name, why);
  for (const { program, about } of subjects) {
    text += `\n## ${about[0]?.toUpperCase()}${about.slice(1)}\n\n`;
    text += row('behaviour', 'holds') + row('---', '---');
    for (const [name, holds] of results.get(program) as Results) text += row(name, holds ? 'yes' : '**no**');
  }
  return text;
}

test('the table in the docs is what has come out', async () => {
  await expect(written()).toMatchFileSnapshot(table);
});
