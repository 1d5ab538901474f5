/**
 * contexts.test.ts: a userthread that waits inside a scope of async_hooks, or with an AsyncLocalStorage store, finds its own again: by each way in
 * which Node keeps them, also where it hides its stack of async ids.
 */
import { describe, expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';
import { otherStores, permissionFlags } from './flags.ts';

const ways: [string, string[] | undefined][] = [
  ['by default', []],
  [`with ${otherStores}`, otherStores === undefined ? undefined : [otherStores]],
  ['under the permission model', permissionFlags],
];

for (const [way, flags] of ways)
  describe.runIf(flags)(`${way},`, () => {
    const context = (name: string): Promise<unknown> =>
      outcome<unknown>('faults/contexts.mjs', { args: [name], ...(flags && { flags }) });

    test('each thread has its own store', async () => {
      expect(await context('stores')).toEqual(['0 inside', '1 inside', '2 inside']);
    });

    test('AsyncLocalStorage.snapshot() and bind() hold across a wait', async () => {
      expect(await context('snapshot')).toEqual([
        ['taken by 0', 'bound 0', 0],
        ['taken by 1', 'bound 1', 1],
        ['taken by 2', 'bound 2', 2],
      ]);
    });

    test('scopes of threads that take turns are each their own, forty deep', async () => {
      expect(await context('deep')).toEqual([]);
    });

    test('a scope is left properly by an exception and by an abort', async () => {
      expect(await context('thrown')).toEqual(['from within', true]);
    });

    test('also with hooks in use', async () => {
      expect(await context('hooks')).toEqual([true, true, true, true]);
    });
  });

test('a Node that shows its async ids nowhere is refused where stores would be mixed up', async () => {
  const { status, stderr } = await runProgram('faults/hidden-ids.mjs', { args: ['needed'] });
  expect(stderr).toContain('ERR_LIBCR_NATIVE');
  expect(status).toBe(1);
});

test('there a wait in a nested scope is refused where they would not, and nothing else is', async () => {
  expect(await outcome('faults/hidden-ids.mjs', { args: ['not needed'] })).toEqual({
    inside: 'ERR_LWKT_ASYNC_SCOPE',
    outside: 'fine',
  });
});

describe('node:domain', () => {
  test('is not loaded for those who do not use it', async () => {
    expect(await outcome('faults/no-domains.mjs', { args: ['none'] })).toEqual({
      usingDomains: false,
      loaded: false,
    });
  });

  const domains = (name: string): Promise<unknown> =>
    outcome<unknown>('faults/domains.mjs', { args: [name], flags: ['--no-deprecation'] });

  test('each thread is in its own domains, and nobody in those of others', async () => {
    expect(await domains('own')).toEqual([]);
  });

  test('what is begun after a wait fails in the domain of its thread', async () => {
    expect(await domains('errors')).toEqual(['a a', 'b b']);
  });
});
