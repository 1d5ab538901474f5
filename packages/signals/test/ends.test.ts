/**
 * ends.test.ts: what keeps a program alive and what does not, and that default actions end it as they do without this package.
 */
import { expect, test } from 'vitest';
import { runHere } from './run.ts';

/** Runs a case; each time that it has written what `after` says, the next signal is sent to it. */
function ends(name: string, after: [text: string, signal: NodeJS.Signals][] = [], flags: string[] = []) {
  const rest = [...after];
  return runHere('ends.mjs', [name], {
    timeout: 250_000,
    flags,
    onStdout(child, text) {
      if (rest.length > 0 && text.endsWith(`${rest[0]?.[0]}\n`))
        child.kill(rest.shift()?.[1] as NodeJS.Signals);
    },
  });
}

const well = { status: 0, signal: null, stderr: '' };

test.concurrent('handlers, abortOn(), signals(), onsignal(), timers and daemons keep no program alive', async () =>
  expect(await ends('idle')).toEqual({ ...well, stdout: 'idle\n' }));

test.concurrent('ref does, until the action is another', async () =>
  expect(await ends('ref', [['ready', 'SIGUSR1']])).toEqual({ ...well, stdout: 'ready\nhandled\n' }));

test.concurrent('unref() takes it back', async () =>
  expect(await ends('unref')).toEqual({ ...well, stdout: 'unref\n' }));

test.concurrent('a handler that is called once holds no longer', async () =>
  expect(await ends('once', [['ready', 'SIGUSR1']])).toEqual({ ...well, stdout: 'ready\nonce\n' }));

test.concurrent('sigwait, sigsuspend, and a timer with ref keep it alive', async () => {
  expect(await ends('sigwait', [['ready', 'SIGUSR1']])).toEqual({ ...well, stdout: 'ready\nSIGUSR1\n' });
  expect(await ends('sigsuspend', [['ready', 'SIGUSR1']])).toEqual({ ...well, stdout: 'ready\nover\n' });
  expect(await ends('timer')).toEqual({ ...well, stdout: 'expired\n' });
});

test.concurrent('a default action that was put back ends it', async () =>
  expect(await ends('term', [['ready', 'SIGTERM']])).toEqual({
    status: null,
    signal: 'SIGTERM',
    stdout: 'ready\n',
    stderr: '',
  }));

test.concurrent('so does one that was blocked, when it is no longer', async () =>
  expect(await ends('blocked')).toMatchObject({ signal: 'SIGTERM', stdout: 'pending\n' }));

test.concurrent('so does one that somebody has waited for', async () =>
  expect(await ends('waited', [['ready', 'SIGPWR']])).toMatchObject({
    signal: 'SIGPWR',
    stdout: 'ready\n',
  }));

test.concurrent('so does one for a thread', async () =>
  expect(await ends('thread')).toMatchObject({ signal: 'SIGQUIT', stdout: '' }));

test.concurrent('so does a fault that has no handler any more', async () =>
  expect(await ends('fault')).toMatchObject({ signal: 'SIGSEGV', stdout: 'caught\n' }));

test.concurrent('so does a signal whose handler was to be called once', async () =>
  expect(await ends('resetting')).toMatchObject({ signal: 'SIGUSR2', stdout: 'caught\n' }));

test.concurrent('after abortOn() the second ^C ends it', async () =>
  expect(
    await ends('second', [
      ['ready', 'SIGINT'],
      ['aborted', 'SIGINT'],
    ]),
  ).toMatchObject({ signal: 'SIGINT', stdout: 'ready\naborted\n' }));

test.concurrent('after the default action was put back, SIGUSR1 starts the inspector', async () => {
  const { status, stderr } = await ends('inspector', [['ready', 'SIGUSR1']], ['--inspect-port=0']);
  expect([status, stderr]).toEqual([0, expect.stringContaining('Debugger listening')]);
});

test.concurrent('what a handler throws where nobody waits is an unhandled rejection', async () => {
  const { status, stderr } = await ends('thrown', [['ready', 'SIGUSR1']]);
  expect(status).toBe(1);
  expect(stderr).toContain('RangeError: mine');
});
