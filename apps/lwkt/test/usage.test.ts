/** usage.test.ts: help, version, and wrong command lines: one line on stderr and exit status 2. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lwkt } from './lwkt.ts';

describe('wrong command lines', () => {
  test.each([
    [[], 'COMMAND is missing'],
    [['dance'], 'unknown command dance'],
    [['--dance'], 'unknown option --dance'],
    [['run'], 'run: SCRIPT is missing'],
    [['run', '--dance', 'x.js'], 'run: unknown option --dance'],
    [['run', '-x', 'x.js'], 'run: unknown option -x'],
    [['run', '--shim'], 'run: option --shim needs a value'],
    [['run', '--shim=', 'x.js'], 'run: option --shim needs a value'],
    [['run', '--trace=', 'x.js'], 'run: option --trace needs a value'],
    [['run', '--constructor', 'x.js'], 'run: unknown option --constructor'],
    [['trace'], 'trace: SCRIPT is missing'],
    [['trace', '-o'], 'trace: option -o needs a value'],
    [['trace', '--trace', 'x.js'], 'trace: unknown option --trace'],
    [['doctor', '--json=yes'], 'doctor: option --json takes no value'],
    [['doctor', 'me'], 'doctor: unexpected argument me'],
  ])('lwkt %j', async (args, message) => {
    const { stdout, stderr, status } = await lwkt(args);
    expect(stderr).toBe(`lwkt: ${message}; see lwkt --help\n`);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

test.each([
  [['--help'], 'Usage: lwkt COMMAND'],
  [['-h'], 'Usage: lwkt COMMAND'],
  [['run', '--help'], 'Usage: lwkt run'],
  [['trace', '-h'], 'Usage: lwkt trace'],
  [['doctor', '--help'], 'Usage: lwkt doctor'],
])('lwkt %j prints help, in 120 columns', async (args, first) => {
  const { stdout, stderr, status } = await lwkt(args);
  expect(stdout.startsWith(first)).toBe(true);
  expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('--version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  for (const flag of ['--version', '-V'])
    expect(await lwkt([flag])).toMatchObject({ stdout: `lwkt ${version}\n`, status: 0 });
});
