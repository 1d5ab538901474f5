/**
 * ports.test.ts: MsgPort and Msg: what each method does, who owns a message when, and the code of every
 * misuse.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from './run.ts';

const programs: Record<string, string> = {
  abortQueued: 'ports/port-aborts.mjs',
  abortHeld: 'ports/port-aborts.mjs',
  abortIgnored: 'ports/port-aborts.mjs',
  domsgGivesUp: 'ports/port-aborts.mjs',
  sharedAbort: 'ports/port-aborts.mjs',
  close: 'ports/port-owners.mjs',
  shared: 'ports/port-owners.mjs',
  ownership: 'ports/port-owners.mjs',
  misuse: 'ports/port-owners.mjs',
  chaos: 'ports/port-chaos.mjs',
};

const ports = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>(programs[name] ?? 'ports/ports.mjs', { args: [name] });

describe('sending and answering', () => {
  test('domsg returns the result, throws the very error', async () => {
    expect(await ports('domsg')).toEqual({
      sum: 3,
      result: 3,
      state: 'done',
      same: true,
      owner: true,
      served: 'served',
    });
  });

  test('an error is anything but undefined', async () => {
    expect(await ports('falsyErrors')).toEqual([
      { thrown: null },
      { thrown: 0 },
      { thrown: '' },
      { thrown: false },
      'result',
    ]);
  });

  test('sendmsg: replies arrive in order on the port of the sender', async () => {
    expect(await ports('sendmsg')).toEqual({
      sent: ['queued', 'queued', 'queued'],
      order: [0, 1, 2],
      results: [2, 4, 6],
      states: ['done', 'done', 'done'],
      replyPort: true,
      owner: true,
      name: 'main',
      left: 0,
    });
  });

  test('sendmsg with a replyPort: the reply goes there', async () => {
    expect(await ports('replyPort')).toBe(42);
  });

  test('requests and replies share the port of a thread, and state tells them apart', async () => {
    expect(await ports('sameQueue')).toEqual(['reply done', 'request held']);
  });

  test('getport never blocks', async () => {
    expect(await ports('getport')).toEqual({
      before: 'nothing',
      length: 1,
      same: true,
      state: 'held',
      after: 'nothing',
    });
  });

  test('waitmsg waits for this one, whatever else is queued', async () => {
    expect(await ports('waitmsg')).toEqual({
      result: 'c',
      queued: 2,
      b1: 'b',
      first: 'a',
      left: 0,
      again: 'c',
      state: 'done',
    });
  });

  test('waitmsg throws the error', async () => {
    expect(await ports('waitmsgError')).toMatchObject({
      state: 'replied',
      error: { message: 'on the spot' },
    });
  });

  test('putport answers in the context of the sender, or later', async () => {
    expect(await ports('putport')).toMatchObject({
      got: [
        'value',
        { name: 'TypeError', message: 'no' },
        'replied itself',
        'undefined',
        'came later',
        'replied',
        true,
        'sent',
      ],
      contexts: ['main', 'thread0'],
      onThread0: 'from thread0',
      later: 'ERR_LWKT_WOULD_BLOCK',
    });
  });

  test('putport may block: it runs on the stack of the sender', async () => {
    expect(await ports('promisesAndPorts')).toBe('waited for');
  });

  test('forwardmsg: the reply goes to the first sender', async () => {
    expect(await ports('forwardmsg')).toEqual({
      done: 'answer to x',
      back: true,
      result: 'answer to y',
      direct: 'direct d',
      log: ['forwards x', 'forwards y', 'forwards d'],
    });
  });

  test('msg.finished is the reply for code on the event loop', async () => {
    expect(await ports('finished')).toEqual({
      value: 7,
      twice: 7,
      rejected: true,
      replied: 'replied',
      waited: 7,
      state: 'done',
      left: 1,
    });
  });

  test('for await takes from a port on the event loop', async () => {
    expect(await ports('forAwait')).toEqual({ answers: [2, 3], log: [1, 2], mine: true, end: 'ended' });
  });

  test('the priority of the server decides when it serves', async () => {
    expect(await ports('priorities')).toEqual(['serves a', 'sender', 'serves b', 'x', 'y']);
  });

  test('one message can be sent again and again', async () => {
    expect(await ports('reuse')).toBe(true);
  });

  test('a long queue keeps its order while it is filled and emptied', async () => {
    expect(await ports('longQueue')).toEqual({ ordered: true, rest: true, last: true, replies: true });
  });

  test('replies leave the queue from anywhere, and the others keep their order', async () => {
    expect(await ports('middle')).toEqual({
      none: '5 abcde',
      middle: '4 abde',
      neighbours: '2 ae',
      head: '3 cde',
      end: '3 abc',
      all: '0 ',
      again: '4 bdea',
      allAgain: '2 bc',
    });
  });

  test('a reply that nobody collects makes the others no slower', async () => {
    const { ratio, left } = await ports<{ ratio: number; left: number }>('uncollected');
    expect(left).toBe(1);
    expect(ratio).toBeLessThan(10); // was 50, and grew with the number of messages
  });

  test('replyPort may be set, but not while the reply waits there', async () => {
    expect(await ports('replyPortSet')).toEqual({
      refused: 'ERR_LWKT_MSG_BUSY',
      length: 1,
      result: 'm',
      left: 0,
      own: true,
    });
  });
});

describe('aborting', () => {
  test('a queued message comes back at once with an AbortError', async () => {
    expect(await ports('abortQueued')).toMatchObject({
      back: true,
      state: 'done',
      error: { name: 'AbortError', code: 'ABORT_ERR', cause: 'not wanted' },
      left: 1,
      next: 2,
      end: 'nothing',
    });
  });

  test('who holds it sees msg.signal, and one reply comes all the same', async () => {
    expect(await ports('abortHeld')).toEqual({
      result: 'stopped: enough',
      server: { early: false, late: true, reason: 'enough' },
    });
  });

  test('of a message that is not under way does nothing', async () => {
    expect(await ports('abortIgnored')).toEqual({
      before: 'idle',
      result: 'ok',
      after: 'done',
      error: 'none',
      usable: 'ok',
    });
  });

  test('a domsg that gives up aborts its message, and a late reply is nobody\u2019s', async () => {
    expect(await ports('domsgGivesUp')).toEqual({
      held: 'ERR_LWKT_TIMEOUT',
      ended: 'done',
      state: 'done',
      result: 'too late',
      second: 'ERR_LWKT_TIMEOUT',
      queuedState: 'done',
      port: 0,
      server: 'done',
    });
  });

  test('of one server loses no message of a shared port', async () => {
    expect(await ports('sharedAbort')).toMatch(/^served by [12]$/);
  });
});

describe('owners', () => {
  test('a shared port serves all, each message goes to one', async () => {
    expect(await ports('shared')).toEqual({ each: true, all: true, sum: 20, owner: 'nobody' });
  });

  test('the first that takes owns it; after its end somebody else may', async () => {
    expect(await ports('ownership')).toEqual({ was: true, data: 'for the second', is: true });
  });

  test('close: queued requests come back, sleepers wake, iterations end', async () => {
    const closed = 'ERR_LWKT_PORT_CLOSED';
    expect(await ports('close')).toEqual({
      sent: closed,
      waiter: closed,
      sendmsg: closed,
      domsg: closed,
      forwardmsg: closed,
      stillHeld: 'held',
      waitport: closed,
      getport: 'nothing',
      iteration: 0,
      text: 'MsgPort "queued" closed 0 queued',
      sleeper: closed,
      iterating: 0,
    });
  });
});

test('each misuse has its code and changes nothing', async () => {
  const busy = { code: 'ERR_LWKT_MSG_BUSY' };
  const done = { code: 'ERR_LWKT_MSG_DONE' };
  const owner = { code: 'ERR_LWKT_NOT_OWNER' };
  const type = { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' };
  expect(await ports('misuse')).toMatchObject({
    sentTwice: busy,
    sentTwiceDomsg: busy,
    sentHeld: busy,
    sentReplied: busy,
    replyQueued: done,
    replyNeverSent: done,
    replyTwice: done,
    forwardQueued: done,
    forwardNeverSent: done,
    getOthers: owner,
    waitOthers: owner,
    iterateOthers: owner,
    selfDomsg: { code: 'ERR_LWKT_DEADLOCK' },
    neverSent: done,
    othersWait: owner,
    noMsg: type,
    noMsgDomsg: type,
    noMsgForward: type,
    name: type,
    owner: type,
    putport: type,
    left: '1 0 0 queued',
    works: 'works',
    finishedNeverSent: done,
    domsgOnThread0: { code: 'ERR_LWKT_WOULD_BLOCK' },
  });
});

test('what is of the wrong type is refused where it is given, and changes nothing', async () => {
  const { refused, left, collected } = await ports<{
    refused: Record<string, unknown>;
    left: string;
    collected: number;
  }>('wrongTypes');
  expect(Object.keys(refused)).toHaveLength(18);
  for (const [name, error] of Object.entries(refused))
    expect({ name, error }).toMatchObject({ error: { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' } });
  expect(left).toBe('idle undefined undefined 0 replied');
  expect(collected).toBe(1);
});

test('clients, servers, forwarders and aborts at random: each message comes back exactly once', async () => {
  const { seed, ...rest } = await ports('chaos');
  console.log(`ports.test.ts chaos: LIBCR_SEED=${seed}`);
  expect(rest).toEqual({ wrong: 0, all: true, handled: true, some: true, left: true });
});
