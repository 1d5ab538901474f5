/**
 * sanitized.test.ts: the tests of the native half again, with one that has been built with AddressSanitizer and UndefinedBehaviorSanitizer (sanitized.sh).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support.ts';

const CANNOT = 77;
const folder = temporaryFolder();

function sanitized(env: NodeJS.ProcessEnv, ...command: string[]): ReturnType<typeof run> {
  return run(env, join(folder, 'native'), ...command);
}

function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, signal, stdout, stderr } = spawnSync(join(import.meta.dirname, 'sanitized.sh'), args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 900_000,
    killSignal: 'SIGKILL',
  });
  return { status, signal, stdout, stderr };
}

const probe = sanitized({ ASAN_OPTIONS: 'verbosity=1' }, process.execPath, '-p', '"it runs"');
if (probe.status === CANNOT) console.log(`not run: ${probe.stderr.trim()}`);

test.skipIf(probe.status === CANNOT)('the sanitizers are on', () => {
  expect(probe).toMatchObject({ status: 0, stderr: expect.stringContaining('AddressSanitizer Init done') });
});

/** What goes through the native half in all ways: arguments of every call, helper threads, the ring, environments that end. */
const files = ['conformance', 'arguments', 'exits', 'waiting/offload', 'waiting/ring', 'waiting/streams'];
const vitest = join(import.meta.dirname, '..', '..', '..', 'node_modules', 'vitest', 'vitest.mjs');

test.skipIf(probe.status === CANNOT)('the tests of the native half', { timeout: 920_000 }, () => {
  const { stdout, stderr, ...rest } = sanitized(
    {},
    process.execPath,
    vitest,
    'run',
    '--project=chosen',
    '--root',
    join(import.meta.dirname, '..'),
    ...files.map((file) => `test/${file}`),
  );
  expect(rest, `${stdout}\n${stderr}`).toEqual({ status: 0, signal: null });
});
