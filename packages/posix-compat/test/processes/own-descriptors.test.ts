/**
 * own-descriptors.test.ts: libcr's own descriptors are out of the program's reach: programs/processes/own.c tries all ways to them, and prints what it prints natively, where there are none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, natively, scratch, underLibcr } from '../programs.ts';

/** --trace's, --stats', and two of an rfork that waits. */
const LEAST = 4;

describe('the program neither uses, closes nor sees them', () => {
  test.each([
    ['ring', 1],
    ['ring', 4],
    ['readiness', 2],
  ])('%s, with %s rforks', async (path, rforks) => {
    const program = compile('processes/own');
    const native = await natively(program);
    expect(native.stdout).toContain('wrong: 0\n');
    expect(native.stdout).toMatch(/ended\n$/);
    const [trace, stats] = ['trace', 'stats'].map((name) =>
      join(scratch, `own-${path}-${rforks}.${name}`),
    ) as [string, string];
    const { stdout, stderr, status } = await underLibcr(program, [], {
      options: [`--rforks=${rforks}`, `--trace=${trace}`, `--stats=${stats}`],
      env: { LIBCR_SYSCALLS_PATH: path, OWN: `${LEAST}` },
    });
    expect(stdout).toBe(native.stdout);
    expect(status).toBe(0);
    expect(Number(/^own (\d+)/m.exec(stderr)?.[1])).toBeGreaterThanOrEqual(LEAST);
    // They are what they were: until the last program's end.
    const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
    expect(lines.filter((line) => !/^\d+ /.test(line))).toEqual([]);
    expect(lines.at(-1)).toMatch(/\+\+\+ exited with 0 \+\+\+$/);
    expect(readFileSync(stats, 'utf8')).toMatch(/^libcr: \S+\/ls \(\d+\): \d+ system calls caught$/m);
  });
});

test('they lie above what the program may open, where there is room', async () => {
  const program = compile('processes/own');
  const { stdout, stderr } = await underLibcr(program, ['512'], { env: { OWN: '2' } });
  expect(stderr).toMatch(/^own \d+, below the limit 0$/m);
  expect(stdout).toContain('wrong: 0\n');
});

describe.each([1, 2, 4])('numbers while threads wait, with %i rforks', (rforks) => {
  const program = compile('processes/lowest');
  const options = [`--rforks=${rforks}`];

  test.each(['ring', 'readiness'])(
    "by %s: the lowest is the program's, and the table is large from the start",
    async (path) => {
      const native = await natively(program);
      const { stdout, stderr } = await underLibcr(program, [], {
        options,
        env: { LIBCR_SYSCALLS_PATH: path },
      });
      expect(native.stdout).toBe(
        'process: 0\nprocess, without threads: 0\nchild: 0\nchild, without threads: 0\n',
      );
      expect(stdout).toBe(native.stdout);
      const sizes = [...stderr.matchAll(/from (\d+) to (\d+)$/gm)].map(([, from, to]) => [
        Number(from),
        Number(to),
      ]);
      expect(sizes).toHaveLength(2);
      for (const [from, to] of sizes) expect(from).toBe(to); // who makes it larger later waits for all processors
    },
  );

  test("what libcr opens for itself is not where the program's would be", async () => {
    const file = join(scratch, `lowest-${rforks}`);
    const words = [...options, `--trace=${file}.trace`, `--stats=${file}.stats`];
    const script = 'exec "$@" <&-';
    const all = ['-c', script, 'sh', launcherPath(), ...words, '--', '/bin/sh', '-c', 'exec 5<&0'];
    const { stderr, status } = await natively('/bin/sh', all);
    expect(stderr).toMatch(/: 0: Bad file descriptor/);
    expect(status).not.toBe(0);
  });
});
