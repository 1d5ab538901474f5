/**
 * escapes.test.ts: nothing escapes. Under `--nothing-escapes` the kernel kills whatever makes a system call from outside of libcr's text; here that it does, and that calls
 * on unusual ways are caught all the same. What runs under it besides is programs-list.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { compile, natively, underLibcr } from '../programs.ts';

describe('--nothing-escapes', () => {
  test('a program that leaves libcr is killed by its first call; without it that call is made', async () => {
    const program = compile('processes/escapes');
    expect(await underLibcr(program, ['leaves'])).toMatchObject({ status: 0, stdout: 'left\n' });
    expect(await underLibcr(program, ['leaves'], { options: ['--nothing-escapes'] })).toMatchObject({
      status: null,
      signal: 'SIGSYS',
      stdout: '',
    });
  });
  test('so is a child', async () => {
    const { stdout } = await underLibcr(
      '/bin/sh',
      ['-c', '"$0" leaves 2> /dev/null; echo $?', compile('processes/escapes')],
      {
        options: ['--nothing-escapes'],
      },
    );
    expect(stdout).toBe('159\n'); // 128 + SIGSYS
  });
  test.each([1, 2, 4])(
    'no call does by its number, its place or its process, with %s rforks',
    async (rforks) => {
      const program = compile('processes/escapes');
      const native = await natively(program);
      expect(native.stdout).toContain(
        'a number with more bits: 1\nno such call: -38 -38\nfork by such a number: 300\n',
      );
      const options = [`--rforks=${rforks}`, '--nothing-escapes'];
      expect(await underLibcr(program, [], { options })).toEqual(native);
    },
  );
});
