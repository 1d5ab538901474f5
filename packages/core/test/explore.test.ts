/**
 * explore.test.ts: explore() finds what only some orders of userthreads show, again with the same seed, and the least that it takes; it finds nothing in what is right.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from './run.ts';

interface Found {
  code?: string;
  kind?: string;
  seed?: number;
  schedule?: string;
  steps?: string[];
  runs: number;
  message?: string;
  cause?: string;
}

const explored = <T>(name: string, ...args: string[]): Promise<T> =>
  outcome<T>('explore/explore.mjs', { args: [name, ...args] });

/** The race, how it goes wrong, and all that it takes. */
const RACES = [
  ['lostUpdate', 'error', /^Error: [345], not 6$/, ['"t1" (2) lets others run before token "look"']],
  [
    'orderViolation',
    'error',
    /^TypeError: Cannot read properties of undefined/,
    ['"t2" (3) goes on before "t1" (2)'],
  ],
  [
    'abba',
    'deadlock',
    /^deadlock: "main" \(1\) waits for: join "t1" \(2\); "t1" \(2\) waits for: serializer "b"; "t2" \(3\)/,
    ['"t1" (2) lets others run before serializer "b"'],
  ],
  [
    'lostWakeUp',
    'deadlock',
    /^deadlock: .*"t1" \(2\) waits for: promise$/,
    ['"t1" (2) lets others run before token "look"'],
  ],
  ['checkThenAct', 'error', /^Error: [23], not 1$/, ['"t1" (2) lets others run before token "look"']],
  ['doubleCheckedLock', 'error', /^Error: 0, not 42$/, ['"t1" (2) lets others run before token "look"']],
] as const;

describe('races', () => {
  test.each(RACES)(
    '%s: within 200 seeds, again with the one that is told, and with the least',
    async (name, kind, what, steps) => {
      const { first, again, alone, least, right } = await explored<Record<string, Found>>('race', name);
      expect(first).toMatchObject({ code: 'ERR_LWKT_EXPLORED', kind, steps });
      expect(first?.message?.split('\n')[0]?.replace(/^seed \d+: /, '')).toMatch(what);
      const same = ({ message, ...found }: Found) => ({ ...found, message: message?.replace(/^.*?: /, '') });
      expect(again).toEqual(first);
      expect({ ...alone, runs: 0 }).toEqual({ ...first, runs: 0 });
      expect(least).toMatchObject({ kind, schedule: first?.schedule, steps, runs: 1 });
      expect(same(least as Found).message?.split('\n')[0]).toBe(same(first as Found).message?.split('\n')[0]);
      expect(least).not.toHaveProperty('seed');
      expect(right).toEqual({ runs: 200 });
    },
  );
});

describe('what else goes wrong', () => {
  test('a failure that nobody sees; one that somebody sees later is none', async () => {
    expect(await explored('finds', 'failsUnseen')).toMatchObject({
      kind: 'error',
      seed: 1,
      schedule: '',
      cause: 'nobody sees it',
    });
    expect(await explored('right', 'seenLate')).toEqual({ runs: 200 });
  });
  test('what goes on without end', async () => {
    expect(await explored('finds', 'endless')).toMatchObject({
      kind: 'endless',
      message: expect.stringContaining('seed 1: 1000 turns, and it goes on: "main" (1)'),
    });
  });
  test('what waits for something outside that does not come', async () => {
    expect(await explored('hangs')).toMatchObject({
      kind: 'hang',
      message: expect.stringContaining('nothing has come for 300 ms: "main" (1) waits for: promise'),
    });
  });
});

test('seeds differ, the same seeds are the same runs, and no decision is the order that it has by itself', async () => {
  const [first, again, plain] = await explored<string[][]>('orders');
  expect(again).toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(20);
  expect(plain).toEqual(['abcabcabcabcabc']);
});

test('sleeps and timeouts take no time, and go off in their order', async () => {
  expect(await explored('time')).toEqual({
    slept: [1, 2, 3, 'ERR_LWKT_TIMEOUT', 1, 2, 3, 'ERR_LWKT_TIMEOUT'],
    isQuick: true,
    left: 0,
  });
});

test('what comes from outside is waited for', async () => {
  expect(await explored('outside')).toBe(3);
});

test('userthreads that are not the run’s go on', async () => {
  expect(await explored('others')).toEqual({ explored: { runs: 50 }, other: 'done' });
});

test('what is refused', async () => {
  expect(await explored('wrong')).toEqual([
    'Error ERR_LWKT_EXPLORING',
    '1',
    'TypeError ERR_INVALID_ARG_TYPE',
    'RangeError ERR_OUT_OF_RANGE',
    'RangeError ERR_OUT_OF_RANGE',
    'TypeError ERR_INVALID_ARG_VALUE',
    'TypeError ERR_INVALID_ARG_TYPE',
    'Error ERR_LWKT_EXPLORING',
  ]);
});
