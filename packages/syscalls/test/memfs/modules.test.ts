/** modules.test.ts: require and import of modules that only memfs or an overlay has, under installFs(). */
import { expect, test } from 'vitest';
import { runProgram } from '../support.ts';

/** Nodes without hooks in the thread itself: what is imported is found through the program's port only. */
const hasHooks = 'registerHooks' in (await import('node:module'));

test('CommonJS and ES modules, packages, JSON, links, errors', async () => {
  const { status, stdout, stderr } = await runProgram('memfs/modules.mjs');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    a: {
      name: '/virtual/a.js',
      b: { dir: '/virtual/lib', pkg: 'required', sub: 'one' },
      data: { answer: 42 },
    },
    link: true,
    resolved: '/virtual/lib/b.js',
    plain: 'main',
    folder: 'index',
    hidden: expect.stringMatching(/^(?:MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED)$/),
    missing: 'MODULE_NOT_FOUND',
    builtin: true,
    m: {
      d: { answer: 42 },
      hash: 'hash',
      kind: 'import',
      later: 'file:///virtual/later.js?x=1',
      n: 1,
      own: 'file:///virtual/m.mjs',
      whole: 'pkg',
    },
    typed: 'undefined',
    cjs: '/virtual/lib',
    missingImport: 'ERR_MODULE_NOT_FOUND',
    noEnding: 'ERR_MODULE_NOT_FOUND',
    addon: 'ERR_INVALID_ARG_VALUE',
    bad: expect.stringContaining('SyntaxError'),
    frames: ['at Object.<anonymous> (/virtual/throws.js:3:7)', 'at f (file:///virtual/throws.mjs:2:9)'],
    overlay: ['kept', 'new', 'kept'],
    late: 'late',
    withoutShims: 'MODULE_NOT_FOUND',
    ...(hasHooks ? { own: 2 } : {}),
    ownElsewhere: 'ERR_MODULE_NOT_FOUND',
  });
});
