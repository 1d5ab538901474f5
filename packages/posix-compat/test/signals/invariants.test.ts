/**
 * invariants.test.ts: the launcher that looks at libcr's invariants (native/check) sees each of them where it is broken, and says which it is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { checking } from '../programs.ts';
import { stormUnderLibcr } from './storm.ts';

const folder = fileURLToPath(new URL('../../native/check/', import.meta.url));
const sources = readdirSync(folder).map((name) => readFileSync(folder + name, 'utf8'));
/** Those that are checked, and those that check.c's header lists. */
const names = sources.flatMap((source) =>
  [...source.matchAll(/^\t\{"([\w-]+)",/gm)].map((found) => found[1]),
);
const listed = sources.flatMap((source) =>
  [...source.matchAll(/^ \* {3}([a-z-]+) {2,}\S/gm)].map((found) => found[1]),
);

/** The least storm in which there is something of each kind to be broken. */
const storm = { seed: '3', signals: '4000', threads: 100 };

let launcher: string;
beforeAll(() => {
  launcher = checking();
}, 120_000);

test('all of them are listed', () => {
  expect(names.length).toBeGreaterThan(20);
  expect(listed.sort()).toEqual([...names].sort());
});

describe.concurrent('is seen when it is broken', () => {
  test.each(names)('%s', { timeout: 120_000 }, async (name) => {
    const ran = await stormUnderLibcr(storm, {
      launcher,
      env: { LIBCR_CHECK_BREAK: name },
      timeout: 100_000,
    });
    expect(ran).toMatchObject({ status: null, signal: 'SIGABRT', stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^libcr: broken: ${name}, rfork 0, lwp \\d+: .+\n$`));
  });
});
