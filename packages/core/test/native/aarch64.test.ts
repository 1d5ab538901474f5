/**
 * aarch64.test.ts: builds the C core and its test programs for aarch64 and runs them under qemu. Where the cross compiler or
 * qemu is not installed, native/test/aarch64.sh says so, and the tests count as skipped. Like native.test.ts it knows
 * no Node, so the version matrix leaves it out.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../native/test/aarch64.sh', import.meta.url));

it.for(['plain', 'sanitized'])('the C core on aarch64, %s', { timeout: 900_000 }, (flavour, { skip }) => {
  const { status, signal, error, stdout, stderr } = spawnSync(script, [flavour], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`aarch64.sh: ${signal ?? status}\n${stdout}\n${stderr}`);
  const reason = /^skipped: .*/.exec(stdout);
  if (reason) skip(reason[0]);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`aarch64, ${flavour}: all programs have passed`);
});
