/**
 * signal-storm.test.ts: signals from two other processes and between threads, while a thousand threads wait in every kind of call, compute, and are preempted: none that is
 * queued is lost or out of order, none runs on a wrong thread, each call is interrupted as its kind and SA_RESTART say, nobody hangs. With one rfork, two and four, and
 * under a launcher that disturbs the program (native/inject) and looks at libcr's invariants at each delivery (native/check).
 * LIBCR_STORM_SIGNALS=100000 for all of it, LIBCR_SOAK_SEED to make the same choices again.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { checking, disturbingAndChecking, type Result } from '../programs.ts';
import { stormNatively, stormUnderLibcr, THREADS } from './storm.ts';

const SIGNALS = process.env.LIBCR_STORM_SIGNALS ?? '4000';
const SEED = process.env.LIBCR_SOAK_SEED ?? String(Date.now() % 1_000_000);
const WHOLE = Number(SIGNALS) >= 100_000;
const timeout = 300_000 + Number(SIGNALS) * 10;
const storm = { seed: SEED, signals: SIGNALS };

let natively: Result;
beforeAll(async () => {
  console.log(`signal storm: seed ${SEED}`);
  natively = await stormNatively(storm);
}, timeout);

test('the storm holds natively', () => {
  expect(natively).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(natively.stdout).toContain(`held: ${SIGNALS} signals, ${THREADS} threads\n`);
});

describe.each([1, 2, 4])(`seed ${SEED}, %i rforks`, (rforks) => {
  const options = { options: [`--rforks=${rforks}`], timeout };
  test(`${SIGNALS} signals`, { timeout }, async () => {
    expect(await stormUnderLibcr(storm, options)).toEqual(natively); // what this machine does not have, too
  });
  if (WHOLE)
    test(`${SIGNALS} signals, checked`, { timeout }, async () => {
      expect(await stormUnderLibcr(storm, { ...options, launcher: checking() })).toEqual(natively);
    });
  test(`${SIGNALS} signals, disturbed and checked`, { timeout }, async () => {
    const launcher = disturbingAndChecking();
    expect(await stormUnderLibcr(storm, { ...options, launcher, env: { LIBCR_INJECT: SEED } })).toEqual(
      natively,
    );
  });
});
