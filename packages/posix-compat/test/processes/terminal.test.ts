/** terminal.test.ts: on a terminal, under an interactive shell, a program is stopped, continued, interrupted and hung up under libcr as it is natively. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { has, natively, scratch } from '../programs.ts';

const driver = fileURLToPath(new URL('../programs/terminal.py', import.meta.url));
const hasAll = has('python3') && has('bash');

describe.skipIf(!hasAll)(`a terminal${hasAll ? '' : ' (python3 or bash is not here)'}`, () => {
  test.concurrent.each(
    ['stop', 'background', 'interrupt', 'own', 'settings', 'hangup'].flatMap((which) => [
      [which, 'natively', ['env']],
      [which, 'under libcr', [launcherPath(), '--']],
    ]) as [string, string, string[]][],
  )('%s, %s', async (which, _how, command) => {
    const result = await natively('python3', [driver, which, ...command], { env: { SCRATCH: scratch } });
    expect(result).toEqual({ stdout: 'holds\n', stderr: '', status: 0, signal: null });
  });
});
