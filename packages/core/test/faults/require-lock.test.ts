/**
 * require-lock.test.ts: modules whose top level waits, required by several threads at once. The second one used to get what there was so far, as in a circle of modules
 * (src/state/require-lock.ts).
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

const lock = <T>(name: string): Promise<T> => outcome<T>('faults/require-lock.mjs', { args: [name] });
const slow = { first: 1, runs: 1, last: 2 };

test('all get all of it, and it runs once', async () => {
  expect(await lock('both')).toEqual(Array(3).fill({ returned: slow }));
});

test('modules that require each other, from two threads: nobody waits for ever', async () => {
  const [a, b] = await lock<{ returned: object }[]>('circle');
  expect(a.returned).toEqual({ early: 'a', b: 'b', late: 'a' });
  expect(b.returned).toEqual({ early: 'b', a: 'a', late: 'b' });
});

test('a circle within one thread is what it is in Node', async () => {
  expect(await lock('own')).toEqual([{ returned: { early: 'a', b: 'b', late: 'a' } }]);
});

test('where it fails, the next one tries again', async () => {
  expect(await lock('fails')).toMatchObject([{ message: 'the first time' }, { returned: { tries: 2 } }]);
});

test('what is not there is missed as ever', async () => {
  expect(await lock('missing')).toMatchObject([{ returned: slow }, { code: 'MODULE_NOT_FOUND' }]);
});

test('the event loop is refused, as it can not wait', async () => {
  expect(await lock('thread0')).toEqual({ during: 'ERR_LWKT_WOULD_BLOCK', after: slow });
});
