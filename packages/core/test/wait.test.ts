/**
 * wait.test.ts: wait(), sleep() and yieldNow(), and the four ways in which a wait ends early: timeout,
 * signal, abort(), thread0's refusal.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from './run.ts';

const waiting = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('wait.mjs', { args: [name] });

const aborted = { name: 'AbortError', code: 'ABORT_ERR', message: 'The operation was aborted' };

describe('wait()', () => {
  test('returns what is no thenable at once, and what a promise resolves to', async () => {
    expect(await waiting('values')).toEqual([
      1,
      's',
      null,
      'undefined',
      'no function',
      'p',
      'later',
      'async',
    ]);
  });

  test('takes any thenable, the ill-behaved ones too', async () => {
    expect(await waiting('thenables')).toMatchObject([
      'sync',
      'async',
      'chained',
      'nested thenable',
      'first',
      { message: 'rejects' },
      { message: 'throws' },
    ]);
  });

  test('takes the first word of a thenable, as await does', async () => {
    expect(await waiting('saidTwice')).toMatchObject([
      4,
      'promised',
      { message: 'first' },
      { message: 'nested' },
    ]);
  });

  test('reads then once', async () => {
    const message = 'from the getter';
    expect(await waiting('thenGetter')).toMatchObject(['value', 2, { message }, { message }]);
  });

  test('follows thenables that resolve to thenables, however many', async () => {
    expect(await waiting('longChain')).toBe('end');
  });

  test('has one deadline for all thenables it follows', async () => {
    expect(await waiting('oneDeadline')).toMatchObject([
      { code: 'ERR_LWKT_TIMEOUT', message: 'promise took longer than 40 ms' },
      'all steps',
      'all steps',
    ]);
  });

  test('of what resolves to itself ends by timeout, signal or abort(); the loop runs on', async () => {
    expect(await waiting('endlessThenable')).toMatchObject({
      timeout: { code: 'ERR_LWKT_TIMEOUT' },
      signal: { early: aborted, late: aborted },
      abort: { ...aborted, cause: true },
      ticks: true,
      own: { name: 'TypeError', message: 'Chaining cycle detected for promise #<Promise>' },
    });
  });

  test('given up, still hears what is rejected', async () => {
    expect(await waiting('givenUp')).toEqual({
      seen: ['ERR_LWKT_TIMEOUT', 'ERR_LWKT_TIMEOUT'],
      asked: 1,
      unhandled: [],
    });
  });

  test('throws the reason itself, with the stack of whoever waited added', async () => {
    const { same, stack } = await waiting<{ same: boolean; stack: string }>('rejection');
    expect(same).toBe(true);
    expect(stack).toMatch(/^TypeError: from afar\n/);
    expect(stack).toMatch(/\n {4}at wait \(userthread #\d+ "main"\)\n {4}at callerOfWait \(.*wait\.mjs/);
  });

  test('leaves reasons alone that are no errors or can not be changed, and adds to each once', async () => {
    expect(await waiting('oddRejections')).toEqual({ results: [true, true, true, true, true], waits: 1 });
  });

  test('lets a hundred threads wait for one promise', async () => {
    expect(await waiting('manyWaitOnOne')).toBe(true);
  });

  test('runs the callbacks of the event loop on thread0 meanwhile', async () => {
    expect(await waiting('loopCallbacksDuringWait')).toEqual([0, 0, 0, 0]);
  });
});

describe('yieldNow()', () => {
  test('lets a thread run that was created just before', async () => {
    expect(await waiting('yieldAfterCreate')).toEqual(['child', 'after one yield']);
  });

  test('lets a thread run that was woken just before', async () => {
    expect(await waiting('yieldAfterWake')).toEqual(['server got 1', 'after one yield']);
  });

  test('returns when nobody else can run', async () => {
    expect(await waiting('yieldAlone')).toBe('alone');
  });
});

describe('options.timeout', () => {
  test('ends the wait with a TimeoutError; the thread goes on', async () => {
    const late = { name: 'TimeoutError', code: 'ERR_LWKT_TIMEOUT' };
    expect(await waiting('timeout')).toMatchObject({
      wait: { ...late, message: 'promise took longer than 3 ms' },
      zero: { ...late, message: 'promise took longer than 0 ms' },
      inTime: 'in time',
      port: { ...late, message: 'port "p" took longer than 3 ms' },
      usable: 'still usable',
    });
  });

  test('wrong arguments: TypeError and RangeError with codes of Node', async () => {
    const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    const got = await waiting<Record<string, unknown>>('wrongArguments');
    expect(got).toMatchObject({
      sleepString: type,
      sleepNegative: range,
      sleepNaN: range,
      sleepTooLong: range,
      timeoutString: type,
      timeoutNegative: range,
      timeoutTooLong: range,
      signalNotOne: type,
      optionsNull: type,
      createNothing: type,
      createName: type,
      createPriority: range,
      createPriorityHalf: range,
      createPriorityString: type,
      createStackSmall: range,
      createStackBig: range,
      createStackString: type,
      createSignal: type,
      createOptions: type,
      setPriority: range,
    });
  });
});

describe('options.signal', () => {
  for (const where of ['Wait', 'Sleep', 'Domsg', 'Waitport', 'Join'])
    test(`${where.toLowerCase()}: aborted before, and while it waits`, async () => {
      expect(await waiting(`signal${where}`)).toMatchObject({
        early: { ...aborted, cause: 'why early' },
        late: { ...aborted, cause: 'why late' },
      });
    });

  test('create(): aborts the thread, before it begins too; finally blocks run', async () => {
    expect(await waiting('signalCreate')).toMatchObject({
      a: aborted,
      b: aborted,
      causes: ['enough', 'gone'],
      log: ['finally'],
    });
  });

  test('create(): harmless once the thread has finished', async () => {
    expect(await waiting('signalAfterEnd')).toBe('done');
  });

  test('no listener stays behind', async () => {
    expect(await waiting('listenersRemoved')).toBe(0);
  });
});

describe('abort()', () => {
  for (const where of ['Wait', 'Sleep', 'Domsg', 'Waitmsg', 'Waitport', 'Iteration', 'Join'])
    test(`ends ${where.toLowerCase()} with an AbortError that has the reason as cause`, async () => {
      expect(await waiting(`abort${where}`)).toMatchObject({ ...aborted, cause: true });
    });

  test('a thread that has not begun never does', async () => {
    expect(await waiting('abortBeforeStart')).toMatchObject({ log: [], seen: aborted, state: 'finished' });
  });

  test('who ends with that error is not reported as unhandled', async () => {
    expect(await waiting('abortUnjoined')).toBe('finished');
  });

  test('reaches a thread that only yields', async () => {
    expect(await waiting('abortRunnable')).toMatchObject(aborted);
  });

  test('of oneself: the next wait throws, the one after does not', async () => {
    expect(await waiting('abortSelf')).toMatchObject([aborted, { returned: null }]);
  });

  test('caught, the thread goes on and may block again', async () => {
    expect(await waiting('abortCaughtOnce')).toEqual(['ABORT_ERR', 'goes on']);
  });

  test('finally blocks may block', async () => {
    expect(await waiting('abortInFinally')).toMatchObject({ log: ['cleaned up'], seen: aborted });
  });

  test('twice: two errors', async () => {
    expect(await waiting('abortTwice')).toEqual([1, 2]);
  });

  test('of a finished thread does nothing, of thread0 is refused', async () => {
    expect(await waiting('abortFinished')).toBe('ok');
    expect(await waiting('abortThread0')).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

test('thread0 never blocks: each call throws ERR_LWKT_WOULD_BLOCK and names the alternative', async () => {
  const { value, ...refused } = await waiting<Record<string, { code: string; message: string }>>('thread0');
  expect(value).toBe('a plain value');
  expect(Object.keys(refused)).toHaveLength(10);
  for (const error of Object.values(refused)) {
    expect(error.code).toBe('ERR_LWKT_WOULD_BLOCK');
    expect(error.message).toMatch(/ would block the event loop \(thread0\)\. Call it on a userthread/);
  }
});
