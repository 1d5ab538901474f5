/**
 * programs-list.test.ts: programs that people use (programs-list.ts) print under libcr what they print natively, and end with the same status, with one rfork, two and
 * four; with two the kernel kills whatever makes a system call past libcr (escapes.test.ts tries that it does). What is not installed is skipped, and said
 * (`sh tools/install-programs.sh` gets it). That they are right is looked at here, that they are fast in tools/bench.
 */
import { describe, expect, test } from 'vitest';
import { has, natively, underLibcr } from '../programs.ts';
import {
  compileGo,
  compileStatic,
  goroutines,
  missing,
  programs,
  runEntry,
  statics,
  waysOf,
} from './programs-list.ts';

const RFORKS = [1, 2, 4];

/** What they print on stderr is different from run to run. */
const shown = ({ status, signal, stdout }: Awaited<ReturnType<typeof runEntry>>) => ({
  status,
  signal,
  stdout,
});

describe.each(programs)('%s', (_, entries) => {
  test.for(entries)('$title', async (entry, { skip }) => {
    const absent = missing(entry);
    if (absent.length) skip(`not installed: ${absent.join(', ')}`);
    const native = shown(await runEntry(entry));
    expect(native.stdout).toContain(entry.shows);
    for (const options of waysOf(entry.rforks ?? RFORKS, entry.escapes))
      expect(shown(await runEntry(entry, underLibcr, { options })), `${options}`).toEqual(native);
  });
});

describe('other ways of linking', () => {
  test.for(statics)('a static program with musl: %s: %s', async ([subject, name], { skip }) => {
    if (!has('musl-gcc')) skip('not installed: musl-gcc');
    const program = compileStatic(subject);
    const native = await natively(program, [name]);
    expect(native.stdout).toBe('pass\n');
    for (const options of waysOf(RFORKS))
      expect(await underLibcr(program, [name], { options }), `${options}`).toEqual(native);
  });
  test('a static program of Go: goroutines, the network, a process, a nil pointer', async ({ skip }) => {
    if (!has('go')) skip('not installed: go');
    const program = compileGo('goroutines', goroutines);
    const native = await natively(program);
    expect(native).toMatchObject({ status: 3, stdout: '17497500\n250\nchild\ntrue\n' });
    for (const options of waysOf(RFORKS))
      expect(await underLibcr(program, [], { options }), `${options}`).toEqual(native);
  });
});
