/**
 * crashes.test.ts: what a program does wrong ends the program, by the signal that it would have natively, and its core shows the function that has done
 * it to a debugger.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, has, natively, type RunOptions, scratch, underLibcr } from '../programs.ts';

const PATTERN = '/proc/sys/kernel/core_pattern';
const pattern = existsSync(PATTERN) ? readFileSync(PATTERN, 'utf8').trim() : '|';
const flags = ['-g', '-fno-omit-frame-pointer', '-Wno-infinite-recursion'];
const crash = () => compile('crash', flags);
const cases = execFileSync(crash(), { encoding: 'utf8' })
  .trim()
  .split('\n')
  .flatMap((how) => [[how], [how, 'thread']]);

/** In a folder of its own, where cores are wanted; null where they may not be had. */
async function runForCore(
  args: string[],
  rforks: number,
): Promise<{ core: string | null; signal: string | null; stdout: string }> {
  const cwd = mkdtempSync(join(scratch, 'core-'));
  const script = ['-c', 'ulimit -c unlimited || exit 99; exec "$0" "$@"', crash(), ...args];
  const options: RunOptions = { cwd, options: [`--rforks=${rforks}`] };
  const { status, signal, stdout } = await (rforks
    ? underLibcr('/bin/sh', script, options)
    : natively('/bin/sh', script, options));
  const [core] = status === 99 ? [] : readdirSync(cwd).filter((name) => name.startsWith('core'));
  return { core: core ? join(cwd, core) : null, signal, stdout };
}

/** What gdb says of a core. */
function ask(core: string, ...questions: string[]): string {
  const commands = ['set debuginfod enabled off', ...questions].flatMap((command) => ['-ex', command]);
  return execFileSync('gdb', ['-nx', '-batch', ...commands, '-c', core, crash()], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, DEBUGINFOD_URLS: '' },
  });
}

const REGISTERS = ['rbx', 'r12', 'r13', 'r14', 'r15', 'xmm3.v2_int64[0]', 'xmm15.v2_int64[0]'];

/** What was in the registers of the thread that has ended the process. */
function registers(core: string): string {
  const questions = REGISTERS.map((name) => `printf "${name}=%lx\\n", (unsigned long)$${name}`);
  return ask(core, ...questions, 'x/i $pc')
    .split('\n')
    .filter((line) => /^(\w\S*=|=>)/.test(line))
    .join('\n')
    .replace(/0x\w+/g, '');
}

/** The functions of the thread that has ended the process, the innermost first. */
function backtrace(core: string): string[] {
  const text = ask(core, 'bt 12');
  return [...text.matchAll(/^#\d+ +(?:0x[0-9a-f]+ in )?([\w?]+)/gm)].map(([, name = '']) => name);
}

describe.each(cases.map((args) => [args.join(' in a '), args] as const))('%s', (_, args) => {
  test('ends the process by the same signal', async () => {
    const native = await natively(crash(), args);
    expect(native.signal).not.toBe(null);
    for (const rforks of [1, 2])
      expect(
        await underLibcr(crash(), args, { options: [`--rforks=${rforks}`] }),
        `${rforks} rforks`,
      ).toEqual(native);
  });
});

describe('the core', () => {
  test.for([['registers'], ['registers', 'thread'], ['registers_quit', 'thread'], ['registers_trap']])(
    '%j: has the registers of the thread, at its instruction',
    async (args, { skip }) => {
      if (!has('gdb')) skip('not installed: gdb');
      if (/^[|/]/.test(pattern)) skip(`cores go elsewhere here: ${pattern}`);
      const native = await runForCore(args, 0);
      if (!native.core) skip('no core can be had here');
      const expected = registers(native.core as string);
      expect(expected).toContain('rbx=1111111111111111\nr12=2222222222222222');
      expect(expected).toContain('xmm15.v2_int64[0]=2222222222222222');
      for (const rforks of [1, 2]) {
        const { core, signal } = await runForCore(args, rforks);
        expect(signal).toBe(native.signal);
        expect(core, `${rforks} rforks: no core`).not.toBe(null);
        expect(registers(core as string), `${rforks} rforks`).toBe(expected);
      }
    },
  );

  test.for([['abort'], ['write', 'thread'], ['registers_quit'], ['registers_trap', 'thread']])(
    '%j: its parent is told whether there is one',
    async (how) => {
      const args = ['status', ...how];
      const native = await runForCore(args, 0);
      const without = await natively(crash(), args);
      for (const rforks of [1, 2]) {
        expect((await runForCore(args, rforks)).stdout, `${rforks} rforks`).toBe(native.stdout);
        expect(await underLibcr(crash(), args, { options: [`--rforks=${rforks}`] })).toEqual(without);
      }
    },
  );

  test.for([
    ['abort'],
    ['free', 'thread'],
    ['stack', 'thread'],
    ['jump_null'],
    ['jump_data', 'thread'],
    ['divide'],
  ])('%j: shows the same functions as natively', async (args, { skip }) => {
    if (!has('gdb')) skip('not installed: gdb');
    if (/^[|/]/.test(pattern)) skip(`cores go elsewhere here: ${pattern}`);
    const native = await runForCore(args, 0);
    if (!native.core) skip('no core can be had here');
    const expected = backtrace(native.core as string);
    expect(expected).toContain(args[0] === 'stack' ? 'deeper' : `wrong_${args[0]}`);
    for (const rforks of [1, 2]) {
      const { core, signal } = await runForCore(args, rforks);
      expect(signal).toBe(native.signal);
      expect(core, `${rforks} rforks: no core`).not.toBe(null);
      expect(backtrace(core as string), `${rforks} rforks`).toEqual(expected);
    }
  });
});
