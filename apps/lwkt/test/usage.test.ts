/** usage.test.ts: help, version, and wrong command lines: one line on stderr and exit status 2. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { lwkt } from './lwkt.ts';

const { bin, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const command = fileURLToPath(new URL(`../${bin.lwkt}`, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('wrong command lines', () => {
  test.each([
    [[], 'COMMAND is missing'],
    [['dance'], 'unknown command dance'],
    [['--dance'], 'unknown option --dance'],
    [['run'], 'run: SCRIPT or PROGRAM is missing'],
    [['run', '--dance', 'x.js'], 'run: unknown option --dance'],
    [['run', '-x', 'x.js'], 'run: unknown option -x'],
    [['run', '--shim'], 'run: option --shim needs a value'],
    [['run', '--shim=', 'x.js'], 'run: option --shim needs a value'],
    [['run', '--trace=', 'x.js'], 'run: option --trace needs a value'],
    [['run', '--trace-events=', 'x.js'], 'run: option --trace-events needs a value'],
    [['trace', '--trace-events=f', 'x.js'], 'trace: unknown option --trace-events'],
    [['run', '--constructor', 'x.js'], 'run: unknown option --constructor'],
    [['run', '--shim-timeout=5', 'true'], 'run: option --shim-timeout needs --shim or --config'],
    [
      ['run', '--on-supervisor-exit=kill', 'true'],
      'run: option --on-supervisor-exit needs --shim or --config',
    ],
    [
      ['explore', '--verify', '--check', 'x', 'true'],
      'explore: option --check is not for --verify, which compares runs and judges none',
    ],
    [['trace'], 'trace: SCRIPT is missing'],
    [['trace', '-o'], 'trace: option -o needs a value'],
    [['trace', '--trace', 'x.js'], 'trace: unknown option --trace'],
    [['top', 'x'], 'top: x is no process number'],
    [['top', '0'], 'top: 0 is no process number'],
    [['top', '1', '2'], 'top: unexpected argument 2'],
    [['top', '1', '--dance'], 'top: unknown option --dance'],
    [['top', '--interval=0'], 'top: --interval must be 0.1 to 3600 seconds, not 0'],
    [['top', '--interval', 'x'], 'top: --interval must be 0.1 to 3600 seconds, not x'],
    [
      ['top', '--sort=age'],
      'top: --sort must be one of cpu, id, name, rfork, priority, state, switches, preemptions, stack, queue, not age',
    ],
    [['trace', '--no-top', 'x.js'], 'trace: unknown option --no-top'],
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
  [['top', '--help'], 'Usage: lwkt top'],
  [['doctor', '--help'], 'Usage: lwkt doctor'],
])('lwkt %j prints help, in 120 columns', async (args, first) => {
  const { stdout, stderr, status } = await lwkt(args);
  expect(stdout.startsWith(first)).toBe(true);
  expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('--version is the package’s', async () => {
  for (const flag of ['--version', '-V'])
    expect(await lwkt([flag])).toMatchObject({ stdout: `lwkt ${version}\n`, status: 0 });
});

describe('the command as npm links it', () => {
  test('is the built one', async () => {
    const link = join(scratch, 'lwkt');
    symlinkSync(command, link);
    expect(await lwkt(['-V'], { command: [link] })).toMatchObject({ stdout: `lwkt ${version}\n`, status: 0 });
  });

  test('is there before it is built, and says so', async () => {
    const early = join(scratch, 'bin/lwkt.js');
    mkdirSync(join(scratch, 'bin'));
    copyFileSync(command, early);
    writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }');
    expect(await lwkt(['-V'], { command: [early] })).toMatchObject({
      stdout: '',
      stderr: 'lwkt: it is not built yet: run "npm run build" first\n',
      status: 1,
    });
  });
});
