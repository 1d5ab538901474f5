/**
 * chaos.test.ts: mutex, condition variable, read-write lock, semaphore, timeouts and cancellation over three rforks at once, at random. The seed is
 * in what a failure shows; LIBCR_SEED repeats it (as far as kernel threads can be repeated).
 */
import { expect, test } from 'vitest';
import { stressed } from '../../../core/test/run.ts';
import { runHere } from './run.ts';

const STRESS = ['--expose-gc --gc-interval=200 --stress-compaction', '--stress-scavenge=50'];

async function chaos(rounds: number, flags: string[] = []): Promise<void> {
  const { status, signal, stdout, stderr } = await runHere(
    'chaos.mjs',
    [process.env.LIBCR_SEED ?? '', String(rounds)],
    { flags },
  );
  const [seed, outcome] = stdout.trim().split('\n');
  console.log(`chaos: ${seed}`);
  expect({ status, signal, stderr }, stdout).toEqual({ status: 0, signal: null, stderr: '' });
  expect(JSON.parse(outcome as string), seed).toEqual({
    faults: [],
    lost: 0,
    mutex: true,
    rwlock: true,
    queue: true,
    free: ['Mutex free', 'RWLock free', 'Semaphore 3'],
    cancelled: true,
    late: true,
  });
}

test('nothing is lost and nobody waits for ever', () => chaos(stressed ? 300 : 3000));

for (const flags of STRESS)
  test.runIf(!stressed)(`the same with ${flags}`, () => chaos(300, flags.split(' ')));
