/** terminal.test.ts: `lwkt run -- PROGRAM` on a terminal, under an interactive shell: as the program by itself (packages/posix-compat has the launcher's own test). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, environment, lwkt } from './lwkt.ts';

const driver = fileURLToPath(
  new URL('../../../packages/posix-compat/test/programs/terminal.py', import.meta.url),
);
const SCRATCH = mkdtempSync(join(tmpdir(), 'lwkt-terminal-'));
afterAll(() => rmSync(SCRATCH, { recursive: true }));
const hasAll = !['python3', 'bash'].some((name) => spawnSync(name, ['--version']).error);

describe.skipIf(!hasAll)(`a terminal${hasAll ? '' : ' (python3 or bash is not here)'}`, () => {
  // Without posix-compat's native half a Node before 22.15 has the program as its child, and gives the terminal back as it was.
  const asChild = { LIBCR_SEMAPHORE_NATIVE: '/nosuch' };
  test.concurrent.each([
    ['stop', {}],
    ['interrupt', {}],
    ['own', {}],
    ['stop', asChild],
    ['interrupt', asChild],
  ])('%s %j', async (which, env) => {
    const command = ['python3', driver, which, process.execPath, cli, 'run', '--'];
    const { stdout, stderr, status } = await lwkt([], {
      command,
      env: { ...environment(), SCRATCH, ...env },
    });
    expect([stdout, stderr, status]).toEqual(['holds\n', '', 0]);
  });
});
