/**
 * api.test.ts: the life of a userthread as its users see it: create, join, finished, order of running, names,
 * states, inspection.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from './run.ts';

const api = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('api.mjs', { args: [name] });

describe('create and finish', () => {
  test('runs after create() returns, and finished gives the value', async () => {
    expect(await api('createAndFinish')).toEqual({
      log: ['created', 'runs'],
      value: 42,
      again: 42,
      joined: 42,
      state: 'finished',
    });
  });

  test('curthread() is the running thread, and thread0 outside', async () => {
    const result = await api<{ id: number }>('curthread');
    expect(result.id).toBeGreaterThan(0);
    expect(result).toMatchObject({
      zero: { id: 0, name: 'thread0', state: 'running', isThread: true },
      inside: { same: true, id: result.id, name: 'me', errno: 0 },
      outsideAgain: true,
      isThread: true,
    });
  });

  test('a falsy value or a falsy throw is an outcome like any other', async () => {
    expect(await api('falsyOutcomes')).toEqual({
      values: ['undefined', 'null', '0', '', 'false'],
      thrown: [true, true, true, true],
    });
  });

  test('an async main: its promise is the outcome', async () => {
    expect(await api('asyncMain')).toMatchObject({
      good: 'async value',
      bad: { name: 'RangeError', message: 'async failure' },
    });
  });

  test('run() gives a promise of the outcome, and the thread the name "main"', async () => {
    expect(await api('runReturnsPromise')).toMatchObject({
      promise: true,
      value: 'main',
      named: 'other',
      rejected: { message: 'from run' },
    });
  });

  test('threads create and join threads, 50 deep', async () => {
    expect(await api('nestedCreates')).toBe(50);
  });

  test('stackSize is what endless recursion meets', async () => {
    expect(await api('stackSizes')).toEqual({ small: 'RangeError', big: 'RangeError', deeper: true });
  });
});

describe('order', () => {
  test('equals take turns', async () => {
    expect(await api('roundRobin')).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  });

  test('the higher priority runs first and keeps running', async () => {
    expect(await api('priorities')).toEqual([
      'high 31',
      'high',
      'mid 12',
      'mid2 12',
      'mid',
      'mid2',
      'low 0',
      'low',
    ]);
  });

  test('priority can be set while a thread is queued, and by itself', async () => {
    expect(await api('setPriority')).toEqual({ log: ['b', 'a', 'd', 'c'], b: 9, c: 1 });
  });
});

describe('join', () => {
  test('waits and returns the value, as often as asked', async () => {
    expect(await api('joinValue')).toEqual({
      joined: { deep: ['value'] },
      again: { deep: ['value'] },
      state: 'finished',
    });
  });

  test('throws the very error that the thread threw', async () => {
    expect(await api('joinThrows')).toBe(2);
  });

  test('serves several joiners', async () => {
    expect(await api('joinSeveral')).toEqual(['x1', 'x2', 'x3']);
  });

  test('with a timeout gives up, and can be tried again', async () => {
    expect(await api('joinTimeout')).toMatchObject({
      early: { name: 'TimeoutError', code: 'ERR_LWKT_TIMEOUT' },
      late: 'late',
    });
  });

  test('refuses what could never end, and blocking on thread0', async () => {
    expect(await api('joinWrong')).toMatchObject({
      self: { code: 'ERR_LWKT_DEADLOCK' },
      zeroJoined: { code: 'ERR_LWKT_DEADLOCK' },
      onZero: { code: 'ERR_LWKT_WOULD_BLOCK' },
      pendingOnZero: { code: 'ERR_LWKT_WOULD_BLOCK' },
      afterOnZero: 1,
    });
  });
});

describe('looking at threads', () => {
  test('names of any length and script, ids unique', async () => {
    const { names, ...rest } = await api<{ names: string[] }>('names');
    expect(names.slice(0, 2)).toEqual(['userthread', 'näme ✓']);
    expect(rest).toEqual({ long: true, ids: 4 });
  });

  test('state and waitReason', async () => {
    const { seen, id } = await api<Record<string, unknown>>('states');
    expect(seen).toEqual([
      ['runnable', null],
      ['running', null],
      ['blocked', 'promise'],
      ['blocked', `join #${id} "userthread"`],
      ['blocked', 'sleep 100000000 ms'],
      ['finished', null],
      ['finished', null],
    ]);
  });

  test('userthreads() and stats().alive count those that have not finished', async () => {
    expect(await api('userthreads')).toEqual({
      before: 0,
      during: ['a', 'b'],
      alive: 2,
      after: 0,
      aliveAfter: 0,
    });
  });

  test('util.inspect shows one short line', async () => {
    const lines = await api<Record<string, string>>('inspection');
    expect(lines).toMatchObject({
      zero: 'UserThread #0 "thread0"',
      runnable: expect.stringMatching(/^UserThread #\d+ "insp" runnable$/),
      blocked: expect.stringMatching(/^UserThread #\d+ "insp" blocked: sleep 1000000 ms$/),
      finished: expect.stringMatching(/^UserThread #\d+ "insp" finished$/),
      nested: expect.stringMatching(/^\{ td: UserThread #\d+ "insp" finished \}$/),
      port: 'MsgPort "inbox" 1 queued',
      idle: 'Msg idle',
      queued: 'Msg queued MsgPort "inbox" 1 queued',
    });
    expect(lines.string).toBe(lines.finished);
  });

  test('stack shows where a suspended thread waits, and where the running one is', async () => {
    const { before, text, own, after } = await api<Record<string, string | null>>('stackOfThread');
    expect(before).toBeNull();
    expect(text).toMatch(/at sleep \(/);
    expect(text).toMatch(/at whereItWaits \(.*api\.mjs:\d+:\d+\)/);
    expect(own).toMatch(/at myself \(/);
    expect(after).toBeNull();
  });
});
