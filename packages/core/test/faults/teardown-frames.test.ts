/**
 * teardown-frames.test.ts: an environment ends while a userthread is suspended inside a function of an object of Node's. The object used to go first, and the thread then
 * came back into it: SIGSEGV.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcome, programPath } from '../run.ts';

// DatabaseSync.function() came with 22.13 and 23.5.
const [major] = process.versions.node.split('.').map(Number);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libcr-teardown-'));
  const args = ['-shared', '-fPIC', '-O2', '-o', join(folder, 'database.node')];
  const { status, stderr, error } = spawnSync('cc', [...args, programPath('faults/teardown-frames.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const databases: [string, boolean, () => Record<string, string>][] = [
  ['node:sqlite', (major as number) >= 24, () => ({})],
  ["an addon's object", true, () => ({ ADDON: join(folder, 'database.node') })],
];

for (const [what, there, env] of databases)
  describe.runIf(there)(`${what}:`, () => {
    const ends = <T>(name: string): Promise<T> =>
      outcome<T>('faults/teardown-frames.mjs', { args: [name], env: env() });

    test('a Worker that is terminated', async () => {
      expect(await ends('terminate')).toEqual([1, 1, 1]);
    });

    test('a Worker that exits', async () => {
      expect(await ends('exits')).toBe(3);
    });

    test('the main thread, whose daemon is left', async () => {
      expect(await ends('main')).toBe('ends');
    });
  });
