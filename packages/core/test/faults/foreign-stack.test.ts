/**
 * foreign-stack.test.ts: WebAssembly's JavaScript Promise Integration runs functions on stacks of V8's own. A userthread that waited there used to end
 * the process; now the wait is refused.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from '../run.ts';

const stack = <T>(name: string): Promise<T> => outcome<T>('faults/foreign-stack.mjs', { args: [name] });

describe.runIf('promising' in (globalThis as unknown as { WebAssembly: object }).WebAssembly)(
  'WebAssembly.promising',
  () => {
    test('an import that waits is refused', async () => {
      expect(await stack('import')).toEqual({ ERR_LWKT_FOREIGN_STACK: 20 });
    });

    test('so is one that may suspend', async () => {
      expect(await stack('suspending')).toEqual({ ERR_LWKT_FOREIGN_STACK: 20 });
    });

    test('one that returns a promise is not', async () => {
      expect(await stack('asMeant')).toEqual({ fine: 20 });
    });

    test('a thread that is refused keeps its tokens', async () => {
      expect(await stack('holds')).toEqual({ code: 'ERR_LWKT_FOREIGN_STACK', held: true });
    });
  },
);
