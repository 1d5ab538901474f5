/**
 * soak.test.ts: whatever threads do to one another, for a long time, with one rfork, two and four: as it is, and under a launcher that interrupts the program at
 * random instructions and moves its threads about (native/inject). Nothing is lost, doubled or late for good: programs/soak/soak.c says what is not so, with
 * the seed, or who does not go on. LIBCR_SOAK_SECONDS=600 for a longer one, LIBCR_SOAK_SEED to make the same choices again.
 */
import { describe, expect, test } from 'vitest';
import { compile, disturbing, natively, underLibcr } from '../programs.ts';

const SECONDS = Number(process.env.LIBCR_SOAK_SECONDS ?? 10);
const SEED = process.env.LIBCR_SOAK_SEED ?? String(Date.now() % 1_000_000);
const timeout = SECONDS * 1000 + 300_000; // it ends itself long before if somebody does not go on

const soak = () =>
  compile(
    'soak/soak',
    ['-g'],
    ['work', 'channels', 'cancels', 'processes', 'faults'].map((part) => `soak/${part}`),
  );
/** It is kept for us to look at then. */
const hangs = /somebody does not go on; process \d+\n(.*\n)+.*killer/;
const held = /^held: \d+ threads, \d+ rounds, \d+ signals, \d+ processes, \d+ cancelled$/m;

test('the soak holds natively', async () => {
  const { status, stdout, stderr } = await natively(soak(), ['1', SEED]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(held);
});

describe.each([1, 2, 4])(`seed ${SEED}, %i rforks`, (rforks) => {
  const options = [`--rforks=${rforks}`];
  test(`it holds for ${SECONDS} s`, { timeout }, async () => {
    const { status, stdout, stderr } = await underLibcr(soak(), [String(SECONDS), SEED], {
      options,
      timeout,
      hangs,
      env: { SOAK_KEEP: '1' },
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(held);
  });
  test(`it holds for ${SECONDS} s, disturbed`, { timeout }, async () => {
    const { status, stdout, stderr } = await underLibcr(soak(), [String(SECONDS), SEED], {
      options,
      timeout,
      launcher: disturbing(),
      hangs,
      env: { LIBCR_INJECT: SEED, SOAK_KEEP: '1' },
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(held);
  });
});

test("a fault of libcr's own is called that, with the call", async () => {
  const launcher = disturbing();
  const env = { LIBCR_INJECT: '1,getppid' };
  const { signal, stderr, stdout } = await underLibcr('/bin/sh', ['-c', 'echo $PPID'], { launcher, env });
  expect(stderr).toMatch(/^libcr: a fault of its own in process \d+, getppid: signal 11 at 0x[0-9a-f]+, /m);
  expect({ signal, stdout }).toEqual({ signal: 'SIGSEGV', stdout: '' });
});

test.each([2, 4])('the last thread has its signals, and its name, on each of %i rforks', async (rforks) => {
  const env = { LIBCR_INJECT: SEED };
  const options = [`--rforks=${rforks}`];
  const { stdout } = await underLibcr(compile('soak/last'), [], { launcher: disturbing(), env, options });
  expect(stdout).toBe('6 ended, 6 named\n');
});
