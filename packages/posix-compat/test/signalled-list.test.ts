/**
 * signalled-list.test.ts: the programs of programs-list.ts do what they do while SIGUSR1, SIGALRM and SIGWINCH hit all their processes a thousand times a second
 * (programs/kills.c): the first two ignored, the third with a handler (programs/handles.c), or without where a program is static. First natively: where a signal changes there
 * what a program does, the list says so (`uses`), and the signal is not sent. Then with one rfork and two.
 *
 * CI has a part of the list; LIBCR_SIGNALLED_LIST=all has all of it, as many rforks as the list has, and all programs linked in other ways.
 */
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../src/launcher.ts';
import { compile, has, natively, type RunOptions, scratch } from './programs.ts';
import {
  compileGo,
  compileStatic,
  type Entry,
  goroutines,
  missing,
  programs,
  runEntry,
  statics,
  waysOf,
} from './programs-list.ts';

const ALL = process.env.LIBCR_SIGNALLED_LIST === 'all';
const RFORKS = [1, 2];
const SIGNALS = ['SIGUSR1', 'SIGALRM', 'SIGWINCH'] as const;
type Signal = (typeof SIGNALS)[number];

/** Of the list, in CI: how a title begins. */
const PART = /^(xz|bash|perl|ruby|java|make|rg|strace|redis)/;

function preloaded(): string {
  const library = join(scratch, 'handles.so');
  const source = fileURLToPath(new URL('programs/handles.c', import.meta.url));
  execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', library, source]);
  return library;
}
const HANDLES = preloaded();

const numbers = (signals: readonly Signal[]) => signals.map((name) => constants.signals[name]).join(',') || '-';

interface Hit extends RunOptions {
  /** The launcher's options; natively if there are none. */
  options?: string[];
  /** For all processes of the program. */
  all: readonly Signal[];
  /** For its first process alone. */
  own?: readonly Signal[];
  /** The handler of handles.c for SIGWINCH. */
  handled?: boolean;
}

/** Runs a program while signals hit it. How many handlers have run is known of those of handles.c. */
async function hit(program: string, args: string[], { options, all, own = [], handled, ...rest }: Hit) {
  const counts = join(scratch, 'counts');
  const command = options ? [launcherPath(), ...options, '--', program] : [program];
  const env = { ...rest.env, ...(handled ? { LD_PRELOAD: HANDLES, HANDLES_COUNTS: counts } : {}) };
  const result = await natively(compile('kills'), [numbers(all), numbers(own), counts, ...command, ...args], {
    ...rest,
    env,
  });
  const [, sent, handlers] = /^kills: (\d+) sent, (\d+) handled$/m.exec(result.stderr) ?? [];
  return { ...result, sent: Number(sent), handlers: Number(handlers) };
}

const shown = ({ status, signal, stdout }: { status: number | null; signal: string | null; stdout: string }) => ({
  status,
  signal,
  stdout,
});

const sentTo = (entry: Entry): Signal[] => SIGNALS.filter((name) => !entry.uses?.[name]);

describe.each(programs)('%s', (_, entries) => {
  const part = entries.filter(({ title }) => ALL || PART.test(title));
  test.for(part)('$title', { timeout: 300_000 }, async (entry, { skip }) => {
    const absent = missing(entry);
    if (absent.length) skip(`not installed: ${absent.join(', ')}`);
    const all = sentTo(entry);
    const native = await runEntry(entry);
    expect(native.stdout).toContain(entry.shows);
    const rforks = entry.rforks ?? RFORKS;
    for (const options of [undefined, ...waysOf(rforks, entry.escapes)]) {
      let counts = { sent: 0, handlers: 0 };
      const result = await runEntry(entry, async (program, args, given) => {
        const result = await hit(program, args ?? [], { ...given, options, all, handled: true });
        counts = result;
        return result;
      });
      const where = `${options ?? 'natively'}: ${JSON.stringify(counts)}\n${result.stderr.slice(-2000)}`;
      expect(shown(result), where).toEqual(shown(native));
      expect(counts.sent, where).toBeGreaterThan(0);
      if (all.includes('SIGWINCH')) expect(counts.handlers, where).toBeGreaterThan(0);
    }
  });
});
