/**
 * tmpfs.test.ts: memfs and a real tmpfs: random sequences of the same operations, which must answer the same and leave the same trees.
 *
 * The seed is printed; LIBCR_SEED sets it. A difference is printed with the shortest sequence that shows it.
 */
import { statfsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runProgram } from '../support.ts';

const DIRECTORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;
const NOBODY = '65534';

function isTmpfs(): boolean {
  try {
    return statfsSync(DIRECTORY).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

const seed = Number(process.env.LIBCR_SEED ?? Math.floor(Math.random() * 2 ** 31));

async function same(...args: string[]): Promise<void> {
  console.log(`LIBCR_SEED=${seed} ${args.join(' ')}`);
  const { status, signal, stdout, stderr } = await runProgram(
    'memfs/tmpfs.mjs',
    DIRECTORY,
    String(seed),
    ...args,
  );
  expect({ stdout, stderr, status, signal }).toEqual({
    stdout: expect.stringMatching(/^\d+ kinds of operations\nthe same: /),
    stderr: '',
    status: 0,
    signal: null,
  });
}

const on = isTmpfs();
if (!on) console.log(`${DIRECTORY} is no tmpfs here: memfs is not compared with one`);

test.skipIf(!on)('many short sequences', () => same('400', '60'));
test.skipIf(!on)('some long ones', () => same('25', '800'));
test.skipIf(!on || process.getuid?.() !== 0)('as a user whose permissions count', () =>
  same('200', '150', NOBODY),
);
