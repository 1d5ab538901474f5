/** policy.test.ts: the policy shim: rules in order, by call and by path. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { join } from 'node:path';
import { create } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { type PolicyRule, policy } from '../src/shims/policy.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
fs.mkdirSync(at('secret/.deep/er'), { recursive: true });
fs.writeFileSync(at('secret/key'), 'k');
fs.writeFileSync(at('secret/.deep/er/key'), 'k');
fs.writeFileSync(at('open'), 'o');

const under = <R>(rules: PolicyRule[], fn: () => R): R =>
  create(fn, { syscallPort: sys.with(policy(rules)) }).join() as R;
const opens = (path: string): unknown => codeOf(() => sys.close(sys.open(path)));

test(
  'denies by path: globs, relative paths, paths with dots, open and openat',
  onUserthread(() => {
    under([{ action: 'deny', on: ['openat'], path: at('secret/**') }], () => {
      expect(errorOf(() => sys.open(at('secret/key')))).toMatchObject({
        code: 'EACCES',
        syscall: 'open',
        path: at('secret/key'),
      });
      const denied = [
        at('secret'),
        at('secret/.deep/er/key'),
        at('open/../secret/key'),
        `${folder}//secret/./key`,
      ];
      for (const path of denied) expect([path, opens(path)]).toEqual([path, 'EACCES']);
      expect(codeOf(() => sys.openat(c.AT_FDCWD, Buffer.from(at('secret/key'))))).toBe('EACCES');
      expect(opens(at('open'))).toBe('no error');
      expect(opens(at('secretive'))).toBe('ENOENT');
      const dirfd = sys.open(folder, c.O_DIRECTORY);
      expect(codeOf(() => sys.openat(dirfd, 'secret/key'))).toBe('EACCES');
      expect(codeOf(() => sys.close(sys.openat(dirfd, 'open')))).toBe('no error');
      sys.close(dirfd);
      expect(sys.statx(c.AT_FDCWD, at('secret/key')).size).toBe(1); // only open was named
    });
    const before = process.cwd();
    process.chdir(at('secret'));
    under([{ action: 'deny', path: at('secret/*') }], () => {
      expect(opens('key')).toBe('EACCES');
      expect(opens('.deep/er/key')).toBe('no error'); // * stops at a slash
    });
    process.chdir(before);
  }),
);

test(
  'the first rule that fits decides',
  onUserthread(() => {
    const rules: PolicyRule[] = [
      { action: 'allow', path: at('secret/key') },
      { action: 'deny', path: [at('secret/**'), '/nowhere/**'], errno: 'ENOENT' },
      { action: 'deny', on: ['mkdir', 'unlink', 'rename', 'symlink'], errno: 'EROFS' },
    ];
    under(rules, () => {
      expect(opens(at('secret/key'))).toBe('no error');
      expect(opens(at('secret/.deep/er/key'))).toBe('ENOENT');
      expect(codeOf(() => sys.mkdir(at('new')))).toBe('EROFS');
      expect(codeOf(() => sys.rename(at('open'), at('secret/x')))).toBe('ENOENT');
      expect(codeOf(() => sys.rename(at('open'), at('other')))).toBe('EROFS');
      expect(codeOf(() => sys.symlink(at('secret/.deep'), at('link')))).toBe('EROFS'); // its text is no path
    });
    expect(fs.existsSync(at('new'))).toBe(false);
  }),
);

test(
  'calls without a path; everything',
  onUserthread(() => {
    under([{ action: 'deny', on: ['socket'], errno: 'EPERM' }], () => {
      expect(codeOf(() => sys.socket(c.AF_INET, c.SOCK_STREAM))).toBe('EPERM');
      expect(sys.getpid()).toBe(process.pid);
    });
    under([{ action: 'deny' }], () => {
      expect([codeOf(() => sys.getpid()), opens('/')]).toEqual(['EACCES', 'EACCES']);
    });
  }),
);

test('log and deny tell the diagnostics channel', async () => {
  const seen: unknown[] = [];
  const listen = (decision: unknown): void => {
    const { rule, message, path } = decision as { rule: PolicyRule; message: { name: string }; path: string };
    seen.push([rule.action, message.name, path]);
  };
  subscribe('libcr:syscalls:policy', listen);
  await onUserthread(() =>
    under(
      [
        { action: 'log', on: ['open'] },
        { action: 'deny', path: at('secret/**') },
      ],
      () => {
        opens(at('open'));
        opens(at('secret/key'));
      },
    ),
  )();
  unsubscribe('libcr:syscalls:policy', listen);
  expect(seen).toEqual([
    ['log', 'open', at('open')],
    ['log', 'open', at('secret/key')],
    ['deny', 'open', at('secret/key')],
  ]);
});

test('rules that cannot be understood are refused', () => {
  const bad: unknown[] = [
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
