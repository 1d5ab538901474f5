/** trace-events.test.ts: --trace-events: the file is there and whole however the script ends. What is in it is tested in packages/core. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { lwkt } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** The names of the threads in the file. */
function threads(file: string): unknown[] {
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8'));
  return traceEvents
    .filter(({ name }: { name: string }) => name === 'thread_name')
    .map(({ args }: { args: { name: string } }) => args.name);
}

test.each([
  ['its end', 'module/script.mjs', 0],
  ['TypeScript', 'module/script.ts', 0],
  ['process.exit()', 'commonjs/exit.cjs', 7],
  ['an exception', 'commonjs/throws.cjs', 1],
])('the file is whole after %s', async (_what, script, expected) => {
  const file = join(scratch, `${expected}.json`);
  const { status } = await lwkt(['run', `--trace-events=${file}`, fixture(script)]);
  expect(status).toBe(expected);
  expect(threads(file)).toEqual(expect.arrayContaining(['thread0', '#1 main']));
});

test('together with --trace, which is something else', async () => {
  const file = join(scratch, 'both.json');
  const { stderr, stdout } = await lwkt([
    'run',
    '--trace',
    '--trace-events',
    file,
    fixture('system-calls.mjs'),
  ]);
  expect(stdout).toBe('ENOENT\n');
  expect(stderr).toMatch(/^1 +open\(/m);
  expect(threads(file)).toContain('#1 main');
});

test('a file that cannot be opened: nothing runs', async () => {
  const { status, stdout, stderr } = await lwkt([
    'run',
    `--trace-events=${scratch}/no/such`,
    fixture('system-calls.mjs'),
  ]);
  expect(stderr).toMatch(/^lwkt: cannot write the trace events: ENOENT.*\n$/);
  expect([status, stdout]).toEqual([1, '']);
});

test('a full disk: a warning, and the script runs', async () => {
  const { status, stdout, stderr } = await lwkt([
    'run',
    '--trace-events=/dev/full',
    fixture('system-calls.mjs'),
  ]);
  expect([status, stdout]).toEqual([0, 'ENOENT\n']);
  expect(stderr.match(/LWKT_TRACE_EVENTS/g)).toHaveLength(1);
  expect(stderr).toContain('cannot write the trace events: ENOSPC');
});
