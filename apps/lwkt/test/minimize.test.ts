/** minimize.test.ts: the shortest part of a list for which something holds, whatever that is, by as many questions as are allowed. */
import { expect, test } from 'vitest';
import { minimize } from '../src/explore/minimize.ts';

const items = Array.from({ length: 100 }, (_, i) => i);

test.each([
  [[]],
  [[0]],
  [[99]],
  [[3, 4]],
  [[0, 50, 99]],
  [[1, 20, 21, 22, 60, 98]],
  [items.filter((i) => i % 3 === 0)],
])('what needs %j', async (needed) => {
  for (const atOnce of [1, 2, 7]) {
    const seen = new Set<string>();
    const found = await minimize(
      items,
      async (some) => {
        seen.add(some.join());
        return needed.every((one) => some.includes(one));
      },
      { most: 100_000, atOnce },
    );
    expect(found).toMatchObject({ items: needed, isLeast: true });
    expect(found.tries).toBeGreaterThanOrEqual(seen.size);
  }
});

test('nothing of it can be left out', async () => {
  const found = await minimize(items, async (some) => some.length === items.length, {
    most: 100_000,
    atOnce: 1,
  });
  expect(found).toMatchObject({ items, isLeast: true });
});

test('it is given up after so many questions, with what it has then', async () => {
  for (let most = 0; most < 30; most++) {
    let asked = 0;
    const found = await minimize(
      items,
      async (some) => {
        asked++;
        return some.includes(7) && some.includes(70);
      },
      { most, atOnce: 2 },
    );
    expect(found.tries).toBe(asked);
    expect(asked).toBeLessThanOrEqual(most);
    expect(found.items).toEqual(expect.arrayContaining([7, 70]));
    if (found.isLeast) expect(found.items).toEqual([7, 70]);
  }
});

test('it is the same however many are asked for at once', async () => {
  // not monotonous: what holds of a part need not hold of more
  const holds = async (some: number[]) => (some.length * 31 + (some[0] ?? 0)) % 5 < 2;
  const one = await minimize(items, holds, { most: 100_000, atOnce: 1 });
  for (const atOnce of [2, 3, 16])
    expect((await minimize(items, holds, { most: 100_000, atOnce })).items).toEqual(one.items);
});
