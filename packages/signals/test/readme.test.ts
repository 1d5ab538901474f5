/**
 * readme.test.ts: README.md says what there is. Its examples are run by tools/docs/check-examples.mjs.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const readme = text('README.md');

test('its table of error codes is that of errors.ts', () => {
  const codes = (table: string): string[] => [
    ...new Set(table.match(/\bERR_\w+|\bABORT_ERR\b|\bE[A-Z]{3,}\b/g)),
  ];
  const table = readme.slice(readme.indexOf('## Error codes'), readme.indexOf('## Dependencies'));
  const source = text('src/errors.ts');
  expect(codes(table).sort()).toEqual(codes(source.slice(0, source.indexOf('*/'))).sort());
});

test('it names everything that the package exports', async () => {
  const names = Object.keys(await import('../src/index.ts'));
  expect(names.length).toBeGreaterThan(25);
  for (const name of names) expect(readme).toContain(name);
});
