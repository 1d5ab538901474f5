/**
 * signal-storm.test.ts: signals from two other processes and between threads, while threads block in all kinds of calls, compute, and are preempted: none that is queued
 * is lost or out of order, none runs on a wrong thread, nobody hangs; with one rfork, two and four, and under a launcher that disturbs the program (native/inject).
 * LIBCR_STORM_SIGNALS=100000 for more, LIBCR_SOAK_SEED to make the same choices again.
 */
import { describe, expect, test } from 'vitest';
import { compile, disturbing, natively, underLibcr } from './programs.ts';

const SIGNALS = process.env.LIBCR_STORM_SIGNALS ?? '4000';
const SEED = process.env.LIBCR_SOAK_SEED ?? String(Date.now() % 1_000_000);
const timeout = 300_000 + Number(SIGNALS) * 10;
const held = { status: 0, signal: null, stderr: '', stdout: `held: ${SIGNALS} signals\n` };

test('the storm holds natively', async () => {
  expect(await natively(compile('signal-storm'), [SEED, SIGNALS])).toEqual(held);
});

describe.each([1, 2, 4])(`seed ${SEED}, %i rforks`, (rforks) => {
  const options = [`--rforks=${rforks}`];
  test(`${SIGNALS} signals`, { timeout }, async () => {
    expect(await underLibcr(compile('signal-storm'), [SEED, SIGNALS], { options, timeout })).toEqual(held);
  });
  test(`${SIGNALS} signals, disturbed`, { timeout }, async () => {
    const env = { LIBCR_INJECT: SEED };
    expect(
      await underLibcr(compile('signal-storm'), [SEED, SIGNALS], {
        options,
        timeout,
        launcher: disturbing(),
        env,
      }),
    ).toEqual(held);
  });
});
