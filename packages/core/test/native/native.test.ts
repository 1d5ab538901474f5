/**
 * native.test.ts: runs the C and C++ programs of native/test, each as a test of its own and in each flavour: optimised, with
 * AddressSanitizer and UBSan, with ThreadSanitizer where rforks meet, and as a debug build where that says something; and those of
 * native/test/freestanding, which have no C library.
 * What they check is in them; here is only how they are built and started. They know no Node, so the version matrix
 * leaves this file out.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../native/test', import.meta.url));
/** Of all rooms but freestanding/, which has programs of its own kind. */
const programs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(c|cpp)$/.test(name) && dirname(name) !== 'freestanding')
  .map((name) => basename(name).replace(/\.\w+$/, ''))
  .sort();

/** Runs make in native/test; throws with all that it has said unless it succeeds. */
function make(...args: string[]): string {
  const { status, signal, error, stdout, stderr } = spawnSync('make', ['-s', '-C', folder, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`make ${args.join(' ')}: ${signal ?? status}\n${stdout}\n${stderr}`);
  return stdout;
}

it('has programs, and make knows them all', () => {
  expect(programs).toContain('stress');
  expect(make('list').trim().split(' ')).toEqual(programs);
});

const racing = make('list-races').trim().split(' ');

it('has programs in which rforks meet', () => {
  expect(racing).toContain('cpus');
});

describe.each([
  ['plain', programs],
  ['sanitized', programs],
  ['races', racing],
  ['debug', make('list-debug').trim().split(' ')],
])('the C core, %s', (flavour, programs) => {
  beforeAll(() => {
    make(`-j${availableParallelism()}`, flavour);
  }, 600_000);

  it.each(programs)(
    '%s',
    (program) => {
      const output = make(`check-${flavour}-${program}`);
      // A random test's seed: make -C native/test check-FLAVOUR-stress SEED=... repeats the run.
      const seed = /^ *(seed \d+)$/m.exec(output);
      if (seed) console.log(`${program}, ${flavour}: ${seed[1]}`);
    },
    600_000,
  );
});

// The build that needs nothing but the kernel: what it does, and that nothing else has got into it. (x86-64 only.)
describe('without a C library', () => {
  const programs = make('list-freestanding').trim().split(' ').filter(Boolean);
  const freestanding = join(folder, '..', '..', 'build-test', 'freestanding');

  beforeAll(() => {
    make(`-j${availableParallelism()}`, 'freestanding');
  }, 900_000);

  it('has programs', () => {
    expect(programs).toContain('threads');
  });

  it.each(programs)('%s', { timeout: 900_000 }, (program) => {
    make(`check-freestanding-${program}`);
  });

  it('says what is misused, as a debug build', { skip: programs.length === 0 }, () => {
    for (const [program, said] of [
      ['format', /^$/],
      [
        'format-debug',
        /^libcr: lwkt_crit_exit: rfork 0, thread 0 "thread0": the thread is in no critical section: .*\n$/,
      ],
    ] as const) {
      const { status, stderr } = spawnSync(join(freestanding, program), { encoding: 'utf8' });
      expect(stderr).toMatch(said);
      expect(status).toBe(0);
    }
  });

  it.for(['self-test', join(freestanding, 'lib', 'libcr.a'), join(freestanding, 'debug', 'libcr.a')])(
    'library.sh %s',
    (what, { skip }) => {
      const { status, stdout, stderr } = spawnSync(join(folder, 'freestanding', 'library.sh'), [what], {
        encoding: 'utf8',
      });
      if (status === 77) skip(stdout.trim());
      expect(`${stdout}${stderr}`).toMatch(/^(the checker finds|\d+ instructions, nothing from outside)/);
      expect(status).toBe(0);
    },
  );
});

// The invariant of lwkt.h: no lock, no atomic read-modify-write and no fence within one rfork; and that the checker would find one.
describe('the machine code of the same-CPU fast path', () => {
  const library = join(folder, '..', '..', 'build-lib', 'libcr.so');

  beforeAll(() => {
    make('-C', '..', 'BUILD=../build-lib', '../build-lib/libcr.so');
  }, 900_000);

  it.for(['self-test', library])('fastpath.sh %s', (what, { skip }) => {
    const { status, stdout, stderr } = spawnSync(join(folder, 'fastpath.sh'), [what], { encoding: 'utf8' });
    if (status === 77) skip(stdout.trim());
    expect(`${stdout}${stderr}`).toMatch(/^(the checker finds|\d+ functions, no atomic operation)/);
    expect(status).toBe(0);
  });
});

// What spin proves about what rforks do to each other, and that it finds the mistakes that are put in on purpose.
it.skipIf(spawnSync('spin', ['-V']).error !== undefined)(
  'the models, every interleaving',
  () => {
    const { status, stdout, stderr } = spawnSync(join(folder, '..', 'model', 'check.sh'), {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(5);
  },
  300_000,
);
