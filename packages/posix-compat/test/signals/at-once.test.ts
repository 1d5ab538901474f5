/**
 * at-once.test.ts: a signal waits for nobody's tick. The launcher has none here (native/inject), and the threads in front of who is to take it compute until it has.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { compile, disturbing, natively, underLibcr } from '../programs.ts';

const program = compile('signals/at-once');
const launcher = disturbing();
const cases = execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n');
const handled = { status: 0, signal: null, stdout: '100 rounds\n', stderr: '' };

describe.each(cases)('%s', (name) => {
  test('natively', async () => expect(await natively(program, [name])).toEqual(handled));

  test.each([1, 2, 4])('%i rforks', async (rforks) => {
    const options = { launcher, options: [`--rforks=${rforks}`], env: { LIBCR_INJECT: 'no-ticks' } };
    expect(await underLibcr(program, [name], options)).toEqual(handled);
  });
});
