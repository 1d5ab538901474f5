/**
 * stack-size.test.ts: the stack of userthreads that do not say how much they want: a program's default.
 */
import { describe, expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';

const sizes = (name: string, LIBCR_STACK_SIZE = ''): Promise<unknown> =>
  outcome<unknown>('faults/stack-size.mjs', { args: [name], env: { LIBCR_STACK_SIZE } });

describe('LIBCR_STACK_SIZE', () => {
  test('says it for all userthreads, in bytes, KiB or MiB', async () => {
    expect(await sizes('here')).toEqual([256, 256]);
    expect(await sizes('here', '524288')).toEqual([512, 512]);
    expect(await sizes('here', '600k')).toEqual([1024, 1024]);
    expect(await sizes('here', '2M')).toEqual([2048, 2048]);
  });

  test('does not for those that say it themselves', async () => {
    expect(await sizes('given', '512k')).toEqual([1024, 512]);
  });

  test('goes to rforks, which may have another default', async () => {
    expect(await sizes('rforks')).toEqual([256, 512]);
    expect(await sizes('rforks', '1m')).toEqual([1024, 512]);
  });

  for (const bad of ['1', '1g', '-1', 'much', '65m', '512 k'])
    test(`${bad} is refused when the package is loaded`, async () => {
      const env = { LIBCR_STACK_SIZE: bad };
      const { status, stderr } = await runProgram('faults/stack-size.mjs', { args: ['here'], env });
      expect(stderr).toContain('The value of "LIBCR_STACK_SIZE" is out of range');
      expect(stderr).toContain(`Received '${bad}'`);
      expect(status).toBe(1);
    });
});

describe("run()'s defaultStackSize", () => {
  test('says it for all userthreads from then on, and rforks, before what the environment says', async () => {
    const expected = [[512, 512, 512], 512, [2048, 1024, 256]];
    expect(await sizes('byRun')).toEqual(expected);
    expect(await sizes('byRun', '2m')).toEqual(expected);
  });

  test('is refused where it is none, and changes nothing then', async () => {
    const range = 'ERR_OUT_OF_RANGE';
    const type = 'ERR_INVALID_ARG_TYPE';
    expect(await sizes('refusedByRun')).toEqual([type, range, range, type, 256]);
  });
});

test('an rfork of a size that is none is refused', async () => {
  expect(await sizes('refused')).toEqual(['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_OUT_OF_RANGE']);
});
