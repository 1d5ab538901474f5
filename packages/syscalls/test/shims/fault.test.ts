/** fault.test.ts: the fault shim: which calls are struck, and what happens to them (expectations/fault.ts), on the event loop, too; and what rules may be. */
import { expect, test } from 'vitest';
import { sys, syscallPort } from '../../src/index.ts';
import { type FaultRule, fault } from '../../src/shims/fault/index.ts';
import { here } from '../expectations/caller.ts';
import { expectFault } from '../expectations/fault.ts';
import { codeOf, errorOf } from '../support.ts';

expectFault(here);

test('on the event loop’s own stack a delay stops the loop, as a slow disk does', () => {
  const guard = syscallPort.shim(fault([{ on: ['getpid'], delay: 2, errno: 'EIO' }]));
  const begin = performance.now();
  expect(codeOf(() => sys.getpid())).toBe('EIO');
  expect(performance.now() - begin).toBeGreaterThanOrEqual(1.9);
  guard.remove();
});

test.each<[unknown, string, RegExp]>([
  [{}, 'ERR_INVALID_ARG_TYPE', /"rules" .* an array/],
  [[null], 'ERR_INVALID_ARG_TYPE', /rules\[0\]/],
  [[{ errno: 'EIO', nht: 1 }], 'ERR_INVALID_ARG_VALUE', /rules\[0\] has no "nht"/],
  [[{ nth: 1 }], 'ERR_INVALID_ARG_VALUE', /rules\[0\] does nothing/],
  [[{ errno: 'ENONE' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.errno/],
  [[{ errno: 4096 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.errno/],
  [[{ errno: 'EIO', nth: 0 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.nth/],
  [[{ errno: 'EIO', every: 1.5 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.every/],
  [[{ errno: 'EIO', after: '1' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.after/],
  [[{ errno: 'EIO', probability: 1.1 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.probability/],
  [[{ short: 0 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.short/],
  [[{ short: 1.5 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.short/],
  [[{ on: ['getpid'], short: 1 }], 'ERR_INVALID_ARG_VALUE', /getpid moves no data/],
  [[{ delay: -1 }], 'ERR_OUT_OF_RANGE', /rules\[0\]\.delay/],
  [[{ on: ['opne'], errno: 'EIO' }], 'ERR_INVALID_ARG_VALUE', /"opne"/],
  [[{ on: 'open', errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.on/],
  [[{ path: 'etc/*', errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.path/],
  [[{ fd: -1, errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.fd/],
  [[{ when: true, errno: 'EIO' }], 'ERR_INVALID_ARG_TYPE', /rules\[0\]\.when/],
])('no rules: %j', (rules, code, message) => {
  expect(errorOf(() => fault(rules as FaultRule[]))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test.each([-1, 2 ** 32, 0.5, '1'])('no seed: %j', (seed) => {
  expect(codeOf(() => fault([], { seed: seed as number }))).toMatch(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/);
});
