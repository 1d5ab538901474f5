/**
 * handle-scopes.test.ts: threads that wait inside an addon's functions. Node-API counts the open scopes of each addon, and used to end the process ("open_handle_scopes ==
 * open_handle_scopes_before") where the threads went on in another order than they came (native/node/state/napi-scopes.cc).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { outcome, programPath } from '../run.ts';

let folder: string;
const addon = (n: number): string => join(folder, n < 3 ? `handle-scopes-${n}.node` : 'koffi.node');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libcr-scopes-'));
  for (const n of [1, 2, 3]) {
    const args = ['-shared', '-fPIC', '-O2', '-o', addon(n), programPath('faults/handle-scopes.c')];
    const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(stderr);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scopes = <T>(name: string): Promise<T> =>
  outcome<T>('faults/handle-scopes.mjs', { args: [name, addon(1), addon(2)] });

test('two threads, of which the first goes on first', async () => {
  expect(await scopes('two')).toEqual([
    [5, 10],
    [10, 5],
  ]);
});

test('many threads in two addons, with as many scopes as they like', async () => {
  expect(await scopes('many')).toEqual({ wrong: [], known: true });
});

test('many threads that have called JSON.stringify before', async () => {
  expect(await scopes('stringified')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('exceptions and abort() on the way out', async () => {
  expect(await scopes('thrown')).toEqual([0, 1, 2, 3, 4].map((i) => `thrown ${i}`).concat('AbortError'));
});

test('the event loop uses the addon meanwhile', async () => {
  expect(await scopes('besides')).toEqual({ value: 'td', seen: ['loop'] });
});

test('an addon that has one stack for all its calls: one thread at a time waits there', async () => {
  expect(await outcome('faults/handle-scopes.mjs', { args: ['oneStack', addon(1), addon(3)] })).toEqual({
    waited: ['first', 'free again'],
    refused: ['ERR_LWKT_FOREIGN_STACK', 'ERR_LWKT_FOREIGN_STACK'],
    without: 'needs no wait',
  });
});
