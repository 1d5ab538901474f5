/** latency.test.ts: the latency shim: how long, when and for whom (expectations/latency.ts); and what rules may be. */
import { expect, test } from 'vitest';
import { type Delay, latency } from '../../src/shims/latency.ts';
import { here } from '../expectations/caller.ts';
import { expectLatency } from '../expectations/latency.ts';
import { errorOf } from '../support.ts';

expectLatency(here);

test.each<[unknown, string, RegExp]>([
  ['5', 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.ms/],
  [-1, 'ERR_OUT_OF_RANGE', /rules\[0\]\.ms/],
  [{}, 'ERR_INVALID_ARG_VALUE', /one distribution/],
  [{ uniform: [1] }, 'ERR_INVALID_ARG_TYPE', /uniform/],
  [{ uniform: [2, 1] }, 'ERR_OUT_OF_RANGE', /uniform\[1\]/],
  [{ normal: { mean: 1 } }, 'ERR_INVALID_ARG_TYPE', /normal\.deviation/],
  [{ exponential: { mean: -1 } }, 'ERR_OUT_OF_RANGE', /exponential\.mean/],
  [{ gaussian: 1 }, 'ERR_INVALID_ARG_VALUE', /has no "gaussian"/],
  [[{ on: ['read'] }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.ms/],
  [[{ ms: 1, at: 'end' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.at/],
])('no rules: %j', (rules, code, message) => {
  expect(errorOf(() => latency(rules as Delay))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
