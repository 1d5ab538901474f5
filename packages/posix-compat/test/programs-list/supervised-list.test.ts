/**
 * supervised-list.test.ts: with all calls by way of two shims of TypeScript, trace and one that passes everything on, the programs of programs-list.ts print what they print
 * natively, and end as they do. Each call that comes to one shim comes to the other; at the end no shim is busy and no slot is in use.
 *
 * CI has a part of the list; LIBCR_SUPERVISED_LIST=all has all of it.
 */
import { defineShim, type Shim } from '@libcr/syscalls';
import { trace } from '@libcr/syscalls/shims/trace';
import { describe, expect, test } from 'vitest';
import { has, type Result, type underLibcr } from '../programs.ts';
import {
  compileGo,
  compileStatic,
  goroutines,
  missing,
  programs,
  runEntry,
  statics,
} from './programs-list.ts';
import { underShims } from './under-shims.ts';

/** How titles begin of those that CI has. */
const PART =
  process.env.LIBCR_SUPERVISED_LIST === 'all'
    ? /./
    : /^(pigz|bash|perl: fork|python3: a threading|sqlite3|make|git|redis|nginx|join|cond_turns)/;
const OPTIONS = ['--rforks=2'];

/** What they print on stderr is different from run to run. */
const shown = ({ status, signal, stdout }: Result) => ({ status, signal, stdout });

/** Traced, and passed on; with what there was to be seen of it. */
async function traced(program: string, args: string[], options: Parameters<typeof underLibcr>[2] = {}) {
  let lines = 0;
  let passed = 0;
  const unfinished = / <unfinished \.\.\.>/;
  const isNoCall = /^(\[pid +\d+\] |\d+ +)?(---|\+\+\+) /; // a signal, an end
  const pass: Shim = defineShim({
    name: 'pass',
    on: 'all',
    shim: (next) => (msg) => {
      passed++;
      return next(msg);
    },
  });
  const shim = trace({
    output: (line) => {
      if (!isNoCall.test(line) && (!unfinished.test(line) || line.endsWith('= ?'))) lines++;
    },
  });
  const result = await underShims([shim, pass], program, args, { ...options, options: OPTIONS });
  return { result, lines, passed };
}

function holds({ result, lines, passed }: Awaited<ReturnType<typeof traced>>): void {
  const { calls, busy, used, lost } = result.rest;
  expect({ passed, busy, used: used - lost }).toEqual({ passed: calls, busy: 0, used: 0 });
  expect(lines).toBeGreaterThan(0); // how many: a call that is made again has one each time
}

describe.each(programs)('%s', (_, entries) => {
  test.for(entries.filter(({ title }) => PART.test(title)))('$title', async (entry, { skip }) => {
    const absent = missing(entry);
    if (absent.length) skip(`not installed: ${absent.join(', ')}`);
    const native = shown(await runEntry(entry));
    expect(native.stdout).toContain(entry.shows);
    let outcome: Awaited<ReturnType<typeof traced>> | undefined;
    const run: typeof underLibcr = async (program, args = [], options = {}) => {
      outcome = await traced(program, args, options);
      return outcome.result;
    };
    const result = await runEntry(entry, run);
    expect(shown(result), result.stderr.slice(-2000)).toEqual(native);
    holds(outcome as NonNullable<typeof outcome>);
  });
});

describe('other ways of linking', () => {
  const musl = statics.filter(([, name]) => PART.test(name));
  test.for(musl)('a static program with musl: %s: %s', async ([subject, name], { skip }) => {
    if (!has('musl-gcc')) skip('not installed: musl-gcc');
    const outcome = await traced(compileStatic(subject), [name]);
    expect(shown(outcome.result)).toEqual({ status: 0, signal: null, stdout: 'pass\n' });
    holds(outcome);
  });
  test.runIf(PART.test('Go'))('a static program of Go', async ({ skip }) => {
    if (!has('go')) skip('not installed: go');
    const outcome = await traced(compileGo('goroutines', goroutines), []);
    expect(shown(outcome.result)).toEqual({
      status: 3,
      signal: null,
      stdout: '17497500\n250\nchild\ntrue\n',
    });
    holds(outcome);
  });
});
