/**
 * survive.test.ts: userthreads that wait below everything that calls JavaScript back, under V8's stress flags
 * and Node's own tools. What breaks here breaks as a crash mostly.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outcome, type RunOptions, stressed } from './run.ts';

const survive = <T>(name: string, options: RunOptions = {}): Promise<T> =>
  outcome<T>('survive.mjs', { args: [name], timeout: 300_000, ...options });

const timeout = 310_000;

/** Runs fn with a new folder; returns what it returned. */
async function inFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'libcr-survive-'));
  try {
    return await fn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('waits below whatever calls JavaScript back', { timeout }, async () => {
  expect(await survive('workload')).toEqual([]);
});

// V8 12.4 keeps the serialisers that are at work in one list for all threads, and ends the process ("Check failed:
// !isolate_->to_destroy_before_sudden_shutdown_.empty()") unless the last that began ends first.
test('waits below JSON.stringify, by several threads at once: done, or refused on Node 22', {
  timeout,
}, async () => {
  const { codes, right } = await survive<{ codes: string[]; right: boolean }>('jsonStringify');
  expect({ codes, right }).toEqual({
    codes: process.version.startsWith('v22.') ? ['ERR_LWKT_STRINGIFY'] : [],
    right: true,
  });
});

// Where all runs under stress flags already, these would be the same again, slower.
describe.runIf(!stressed)('the same with', () => {
  for (const flags of [
    '--expose-gc --gc-interval=50 --stress-compaction',
    '--stress-scavenge=50',
    '--stress-incremental-marking',
    '--stress-wasm-code-gc --wasm-code-gc',
    '--no-lazy-feedback-allocation',
    '--no-opt',
    '--max-lazy',
    '--stack-size=4000',
    '--enable-source-maps',
  ])
    test(flags, { timeout }, async () => {
      expect(await survive('small', { flags: flags.split(' ') })).toEqual([]);
    });
});

// How V8's thread-local variables are found in a Node without a symbol table (docs/decisions/0013-thread-words.md).
describe("V8's thread words found by looking", () => {
  const env = { LIBCR_THREAD_WORDS: 'looking' };

  test('waits below whatever calls JavaScript back', { timeout }, async () => {
    expect(await survive('workload', { env })).toEqual([]);
  });

  test('fetch', { timeout }, async () => {
    expect(await survive('servers', { env })).toBe(true);
  });

  test('in Workers', { timeout }, async () => {
    expect(await survive('words', { env })).toEqual({ way: 'looking', sums: [45, 45, 45] });
  });
});

test('and by the names of symbols, elsewhere', { timeout }, async () => {
  expect(await survive('words')).toEqual({ way: 'symbols', sums: [45, 45, 45] });
});

describe('tools', () => {
  test('--cpu-prof writes a profile', { timeout }, () =>
    inFolder(async (folder) => {
      expect(await survive('small', { flags: ['--cpu-prof', `--cpu-prof-dir=${folder}`] })).toEqual([]);
      const [file] = readdirSync(folder);
      expect(JSON.parse(readFileSync(join(folder, file), 'utf8')).nodes.length).toBeGreaterThan(10);
    }),
  );

  test('NODE_V8_COVERAGE writes coverage', { timeout }, () =>
    inFolder(async (folder) => {
      expect(await survive('small', { env: { NODE_V8_COVERAGE: folder } })).toEqual([]);
      expect(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8')).toContain('survive.mjs');
    }),
  );

  test('heap snapshots on and beside userthreads', { timeout }, async () => {
    expect(await survive('heapSnapshots')).toBe(true);
  });

  test('precise coverage counts the calls made on userthreads', { timeout }, async () => {
    expect(await survive('coverage')).toBe(5);
  });

  test('the CPU profiler goes on seeing what runs on thread0', { timeout }, async () => {
    expect(await survive('cpuProfile')).toBe(true);
  });
});

test('201 threads fetch from a server whose handlers are userthreads', { timeout }, async () => {
  expect(await survive('servers')).toBe(true);
});
