/**
 * script-list.test.ts: with all calls by way of a supervisor that makes them, the conformance programs hold what they hold without, and the programs of programs-list.ts
 * print what they print natively. At the end no slot is in use.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { limits } from '../conformance/limits.ts';
import { compileSource, sources } from '../conformance/sources.ts';
import { has, type Result, type underLibcr } from '../programs.ts';
import { underSupervisor } from '../script/scripted.ts';
import { missing, programs, runEntry } from './programs-list.ts';

const OPTIONS = ['--rforks=2'];
/** What goes wrong without a supervisor, too, only more seldom, with the cause. */
const seldom: Record<string, string> = {
  signalfd_own_polled:
    'a signal that an lwp sends itself from the second rfork is not the kernel’s: rt_sigqueueinfo allows SI_TKILL to the first kernel thread alone',
  timer_overrun:
    'timer_getoverrun is about the last time that the timer has fired, and not about the last signal that was taken',
};
const SKIPPED = 77; // a conformance program's own: this machine does not allow it

describe.skipIf(!has('gcc') || !has('g++'))('conformance', () => {
  test.for(sources)('%s', async (source) => {
    const program = compileSource(source);
    const names = execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n');
    for (const line of names) {
      const [name = ''] = line.split('\t');
      if (limits[name] || seldom[name]) continue;
      const { status, stdout, stderr, report } = await underSupervisor(['call'], program, [name], {
        options: OPTIONS,
      });
      if (status === SKIPPED) continue;
      expect({ stdout, stderr, status, used: report.used }, name).toEqual({
        stdout: 'pass\n',
        stderr: '',
        status: 0,
        used: 0,
      });
    }
  });
});

/** What they print on stderr is different from run to run. */
const shown = ({ status, signal, stdout }: Result) => ({ status, signal, stdout });

describe.each(programs)('%s', (_, entries) => {
  test.for(entries.filter(({ escapes }) => !escapes))('$title', async (entry, { skip }) => {
    const absent = missing(entry);
    if (absent.length) skip(`not installed: ${absent.join(', ')}`);
    const native = shown(await runEntry(entry));
    expect(native.stdout).toContain(entry.shows);
    let used = -1;
    const run: typeof underLibcr = async (program, args, options) => {
      const result = await underSupervisor(['call'], program, args, options);
      used = result.report.used;
      return result;
    };
    expect(shown(await runEntry(entry, run, { options: OPTIONS }))).toEqual(native);
    expect(used).toBe(0);
  });
});
