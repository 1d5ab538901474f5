/** policy.test.ts: the policy shim: rules in order, by call and by path (expectations/policy.ts), what rules may be, and which calls it wants to see. */
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sys } from '../../src/index.ts';
import { type PolicyRule, policy } from '../../src/shims/policy/index.ts';
import { here, under } from '../expectations/caller.ts';
import { expectPolicy } from '../expectations/policy.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';

expectPolicy(here);

const folder = fs.realpathSync(temporaryFolder());

test(
  'paths begin at the working directory that process.chdir has set, too',
  onUserthread(() => {
    fs.writeFileSync(join(folder, 'key'), 'k');
    const before = process.cwd();
    process.chdir(folder);
    under(here, policy([{ action: 'deny', path: `${folder}/*` }]), () => {
      expect(codeOf(() => sys.open('key'))).toBe('EACCES');
      expect(codeOf(() => sys.open('key/x'))).toBe('ENOTDIR'); // * stops at a slash
    });
    process.chdir(before);
  }),
);

test('a call that is allowed by its number alone is not seen', () => {
  const wanted = policy([
    { action: 'deny', path: '/none/**' },
    { action: 'deny', on: ['socket'] },
    { action: 'allow', on: ['read'] },
    { action: 'allow' },
  ]).on;
  expect(wanted).toEqual(expect.arrayContaining(['open', 'rename', 'socket', 'statx']));
  expect(wanted).not.toContain('read');
  expect(wanted).not.toContain('getpid');
  expect(policy([{ action: 'log', on: ['read'] }, { action: 'allow' }]).on).toEqual(['read']);
  expect(policy([{ action: 'allow', on: ['getpid'] }, { action: 'deny' }]).on).not.toContain('getpid');
});

test('rules that cannot be understood are refused', () => {
  const bad: unknown[] = [
    [{ action: 'deny', address: 5 }],
    [{ action: 'deny', address: '' }],
    [{ action: 'deny', address: 'localhost' }],
    [{ action: 'deny', address: '10.0.0.0/33' }],
    [{ action: 'deny', address: '10.0.0/8' }],
    [{ action: 'deny', address: '::/129' }],
    [{ action: 'deny', address: ':70000' }],
    [{ action: 'deny', address: ':9-8' }],
    [{ action: 'deny', uid: 'root' }],
    [{ action: 'deny', uid: [-1] }],
    [{ action: 'deny', fd: -1 }],
    [{ action: 'deny', when: 1 }],
    'deny',
    [null],
    [{ action: 'forbid' }],
    [{ action: 'deny', errno: 'ENOPE' }],
    [{ action: 'deny', path: 'relative/**' }],
    [{ action: 'deny', path: [5] }],
    [{ action: 'deny', on: ['opne'] }],
    [{ action: 'deny', on: 'open' }],
    [{ action: 'deny', paths: '/x' }],
  ];
  for (const rules of bad)
    expect([rules, codeOf(() => policy(rules as PolicyRule[]))]).toEqual([
      rules,
      expect.stringMatching(/^ERR_INVALID_ARG/),
    ]);
});
