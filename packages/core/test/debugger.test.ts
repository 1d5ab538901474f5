/**
 * debugger.test.ts: a debugger that stops in userthreads, and steps over and out of what switches. The lines
 * are relative to the first stop.
 */
import { describe, expect, test } from 'vitest';
import { outcome, runProgram } from './run.ts';

const debugged = (name: string): Promise<{ value: unknown; seen: string[] }> =>
  outcome<{ value: unknown; seen: string[] }>('debugger.mjs', { args: [name] });

describe('stepping', () => {
  test('over yieldNow(), sleep() and wait(): the next line of the same thread', async () => {
    const { value, seen } = await debugged('stepOverSwitch');
    expect(value).toBe('stepped');
    expect(seen.slice(0, 5)).toEqual(['stepped +0', 'stepped +1', 'stepped +2', 'stepped +3', 'stepped +4']);
  });

  test('over switches among several threads: it stays in its own', async () => {
    const { value, seen } = await debugged('stepThroughMany');
    expect(value).toEqual([45, 45, 45, 45, 45]);
    expect(seen).toHaveLength(41);
    expect(seen.filter((line) => !line.startsWith('worker '))).toEqual([]);
  });

  test('out of a function that has switched', async () => {
    const { value, seen } = await debugged('stepOut');
    expect(value).toEqual([2, 'the next one']);
    expect(seen[0]).toBe('inner +0');
    expect(seen[1]).toMatch(/^outer /);
  });

  // A bug of V8's on every Node so far: a thread that is switched out while "step into" is under way (which
  // is also how a step beyond a thread's last function ends) crashes when it is restored: Debug::RestoreDebug
  // walks off its frames, as target_frame_count is -1 then. These say so when it is gone.
  for (const [what, name] of [
    ['into a call that switches', 'stepIntoSwitch'],
    ['out of the main function of a thread', 'stepOutOfThread'],
  ] as const)
    test.fails(what, async () => {
      const { status } = await runProgram('debugger.mjs', { args: [name] });
      expect(status).toBe(0);
    });
});

describe('breakpoints', () => {
  test('in many threads that wait before and after', async () => {
    const { value, seen } = await debugged('breakpointsInAll');
    expect(seen).toHaveLength(value as number);
    expect(new Set(seen)).toEqual(new Set(['stops +0']));
  });

  test('in a thread that goes on waiting, with others suspended', async () => {
    expect(await debugged('pauseInWait')).toMatchObject({ value: 'ends', seen: { length: 5 } });
  });
});
