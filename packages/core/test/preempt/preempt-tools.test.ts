/**
 * preempt-tools.test.ts: what looks at threads, or keeps them apart, is right with threads that are preempted; and the clock, which is there for them only.
 */
import { expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';

const tools = <T = unknown>(name: string): Promise<T> => outcome<T>('preempt/tools.mjs', { args: [name] });

test('trace events have each preemption', async () => {
  expect(await tools('traceEvents')).toEqual([true, true]);
});

test('snapshot(), which is what lwkt top shows, counts them', async () => {
  expect(await tools('snapshot')).toEqual([
    ['one', 'runnable', null, true],
    ['two', 'runnable', null, true],
  ]);
});

test('the CPU profiler is started and stopped meanwhile', async () => {
  expect(await tools('cpuProfiler')).toEqual([true, [true, true]]);
});

test('a debugger stops in them', async () => {
  expect(await tools('debugger')).toEqual({ values: [1, 2, 3], stops: 6 });
});

test('a serializer stays with who is preempted', async () => {
  expect(await tools('serializers')).toBe(1);
});

test('the report of a deadlock names who waits, and nobody else', async () => {
  const { status, stderr } = await runProgram('preempt/tools.mjs', { args: ['deadlock'] });
  expect(stderr).toContain('stuck one');
  expect(stderr).toMatch(/at stuck /);
  expect(stderr).not.toContain('goes through');
  expect(status).toBe(13);
});

test('the clock begins with the first region, and sleeps while there is none', async () => {
  expect(await tools('clock')).toEqual({ before: 0, slept: true, clocks: 1 });
});
