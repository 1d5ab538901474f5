/** pipeline.test.ts: the pipeline's result, and that each run gives it. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lwkt } from '../../lwkt/test/lwkt.ts';

const program = fileURLToPath(new URL('../pipeline/pipeline.ts', import.meta.url));

test('it counts the primes, with all its workers', async () => {
  for (let round = 0; round < 3; round++)
    expect(await lwkt(['run', program])).toMatchObject({
      stdout: '9592 primes below 100000, from 100 ranges by 4 workers\n',
      stderr: '',
      status: 0,
    });
});
