/**
 * entries.test.ts: whoever loads the package, and how ever, gets the same objects: import, require(), and what loads modules into a context of its own, as Jest does.
 * (tools/pack/jest has Jest itself)
 */
import { expect, test } from 'vitest';
import { outcome } from './run.ts';

interface Loaded {
  first: string;
  sameImported: boolean;
  sameElsewhere: boolean;
  otherContext: boolean;
  runs: string[];
  natives: number;
}

const once = { sameImported: true, sameElsewhere: true, otherContext: true, natives: 1 };

for (const first of ['import', 'require', 'elsewhere'])
  test(`first by ${first}`, async () => {
    const found = await outcome<Loaded>('entries/load-thrice.mjs', { args: [first] });
    expect(found).toEqual({ first, ...once, runs: ['import', 'require', 'elsewhere'] });
  });

test('import and require() by modules of one graph, which require() before the import is evaluated', async () => {
  expect(await outcome('entries/graph.mjs')).toEqual({ same: true });
});

test('an rfork: its module requires, which that imports', async () => {
  expect(await outcome('entries/in-rfork.mjs')).toEqual({ same: true, answer: 42 });
});
