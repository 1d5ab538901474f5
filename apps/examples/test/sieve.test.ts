/** sieve.test.ts: the sieve is right, and JavaScript runs beside it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { environment, lwkt } from '../../lwkt/test/lwkt.ts';

const folder = fileURLToPath(new URL('../sieve/', import.meta.url));

beforeAll(() => {
  const { status, stderr, error } = spawnSync('make', ['-s'], {
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(stderr);
});

test('C counts the primes, and JavaScript has its turns', async () => {
  for (let round = 0; round < 3; round++)
    expect(await lwkt(['run', `${folder}sieve.ts`])).toMatchObject({
      stdout:
        '664579 primes below 10000000; the last is 9999991\n' +
        'JavaScript had its turns meanwhile\n' +
        'EINVAL: invalid argument, sieve\n',
      stderr: '',
      status: 0,
    });
});
