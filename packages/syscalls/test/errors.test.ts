/** errors.test.ts: errors look exactly as Node's: keys, their order, text, stack. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { constants as c, sys, syscallPort } from '../src/index.ts';

function caught(fn: () => unknown): NodeJS.ErrnoException {
  try {
    fn();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('did not fail');
}

const cases: [string, () => unknown, () => unknown][] = [
  ['a path', () => sys.open('/none/x'), () => fs.openSync('/none/x', 'r')],
  ['two paths', () => sys.rename('/none/a', '/none/b'), () => fs.renameSync('/none/a', '/none/b')],
  ['no path', () => sys.close(1_000_000), () => fs.closeSync(1_000_000)],
  [
    'a URL',
    () => sys.open(new URL('file:///none/a%20b')),
    () => fs.openSync(new URL('file:///none/a%20b'), 'r'),
  ],
  ['bytes', () => sys.unlink(Buffer.from('/none')), () => fs.unlinkSync(Buffer.from('/none'))],
];

test.each(cases)('with %s: as node:fs', (_what, ours, theirs) => {
  const [one, two] = [caught(ours), caught(theirs)];
  expect(Object.entries(one)).toEqual(Object.entries(two));
  expect([one.message, one.name, one.constructor]).toEqual([two.message, two.name, two.constructor]);
});

test('the stack begins at the call', () => {
  const { stack } = caught(() => sys.close(1_000_000));
  expect(stack?.split('\n')[1]).toMatch(/close/);
  expect(stack).toContain('errors.test.ts');
});

test('an errno that Node has no name for', () => {
  const reply = (errno: number): NodeJS.ErrnoException => {
    const guard = syscallPort.shim({ name: 'odd', on: ['getpid'], shim: () => () => -errno });
    try {
      return caught(() => sys.getpid());
    } finally {
      guard.remove();
    }
  };
  expect(reply(c.EUCLEAN)).toMatchObject({ code: 'EUCLEAN', errno: -c.EUCLEAN, syscall: 'getpid' });
  expect(reply(2000)).toMatchObject({ errno: -2000, message: expect.stringContaining('2000') });
});
