/**
 * signalled-list.test.ts: the programs of programs-list.ts do what they do while SIGUSR1, SIGALRM and SIGWINCH hit all their processes, each a thousand times a second
 * (programs/signals/kills.c): the first two ignored, the third with a handler (programs/signals/handles.c); those of signalled-programs.ts with handlers of their own. First natively: where a signal
 * changes there what a program does, the list says so (`uses`), and the signal is not sent. Then with one rfork and two.
 *
 * CI has a part of the list; LIBCR_SIGNALLED_LIST=all has all of it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, natively, type RunOptions, scratch } from '../programs.ts';
import {
  compileGo,
  compileStatic,
  type Entry,
  goroutines,
  missing,
  programs,
  runEntry,
  type Signal,
  statics,
  waysOf,
} from './programs-list.ts';
import { handling } from './signalled-programs.ts';

const ALL = process.env.LIBCR_SIGNALLED_LIST === 'all';
const RFORKS = [1, 2];
const SIGNALS: Signal[] = ['SIGUSR1', 'SIGALRM', 'SIGWINCH'];
/** Handlers take their time first, however little a program gets of a busy machine. */
const HANGS = 240_000;
const timeout = 4 * HANGS;

/** How titles begin of those that CI has. */
const PART = ALL
  ? /./
  : /^(xz|bash|perl|python3: threads|ruby|node|java: a pool, locks|make|rg|nginx|join|cond_turns|cancel)/;

/** Compiled once, and only where there is a compiler. */
const handles = join(scratch, 'handles.so');
function preloaded(): string {
  const source = fileURLToPath(new URL('../programs/signals/handles.c', import.meta.url));
  if (!existsSync(handles)) execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', handles, source]);
  return handles;
}

const numbers = (signals: Signal[]) => signals.map((name) => constants.signals[name]).join(',') || '-';

interface Hit extends Omit<RunOptions, 'options'> {
  /** The launcher's options; natively if there are none. */
  options?: string[] | undefined;
  /** For all processes of the program. */
  all: Signal[];
  /** For its first process alone. */
  own?: Signal[];
  /** The handler of handles.c for SIGWINCH. */
  handled?: boolean;
}

/** Runs a program while signals hit it. How many handlers have run is known of those of handles.c. */
async function hit(program: string, args: string[], { options, all, own = [], handled, ...rest }: Hit) {
  const counts = join(scratch, 'counts');
  const command = options ? [launcherPath(), ...options, '--', program] : [program];
  const env = { ...rest.env, ...(handled ? { LD_PRELOAD: preloaded(), HANDLES_COUNTS: counts } : {}) };
  const result = await natively(
    compile('signals/kills'),
    [numbers(all), numbers(own), counts, ...command, ...args],
    {
      ...rest,
      env,
      timeout: HANGS,
    },
  );
  const [, sent, handlers] = /^kills: (\d+) sent, (\d+) handled$/m.exec(result.stderr) ?? [];
  return { ...result, sent: Number(sent), handlers: Number(handlers) };
}

type Outcome = Awaited<ReturnType<typeof hit>>;
const shown = ({ status, signal, stdout }: Pick<Outcome, 'status' | 'signal' | 'stdout'>) => ({
  status,
  signal,
  stdout,
});

/** In each way: natively, and with so many rforks. */
async function always(
  run: (options?: string[]) => Promise<Outcome>,
  wanted: object,
  ways: string[][],
  handled = false,
) {
  for (const options of [undefined, ...ways]) {
    let result = await run(options);
    // It may have ended before somebody came to send one.
    for (let more = 20; more > 0 && result.sent === 0; more--) result = await run(options);
    const where = `${options ?? 'natively'}\n${result.stderr.slice(-2000)}`;
    expect(shown(result), where).toEqual(wanted);
    expect(result.sent, where).toBeGreaterThan(0);
    if (handled) expect(result.handlers, where).toBeGreaterThan(0);
  }
}

/** The signals that an entry is hit by. */
const signalsFor = (entry: Entry) => SIGNALS.filter((name) => !entry.uses?.[name]);

describe.each(programs)('%s', (_, entries) => {
  const hits = entries.filter((entry) => PART.test(entry.title) && signalsFor(entry).length);
  test.for(hits)('$title', { timeout }, async (entry, { skip }) => {
    const absent = [...missing(entry), ...missing({ ...entry, needs: ['gcc'] })];
    if (absent.length) skip(`not installed: ${absent.join(', ')}`);
    const all = signalsFor(entry);
    const native = await runEntry(entry);
    expect(native.stdout).toContain(entry.shows);
    await always(
      async (options) => {
        let outcome: Outcome | undefined;
        const result = await runEntry(entry, async (program, args, given) => {
          outcome = await hit(program, args ?? [], { ...given, options, all, handled: true });
          return outcome;
        });
        return { ...(outcome as Outcome), ...result };
      },
      shown(native as Outcome),
      waysOf(entry.rforks ?? RFORKS, entry.escapes),
      all.includes('SIGWINCH'),
    );
  });
});

describe('handlers of their own', () => {
  test.for(handling.filter(({ title }) => PART.test(title)))(
    '$title',
    { timeout },
    async (entry, { skip }) => {
      const [runner = '', ...flags] = entry.runs;
      if (!(runner.includes('/') ? existsSync(runner) : has(runner))) skip(`not installed: ${runner}`);
      const file = join(scratch, entry.file);
      writeFileSync(file, entry.text);
      const { all, own } = entry;
      const run = (options?: string[]) => hit(runner, [...flags, file], { options, all, own });
      const first = await run();
      expect(first.stdout).toContain(entry.shows);
      expect(first.stdout).toMatch(/^all handled$/m);
      await always(run, { status: entry.status, signal: null, stdout: first.stdout }, waysOf(RFORKS));
    },
  );
});

describe('other ways of linking', () => {
  test.for(statics.filter(([, name]) => PART.test(name)))(
    'a static program with musl: %s: %s',
    { timeout },
    async ([subject, name], { skip }) => {
      if (!has('musl-gcc')) skip('not installed: musl-gcc');
      const program = compileStatic(subject);
      const run = (options?: string[]) => hit(program, [name], { options, all: SIGNALS });
      await always(run, { status: 0, signal: null, stdout: 'pass\n' }, waysOf(RFORKS));
    },
  );
  test('a static program of Go, whose runtime handles all signals', { timeout }, async ({ skip }) => {
    if (!has('go')) skip('not installed: go');
    const program = compileGo('goroutines', goroutines);
    const run = (options?: string[]) =>
      hit(program, [], { options, all: ['SIGWINCH'], own: ['SIGUSR1', 'SIGALRM'] });
    await always(run, { status: 3, signal: null, stdout: '17497500\n250\nchild\ntrue\n' }, waysOf(RFORKS));
  });
});
