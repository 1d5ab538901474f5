/**
 * storm.test.ts: many signals at once, from other processes and between userthreads that wait in every kind of call: what must be queued is neither lost nor out of order,
 * and no handler runs on a wrong thread.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stressed } from '../../core/test/run.ts';
import { runHere } from './run.ts';

let folder: string;
let sender: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libcr-signals-'));
  sender = join(folder, 'sender');
  const source = fileURLToPath(new URL('programs/sender.c', import.meta.url));
  execFileSync(process.env.CC ?? 'gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', sender, source]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a storm of signals', async () => {
  const count = stressed ? 2_000 : 100_000;
  const threads = stressed ? 50 : 1_000;
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`storm: seed ${seed}`);
  const ran = await runHere('storm.mjs', [count, threads, seed].map(String), {
    env: { LIBCR_SENDER: sender },
  });
  expect(ran).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(JSON.parse(ran.stdout)).toEqual({
    faults: [],
    handler: count / 2,
    wait: count / 2,
    standard: true,
    between: count / 4,
  });
});
