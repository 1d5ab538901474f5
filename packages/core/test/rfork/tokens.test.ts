/**
 * tokens.test.ts: tokens and serializers, among the threads of one rfork and of several.
 */
import { describe, expect, test } from 'vitest';
import { type Ticket, TicketQueue } from '../../src/token/queue.ts';
import { outcome } from '../run.ts';

const tokens = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('rfork/tokens.mjs', { args: [name] });

const ended = 'ERR_LWKT_RFORK_ENDED';
const free = (name: string, type = 'Token') => `${type} "${name}" 0 in, 0 waiting`;

describe('on one rfork', () => {
  test('a thread that blocks lets go, and has it again', async () => {
    expect(await tokens('letGo')).toEqual([
      'Token "t" 1 in, 0 waiting',
      'other',
      'back',
      'third',
      'still mine',
      'third again',
      free('t'),
    ]);
  });

  test('tokens nest, and are let go of in reverse order by who took them', async () => {
    const notOwner = (message: unknown) => ({ code: 'ERR_LWKT_NOT_OWNER', message });
    expect(await tokens('nested')).toMatchObject({
      wrong: [
        notOwner('token "a" was taken after this hold of token "a": let go of that first'),
        'ERR_LWKT_NOT_OWNER',
      ],
      still: 'Token "a" 1 in, 0 waiting',
      twice: notOwner('userthread #1 "main" does not hold token "a"'),
      alone: { code: 'ERR_LWKT_DEADLOCK' },
      foreign: notOwner(expect.stringContaining('does not hold token "a"')),
      free: free('b'),
    });
  });

  test('shared tokens', async () => {
    expect((await tokens('shared')).log).toEqual(['a in', 'b in', 'c in']);
  });

  test('several tokens in whatever order: nobody waits for ever, nobody meets another', async () => {
    expect(await tokens('inOrder')).toEqual({
      collisions: 0,
      left: ['a', 'b', 'c'].map((name) => free(name)),
    });
  });

  test('waiting for one can time out and be aborted; misuse has clear errors', async () => {
    const type = 'ERR_INVALID_ARG_TYPE';
    expect(await tokens('givesUp')).toMatchObject({
      waiter: { late: 'ERR_LWKT_TIMEOUT', has: 'Token "other" 1 in, 0 waiting' },
      aborted: { name: 'AbortError', code: 'ABORT_ERR' },
      twice: { code: 'ERR_LWKT_DEADLOCK' },
      tryTwice: 'ERR_LWKT_DEADLOCK',
      tried: true,
      state: 'Serializer "busy" 1 in, 0 waiting',
      after: free('busy', 'Serializer'),
      wrong: [type, type, type, 'ERR_OUT_OF_RANGE', type],
    });
    expect(await tokens('onTheLoop')).toEqual(['ERR_LWKT_WOULD_BLOCK', 'ERR_LWKT_WOULD_BLOCK']);
  });

  test('a thread that ends lets go', async () => {
    expect(await tokens('ends')).toEqual([free('t'), free('s', 'Serializer')]);
  });

  test('a serializer stays held while its holder blocks', async () => {
    expect(await tokens('serializerKeeps')).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });
});

test('who wants it alone is not overtaken by those who would share it', () => {
  const queue = new TicketQueue();
  const log: string[] = [];
  const ticket = (name: string, shared: boolean): Ticket => ({ shared, granted: () => log.push(name) });
  const [a, b, writer, c] = [
    ticket('a', true),
    ticket('b', true),
    ticket('writer', false),
    ticket('c', true),
  ];
  for (const each of [a, b, writer, c]) queue.enter(each);
  expect(log).toEqual(['a', 'b']);
  expect(queue.free(true)).toBe(false);
  queue.leave(a);
  expect(log).toEqual(['a', 'b']);
  queue.leave(b);
  expect(log).toEqual(['a', 'b', 'writer']);
  queue.leave(writer);
  expect(log).toEqual(['a', 'b', 'writer', 'c']);
  queue.leave(c);
  expect([queue.holders, queue.waiting]).toEqual([0, 0]);
});

describe('on several rforks', () => {
  test('a token counts what is not counted atomically', async () => {
    const { count, expected, left } = await tokens('across');
    expect(count).toBe(expected);
    expect(left).toBe(free('counter'));
  });

  test('readers never see what a writer has half done', async () => {
    const { written, expected, ...rest } = await tokens('readersAndWriters');
    expect(rest).toEqual({ unequal: [0, 0], name: 'theirs' });
    expect(written).toBe(expected);
  });

  test('two tokens that each rfork takes in another order: nobody waits for ever', async () => {
    expect(await tokens('crosswise')).toEqual({ rounds: [true, true], left: [free('a'), free('b')] });
  });

  test('they travel, and are themselves again at home', async () => {
    expect(await tokens('travel')).toEqual({
      home: true,
      same: true,
      sameThere: true,
      busy: true,
      state: 'Serializer "s" 1 in, 1 waiting',
      there: 'Serializer "s" of rfork 1',
      taken: 'Token "theirs" of rfork 2',
    });
  });

  test('an rfork that ends lets go, and what was its own is gone', async () => {
    expect(await tokens('holderEnds')).toEqual({
      answers: [
        ['blocked', 'got it', free('t')],
        ['blocked', 'got it', free('s', 'Serializer')],
      ],
      gone: ended,
      blocked: 'ERR_LWKT_TIMEOUT',
      after: ended,
    });
  });
});
