/**
 * supervised-many.test.ts: as many as a million calls of several threads, of children and of threads that do not last go through three shims of TypeScript: none is lost, and
 * nothing grows: not the supervisor's heap or memory, nor its userthreads, slots, processes and descriptors.
 *
 * CI has some ten thousand of them; LIBCR_SUPERVISED_CALLS=1000000 has all.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile } from '../programs.ts';

const CALLS = Number(process.env.LIBCR_SUPERVISED_CALLS ?? 40_000);
const ROUNDS = 5;
const THREADS = 8;
const MiB = 2 ** 20;
/** What a heap has more after a while, when all code has been compiled; and a process' memory, as malloc and V8 keep it. */
const HEAP_MORE = MiB;
const MEMORY_MORE = 32 * MiB;

interface Sample {
  heap: number;
  rss: number;
  external: number;
  descriptors: number;
  userthreads: number;
  all: number;
  used: number;
  busy: number;
  processes: number;
}

test('calls through three shims: all are seen, and nothing grows', () => {
  const program = compile('supervised/counted', ['-static']); // a dynamic loader makes such calls, too
  const calls = Math.ceil(CALLS / ROUNDS / THREADS / 4) * 4;
  const supervisor = fileURLToPath(new URL('../programs/supervised/counted.mjs', import.meta.url));
  const args = [launcherPath(), program, ROUNDS, THREADS, calls].map(String);
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', supervisor, ...args], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const result = JSON.parse(stdout) as {
    counts: number[];
    calls: number;
    said: string[];
    samples: Sample[];
  };
  const made = result.said.map((line) => Number(/^(\d+) made, 0 wrong\n$/.exec(line)?.[1]));
  const all = made.reduce((a, b) => a + b);
  expect(all).toBeGreaterThanOrEqual(CALLS);
  expect({ counts: result.counts, calls: result.calls }).toEqual({ counts: [all, all, all], calls: all });

  const [, first] = result.samples as [Sample, Sample];
  const last = result.samples.at(-1) as Sample;
  expect(last).toMatchObject({ descriptors: first.descriptors, used: 0, busy: 0, processes: 0 });
  expect(last.userthreads).toBeLessThanOrEqual(2 * THREADS); // those whose calls wait at once, and one that serves
  expect(last.all - last.userthreads).toBe(first.all - first.userthreads);
  expect(last.heap - first.heap).toBeLessThan(HEAP_MORE);
  expect(last.external - first.external).toBeLessThan(HEAP_MORE);
  expect(last.rss - first.rss).toBeLessThan(MEMORY_MORE);
});
