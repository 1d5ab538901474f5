/** terminal.test.ts: `lwkt run -- PROGRAM` on a terminal, under an interactive shell: as the program by itself (packages/posix-compat has the launcher's own test). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  // Without posix-compat's native half a Node before 22.15 has the program as its child, and gives the terminal back as it found it: no settings then.
  const asChild = { LIBCR_SEMAPHORE_NATIVE: '/nosuch' };
  // Under shims it is its child, too: the supervisor is another process.
  const shim = join(SCRATCH, 'pass.mjs');
  writeFileSync(shim, `export default { name: 'pass', on: 'all', shim: (next) => (msg) => next(msg) };`);
  const shims = ['--shim', shim, '--shim', 'metrics:/dev/null'];
  test.concurrent.each([
    ['stop', {}, []],
    ['interrupt', {}, []],
    ['own', {}, []],
    ['settings', {}, []],
    ['stop', asChild, []],
    ['interrupt', asChild, []],
    ['stop', {}, shims],
    ['interrupt', {}, shims],
    ['own', {}, shims],
    ['background', {}, shims],
    ['hangup', {}, shims],
  ])('%s %j %j', async (which, env, options) => {
    const command = ['python3', driver, which, process.execPath, cli, 'run', ...options, '--'];
    const { stdout, stderr, status } = await lwkt([], {
      command,
      env: { ...environment(), SCRATCH, ...env },
    });
    expect([stdout, stderr, status]).toEqual(['holds\n', '', 0]);
  });
});
