/**
 * rfork.test.ts: rforks from JavaScript: what travels between them, what a port is worth elsewhere, and that whatever
 * ends, each message comes back exactly once.
 */
import { describe, expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';

const rfork = <T = Record<string, unknown>>(name: string, flags: string[] = []): Promise<T> =>
  outcome<T>('rfork/rfork.mjs', { args: [name], flags });
const ends = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('rfork/rfork-ends.mjs', { args: [name] });

const ended = 'ERR_LWKT_RFORK_ENDED';
const dataCloneError = (message: unknown, type = 'DOMException') => ({
  name: 'DataCloneError',
  code: 25,
  class: type,
  message,
});

describe('messages', () => {
  test('carry what structured clone carries', async () => {
    expect(await rfork<number>('values')).toBe(23);
  });

  test('are answered by the rfork that was asked', async () => {
    expect(await rfork('who')).toEqual({
      answers: [
        { id: 2, name: 'one', thread: 'userthread', port: 'one' },
        { id: 3, name: 'two', thread: 'userthread', port: 'two' },
      ],
      ids: [2, 3],
      here: { id: 1, name: 'main' },
      shown: 'Rfork 2 "one" running',
      port: 'MsgPort "one" of rfork 2',
    });
  });

  test('come back on their reply ports', async () => {
    expect(await rfork('asynchronously')).toEqual({
      states: ['held', 'held', 'held'],
      first: [true, 'first'],
      second: 'nothing',
      third: true,
      after: ['done', 'done', 'done'],
      again: 'first',
    });
  });

  test('bring errors with code, cause and stack', async () => {
    expect(await rfork('errors')).toEqual({
      coded: {
        name: 'RangeError',
        code: 'ETOOMUCH',
        class: 'RangeError',
        message: 'too much',
        errno: -7,
        stack: true,
      },
      cause: [
        { name: 'Error', class: 'Error', message: 'outer' },
        { name: 'TypeError', class: 'TypeError', message: 'inner' },
      ],
      aggregate: [
        { name: 'AggregateError', class: 'AggregateError', message: 'several' },
        [{ name: 'Error', class: 'Error', message: 'one' }, { thrown: 2 }],
      ],
      dom: { name: 'NotFoundError', code: 8, class: 'Error', message: 'no' },
      nothing: null,
    });
  });

  test('can be sent and answered on the event loop', async () => {
    expect(await rfork('onTheLoop')).toEqual({
      blocked: 'ERR_LWKT_WOULD_BLOCK',
      name: 'one',
      answer: 6,
      outcome: 'closed',
    });
  });

  test('can be aborted: queued, held, passed on; by a timeout or a signal', async () => {
    expect(await rfork('aborts')).toMatchObject({
      plain: { returned: 'stopped: no longer', state: 'done' },
      late: { name: 'TimeoutError', code: 'ERR_LWKT_TIMEOUT', state: 'held' },
      signal: { name: 'AbortError', code: 'ABORT_ERR' },
      queued: { name: 'AbortError', code: 'ABORT_ERR' },
      on: 'ABORT_ERR',
      tooLate: ['done', 'one'],
    });
  });

  test('leave nothing behind', async () => {
    expect((await rfork<{ grown: number }>('manyMessages')).grown).toBeLessThan(50);
  });
});

describe('payloads', () => {
  test('move instead of being copied', async () => {
    const shared =
      'An ArrayBuffer that others use too (as small Buffers do: Node gives them parts of one) cannot be transferred.';
    expect(await rfork('transfer')).toMatchObject({
      length: 1 << 20,
      here: 0,
      back: [1 << 16, 9],
      detached: dataCloneError(expect.stringContaining('detached')),
      pooled: dataCloneError(shared),
      pool: true,
      twice: dataCloneError('Transfer list contains duplicate ArrayBuffer'),
      wrong: { code: 'ERR_INVALID_ARG_TYPE' },
      notAList: { code: 'ERR_INVALID_ARG_TYPE' },
      untouched: 8,
      local: 8,
    });
  });

  test('are shared where they are SharedArrayBuffers, and so is the memory of wasm', async () => {
    const { value, expected, wasm } = await rfork('shared');
    expect(value).toBe(expected);
    expect(wasm).toBe(42);
  });
});

describe('ports', () => {
  test('can be used wherever they arrive, and are themselves again at home', async () => {
    expect(await rfork('ports')).toEqual({
      used: 'own: 1',
      theirs: 'p of one: hello',
      same: true,
      third: 'p of one: from two',
      home: true,
      sameThere: true,
      inData: 'two',
      seen: [1],
    });
  });

  test('pass messages on to other rforks; the answer goes to the first sender', async () => {
    expect(await rfork('forwards')).toEqual({
      on: 'q of two',
      home: ['home', 'forward'],
      nested: 'three inner',
      local: 'one',
      joined: 'closed',
    });
  });

  test('are let go of when nobody has them any more', async () => {
    expect(await rfork('released', ['--expose-gc'])).toEqual({ during: 200, after: 0 });
  });
});

test('what is sent to an rfork whose loop turns before its ports are there arrives', async () => {
  expect(await ends('turnsEarly')).toBe('commands');
});

test('misuse has clear errors and loses nothing', async () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  expect(await rfork('misuse')).toMatchObject({
    take: { code: 'ERR_LWKT_NOT_OWNER', message: expect.stringContaining("rfork 2's") },
    wait: 'ERR_LWKT_NOT_OWNER',
    iterate: 'ERR_LWKT_NOT_OWNER',
    busy: 'ERR_LWKT_MSG_BUSY',
    uncloneable: dataCloneError('() => 1 could not be cloned.'),
    state: 'idle',
    answer: dataCloneError('() => 1 could not be cloned.', 'Error'),
    wrong: [type, type, value, value, type, type, type, 25, type],
    bare: { code: value, class: 'TypeError', message: expect.stringContaining('"bare" is neither a URL') },
    host: dataCloneError('#<MessagePort> could not be cloned.'),
    thread: 'DataCloneError',
    closed: ['ERR_LWKT_PORT_CLOSED', false],
  });
});

