/** policy-paths.test.ts: every path argument of the table is looked up in a way, and the policy judges all forms of it (expectations/policy-paths.ts). */
import { expect, test } from 'vitest';
import { type CallName, rows } from '../../src/generated/rows.ts';
import { hidden, looksUp, lookupOf } from '../../src/shims/paths/lookups.ts';
import { here } from '../expectations/caller.ts';
import { asked, expectPolicyOfPaths } from '../expectations/policy-paths.ts';

test('each argument of format "path" has a way in which it is looked up, and nothing else has one', () => {
  const text = new Set<CallName>(['symlink', 'symlinkat']);
  for (const row of rows)
    for (const [i, { name, format }] of row.args.entries()) {
      const isPath = format === 'path' && !(i === 0 && text.has(row.name));
      const isSource = row.name === 'mount' && name === 'source';
      expect([row.name, name, lookupOf(row.name, name) !== undefined]).toEqual([
        row.name,
        name,
        isPath || isSource,
      ]);
    }
  expect(rows.filter(({ name }) => looksUp(name) && hidden.has(name))).toEqual([]);
  expect(asked.length).toBeGreaterThan(70);
});

expectPolicyOfPaths(here);
