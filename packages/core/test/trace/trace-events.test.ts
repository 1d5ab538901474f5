/**
 * trace-events.test.ts: startTraceEvents(): that the file is what the trace event format says, that threads take turns in it, that flows are whole,
 * also across rforks, and that nothing of it stays when it is off.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';
import { checkTrace, flowsOf, named, type Trace } from './trace-format.ts';

const folder = mkdtempSync(join(tmpdir(), 'libcr-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.json`);

const traced = <T = Trace>(name: string, file = newFile()): Promise<T> =>
  outcome<T>('trace/trace-events.mjs', { args: [name, file] });

const read = (file: string): Trace => JSON.parse(readFileSync(file, 'utf8')) as Trace;

const mainOnly = ['rfork 1 "main"'];
const allRforks = [...mainOnly, 'rfork 2 "echo"', 'rfork 3 "nest"', 'rfork 4 "pass"', 'rfork 5 "grandchild"'];

describe('the checker', () => {
  const slice = { name: 'run', cat: 'run', ph: 'X', ts: 10, dur: 5, pid: 1, tid: 1 };
  const trace = (...traceEvents: object[]): Trace => ({ traceEvents, otherData: {} }) as unknown as Trace;
  const flow = { name: 'message', cat: 'msg', id: '1', pid: 1, tid: 1 };

  test.each([
    ['no time', [{ ...slice, ts: undefined }]],
    ['a negative duration', [{ ...slice, dur: -1 }]],
    ['runs that overlap', [slice, { ...slice, tid: 2, ts: 14 }]],
    ['a thread that runs and waits', [slice, { ...slice, cat: 'wait', ts: 12 }]],
    ['a flow without an end', [slice, { ...flow, ph: 's', ts: 11 }]],
    ['a flow without a beginning', [slice, { ...flow, ph: 'f', ts: 11 }]],
    ['a flow outside of any slice', [slice, { ...flow, ph: 's', ts: 9 }, { ...flow, ph: 'f', ts: 11 }]],
  ])('finds %s', (_what, events) => {
    expect(() => checkTrace(trace(...events))).toThrow();
  });

  test('lets pass what is right', () => {
    checkTrace(trace(slice, { ...flow, ph: 's', ts: 11 }, { ...flow, ph: 'f', ts: 12 }));
  });
});

describe('one rfork', () => {
  test('runs, waits and messages', async () => {
    const trace = await traced('local');
    checkTrace(trace);
    expect(trace.otherData).toEqual({ lost: { 'rfork 1': 0 }, missing: [] });
    expect(named(trace, 'process_name')).toEqual(mainOnly);
    expect(named(trace, 'thread_name').sort()).toEqual([
      '#1 before',
      '#2 server',
      '#3 main',
      '#4 short',
      'thread0',
    ]);
    const waits = new Set(trace.traceEvents.filter((e) => e.cat === 'wait').map((e) => e.name));
    for (const reason of ['domsg', 'sleep 2 ms', 'join #4 "short"', 'port "adder"', 'promise', 'runnable'])
      expect(waits).toContain(reason);
    expect(waits).toContain('event loop polls');
    const stopped = trace.traceEvents.filter((e) => e.cat === 'run' && e.tid === 1_000_004);
    expect(stopped.map((e) => e.args?.stopped)).toEqual(['sleep 1 ms', 'finished']);
    const sleeps = trace.traceEvents.filter((e) => e.name === 'sleep 2 ms');
    expect(sleeps.length).toBe(1);
    expect(sleeps[0]?.dur).toBeGreaterThan(900);
  });

  test('a message goes from its sender to who takes it, and back', async () => {
    const flows = flowsOf(await traced('local'));
    const steps = flows.map((events) => events.map((e) => `${e.args?.step} ${e.tid % 1_000_000}`));
    const one = ['sent 3', 'taken 2', 'answered 2', 'done 3'];
    expect(steps).toEqual([one, one, one, one, one]);
  });

  test('a file has the same', async () => {
    expect(await traced('toFile')).toBe(true);
  });

  test('the oldest events are lost where there is no room, and counted', async () => {
    const trace = await traced('lost');
    checkTrace(trace, { lost: true });
    expect(trace.otherData.lost['rfork 1']).toBeGreaterThan(0);
    expect(trace.traceEvents.length).toBeGreaterThan(20);
    expect(trace.traceEvents.filter((e) => e.ph !== 'M').length).toBeLessThan(100);
  });
});

describe('several rforks', () => {
  test.each(['rforks', 'rforksThatHaveEnded'])('are in one trace: %s', async (name) => {
    const trace = await traced(name);
    checkTrace(trace);
    const expected = name === 'rforks' ? allRforks : [...allRforks, 'rfork 6 "exits"'];
    expect(named(trace, 'process_name').sort()).toEqual(expected);
    expect(trace.otherData.missing).toEqual([]);
    expect(trace.traceEvents.some((e) => e.ph === 'i' && e.name === 'IPI message sent')).toBe(true);
    expect(trace.traceEvents.some((e) => e.ph === 'i' && e.name === 'IPI message run')).toBe(true);
  });

  test('messages have one flow from sender to receiver and back, wherever they are', async () => {
    const flows = flowsOf(await traced('rforks'));
    const steps = flows.map((events) => events.map((e) => `${e.args?.step} ${e.tid}`));
    const there = ['sent 1000001', 'arrives 2000000', 'taken 2000001', 'answered 2000001'];
    expect(steps).toContainEqual([...there, 'answered 1000000', 'done 1000001']);
    const forwarded = steps.find((list) => list.some((step) => step.startsWith('forwarded')));
    expect(forwarded).toEqual([
      'sent 1000001',
      'arrives 4000000',
      'taken 4000001',
      'forwarded 4000001',
      'arrives 2000000',
      'taken 2000001',
      'answered 2000001',
      'answered 1000000',
      'done 1000001',
    ]);
  });

  test('one that is terminated is missing, and the trace says so', async () => {
    expect(await traced('terminated')).toEqual({ lost: { 'rfork 1': 0 }, missing: ['rfork 2'] });
  });
});

describe('the file is whole', () => {
  test('where nobody stops the trace', async () => {
    const file = newFile();
    expect((await runProgram('trace/trace-events.mjs', { args: ['end', file] })).status).toBe(0);
    checkTrace(read(file));
    expect(named(read(file), 'process_name').sort()).toEqual(allRforks);
    expect(read(file).otherData.missing).toEqual([]);
  });

  test('after process.exit(), but for rforks that still run, which it names', async () => {
    const file = newFile();
    expect((await runProgram('trace/trace-events.mjs', { args: ['exit', file] })).status).toBe(0);
    checkTrace(read(file));
    const there = named(read(file), 'process_name').map((name) => String(name).replace(/ ".*/, ''));
    const { missing } = read(file).otherData;
    expect([...there, ...missing].sort()).toEqual(allRforks.map((name) => name.replace(/ ".*/, '')));
    expect(there).toContain('rfork 1');
  });

  test('after an uncaught exception', async () => {
    const file = newFile();
    expect((await runProgram('trace/trace-events.mjs', { args: ['throws', file] })).status).toBe(1);
    checkTrace(read(file));
    expect(named(read(file), 'process_name')).toEqual(mainOnly);
  });

  test('or stop() says why not', async () => {
    expect(await traced('full')).toMatchObject({ code: 'ENOSPC' });
  });
});

test('off, no thread and no function is another than before', async () => {
  const before = [false];
  const on = [true, true];
  const off = [false, true];
  const later = [false];
  expect(await traced('off')).toEqual({ states: [...before, ...on, ...off, ...later], again: true });
});

test('misuse', async () => {
  const file = newFile();
  expect(await traced<object[]>('misuse', file)).toMatchObject([
    { code: 'ERR_LWKT_TRACING', message: 'rfork 1 "main" is traced already: stop() that trace first' },
    { code: 'ERR_INVALID_ARG_TYPE', class: 'TypeError' },
    { code: 'ERR_INVALID_ARG_TYPE', class: 'TypeError' },
    { code: 'ERR_INVALID_ARG_TYPE', class: 'TypeError' },
    { code: 'ERR_OUT_OF_RANGE', class: 'RangeError' },
    { code: 'ERR_OUT_OF_RANGE', class: 'RangeError' },
    { code: 'ENOTDIR' },
  ]);
  checkTrace(read(file));
});
