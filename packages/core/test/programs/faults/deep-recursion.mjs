// Recursions in V8's and Node's C++ that don't look at the stack's limit, on a userthread. See deep-recursion.test.ts.
import { create } from '@libcr/core';
import { main } from '../check.mjs';

const nested = {
  capture: (n) => new RegExp(`${'('.repeat(n)}a${')'.repeat(n)}`).test('a'),
  group: (n) => new RegExp(`${'(?:'.repeat(n)}a${')*'.repeat(n)}`).test('a'),
  lookahead: (n) => new RegExp(`${'(?='.repeat(n / 9)}a${')'.repeat(n / 9)}`).test('a'),
  alternatives: (n) => new RegExp(`${'(a|'.repeat(n / 9)}a${')'.repeat(n / 9)}`).test('a'),
  counted: (n) => new RegExp(`${'(?:a{1,2}'.repeat(n / 9)}${')'.repeat(n / 9)}`).test('b') === false,
  clone: (n) => {
    let value = [];
    for (let i = 0; i < n; i++) value = new Map([[1, value]]);
    return structuredClone(value).size === 1;
  },
  proxies: (n) => {
    let value = {};
    for (let i = 0; i < n; i++) value = new Proxy(value, {});
    return Object.isFrozen(value) === false;
  },
  rope: (n) => {
    let text = 'ab';
    for (let i = 0; i < n; i++) text = i % 2 ? `some text before ${text}` : `${text} some text behind`;
    return text.indexOf('q') === -1;
  },
};

/** Whether each way works or throws, at several depths, on a default stack. */
await main({
  all: async () => {
    const seen = {};
    for (const [name, fn] of Object.entries(nested)) {
      const results = new Set();
      const attempt = (n) => {
        try {
          results.add(fn(n));
        } catch (error) {
          results.add(error.name);
        }
      };
      for (const n of [90, 900, 4500, 9000]) await create(() => attempt(n)).finished;
      seen[name] = [...results].every((result) => [true, 'RangeError', 'SyntaxError'].includes(result));
    }
    return seen;
  },
});
