/** realms.test.ts: errors, signals, URLs and buffers that were made in another realm, as everything is that code under Jest makes. */
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { isAbortSignal, isError, isUrl } from '../src/errors/brands.ts';
import '../src/index.ts';
import { checkTransfer } from '../src/msg/msg.ts';
import { decodeError, encodeError } from '../src/rfork/wire.ts';

// biome-ignore lint/suspicious/noExplicitAny: whatever it is
const there = (code: string, globals: object = {}): any => vm.runInNewContext(code, globals);

describe('errors between rforks', () => {
  test.each(['Error', 'TypeError', 'RangeError', 'SyntaxError'])('%s keeps its class', (name) => {
    const error = there(
      `Object.assign(new ${name}("theirs", { cause: new RangeError("why") }), { code: "E" })`,
    );
    expect(error instanceof Error).toBe(false);
    const back = decodeError(encodeError(error)) as Error;
    expect(back).toMatchObject({ message: 'theirs', code: 'E', cause: { message: 'why' } });
    expect([back.constructor.name, (back.cause as Error).constructor.name]).toEqual([name, 'RangeError']);
  });

  test('AggregateError', () => {
    const back = decodeError(encodeError(there('new AggregateError([new TypeError("one"), 2], "all")')));
    expect(back).toMatchObject({ message: 'all', errors: [{ message: 'one' }, 2] });
  });

  test('a class of theirs is an Error with its name', () => {
    const back = decodeError(encodeError(there('new (class Own extends Error { name = "Own" })("x")')));
    expect(back).toMatchObject({ name: 'Own', message: 'x' });
  });
});

test('what is a signal, a URL, an error', () => {
  const { signal } = new AbortController();
  expect([signal, there('({ aborted: false, addEventListener() {} })')].every(isAbortSignal)).toBe(true);
  expect([null, undefined, 1, 'x', {}, { aborted: true }, there('({})')].some(isAbortSignal)).toBe(false);
  expect([new URL('file:///'), there('({ href: "file:///", protocol: "file:" })')].every(isUrl)).toBe(true);
  expect([null, '', 'file:///', {}, { href: 'x', protocol: 'y', path: '/' }].some(isUrl)).toBe(false);
  expect([new Error(), there('new Error()'), there('new TypeError()')].every(isError)).toBe(true);
  expect([{ message: '' }, there('({ stack: "" })'), null].some(isError)).toBe(false);
});

test('buffers to transfer', () => {
  const transfer = there('[new ArrayBuffer(8)]');
  expect(checkTransfer('transfer', transfer)).toBe(transfer);
  expect(() => checkTransfer('transfer', there('[new Uint8Array(8)]'))).toThrow(TypeError);
});