test('a thread that asks again and again leaves everybody else their turn', async () => {
  expect(await rfork('busy')).toEqual({
    microtask: true,
    tick: true,
    immediate: true,
    timer: true,
    file: true,
    thread: true,
    promise: true,
    otherThread: true,
    taker: true,
    putport: true,
  });
});

test('what waiting threads take themselves needs little stack, and yielding ones get theirs', async () => {
  expect(await rfork('inPlace')).toEqual({ deep: true, nearly: 15, yields: 20, after: 'after' });
});

test('idle rforks use no CPU', async () => {
  const { processors } = await rfork<{ processors: number }>('idle');
  expect(processors).toBeLessThan(0.5); // each that spins would use a whole one
});

describe('the end of an rfork', () => {
  test('is what its main function came to', async () => {
    expect(await ends('outcomes')).toMatchObject({
      returns: { a: [1] },
      asynchronous: 2,
      throws: { class: 'RangeError', message: 'main throws' },
      exits: {
        code: ended,
        message: 'rfork 5 "exits" has ended (exit code 7) before its main function returned',
      },
      uncaught: { message: 'nobody catches this' },
      join: 3,
      joinThrows: { class: 'RangeError', message: 'main throws' },
      late: 'ERR_LWKT_TIMEOUT',
    });
  });

  test('comes at once where its module does not load', async () => {
    expect(await ends('modules')).toMatchObject({
      cause: [ended, 'ERR_MODULE_NOT_FOUND'],
      missing: 'ERR_MODULE_NOT_FOUND',
      syntax: 'SyntaxError',
      noDefault: { code: 'ERR_LWKT_RFORK_MAIN' },
      topLevel: 'top level',
      good: ['MsgPort "data" 0 queued', 'undefined'],
      relative: 'relative',
      options: ['argument', 'environment', ['--no-warnings']],
    });
  });

  test('by terminate() brings its messages back', async () => {
    expect(await ends('terminate')).toMatchObject({
      before: 'Rfork 2 "keeps" running',
      after: 'Rfork 2 "keeps" ended',
      outcomes: [ended, ended, ended, ended],
      send: { code: ended },
      finished: { code: ended },
      again: 'nothing',
    });
  });

  test('so it does while it spins', async () => {
    expect(await ends('spinning')).toEqual([ended, ended, ended, ended]);
  });

  test('so it does while it wakes up', async () => {
    expect(await ends('asItWakes')).toBeGreaterThan(0);
    const { status, stderr } = await runProgram('rfork/rfork-ends.mjs', { args: ['exitAsTheyWake'] });
    expect({ status, stderr }).toEqual({ status: 5, stderr: '' });
  });

  test('so it does while it reads what it was sent', async () => {
    expect(await ends('asItReads')).toEqual([ended]);
  });

  test('so it does by process.exit() and by an exception', async () => {
    expect(await ends('exit')).toEqual({
      outcomes: [ended, ended, ended, ended],
      finished: 'rfork 2 "keeps" has ended (exit code 3) before its main function returned',
    });
    expect(await ends('throwing')).toEqual({
      outcomes: [ended, ended, ended, ended],
      finished: 'main gives up',
    });
  });

  test('so it does before it has begun', async () => {
    expect(await ends('early')).toEqual([ended, ended]);
    expect(await ends('earlyAndQuiet')).toBe(ended);
  });

  test('aborts what it has sent', async () => {
    expect(await ends('clientEnds')).toEqual({ stopped: 'AbortError', reason: ended, queued: [2, true] });
  });

  test('of which another one dies is what that one has died of', async () => {
    expect(await ends('anothersEnd')).toEqual({ code: ended, message: 'rfork 2 has ended', ids: [2, 3] });
  });

  test('does not matter to a message that it has passed on', async () => {
    expect(await ends('forwarded')).toEqual({ error: ended, who: 'commands' });
  });

  test('is told of a message wherever it is, in whatever order the news of its way comes', async () => {
    const { stopped, still, message, third } = await ends('newsOutOfOrder');
    expect(stopped).toEqual([{ returned: 'stopped: enough' }, { returned: 'stopped here: enough' }]);
    expect({ still, message }).toEqual({ still: 'held', message: `rfork ${third} has ended` });
  });

  test('is known to whoever gets a message of it only then', async () => {
    expect(await ends('outlived')).toBe('held in vain');
  });

  test('can be asked for by dispose, and need not be waited for', async () => {
    expect(await ends('disposed')).toEqual(['closed', 'ended']);
    expect(await ends('unref')).toBe('the program ends');
  });

  test('leaves nothing behind', async () => {
    expect((await ends<{ grown: number }>('many')).grown).toBeLessThan(100);
  });
});

test('calls, forwards, aborts and kills at random: each message has one outcome', async () => {
  const { status, stdout, stderr } = await runProgram('rfork/rfork-ends.mjs', { args: ['chaos'] });
  console.log(`rfork.test.ts chaos: LIBCR_${stdout.split('\n')[0].toUpperCase().replace(' ', '=')}`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { total, expected, failed } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
  expect({ total, failed }).toEqual({ total: expected, failed: [] });
});
