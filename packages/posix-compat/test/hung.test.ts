/**
 * hung.test.ts: a program that does not end in time is killed, and what it was at is told with its failure; also where it says so itself.
 */
import { expect, test } from 'vitest';
import { compile, has, underLibcr } from './programs.ts';

test('a program that is over its time: its kernel threads, and its lwps where gdb is', async () => {
  const { signal, stderr } = await underLibcr(compile('threads/sleepers', ['-g']), [], { timeout: 2000 });
  expect(signal).toBe('SIGKILL');
  expect(stderr).toMatch(/^process \d+ of \d+: \S*sleepers/m);
  expect(stderr).toMatch(/^ {4}\d+ S \(sleeping\), call \d+ 0x/m);
  if (has('gdb')) expect(stderr).toMatch(/^ *\d+ {2}sleeper +nanosleep|^gdb: /m);
});

test('one that says so: at once', async () => {
  const args = ['-c', 'echo stuck: the reason >&2; sleep 1000'];
  const { signal, stderr } = await underLibcr('/bin/sh', args, { hangs: /^stuck/m });
  expect(signal).toBe('SIGKILL');
  expect(stderr).toMatch(/^stuck: the reason\nprocess \d+ of \d+: \/bin\/sh /);
});
