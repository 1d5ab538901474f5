/**
 * noticed.test.ts: a signal of the process' that the thread which was told of it blocks by then goes to another one that takes it, and sleeps. Who forgets it is seen by the
 * launcher that looks at libcr's invariants, too, which ends then instead of waiting for ever.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { checking, compile, shim, underLibcr } from '../programs.ts';

const program = compile('signals/passed-on');
const gate = shim('shims/gate.c');
let launchers: string[];
beforeAll(() => {
  launchers = [launcherPath(), checking()];
}, 120_000);

describe.each(['ppoll', 'pselect', 'epoll_pwait', 'sigsuspend'])('the mask of %s', (call) => {
  test.each([1, 2, 4])('%i rforks', async (rforks) => {
    const options = [`--rforks=${rforks}`, `--native-shim=${gate}`];
    for (const launcher of launchers)
      expect(await underLibcr(program, [call], { launcher, options, timeout: 60_000 })).toEqual({
        status: 0,
        signal: null,
        stdout: 'it came to the one that waits for it\n',
        stderr: '',
      });
  });
});
