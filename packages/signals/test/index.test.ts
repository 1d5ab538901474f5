import * as built from '@libcr/signals';
import { expect, test } from 'vitest';

test('the built package loads and exports nothing yet', () => {
  expect(Object.keys(built)).toEqual([]);
});
