/**
 * exits.test.ts: how programs end: exit codes, what is printed, whose finally blocks run. A hang shows as
 * signal SIGKILL.
 */
import { describe, expect, test } from 'vitest';
import { type RunOptions, type RunResult, runProgram } from './run.ts';

const end = (name: string, options: RunOptions = {}): Promise<RunResult> =>
  runProgram('exits.mjs', { args: [name], ...options });

const ended = (status: number, stdout = ''): object => ({ status, signal: null, stdout });

describe('nothing left to do', () => {
  for (const name of ['nothingLeft', 'empty'])
    test(`${name}: exit code 0`, async () => {
      expect(await end(name)).toEqual({ ...ended(0), stderr: '' });
    });

  test('a top-level await of a thread', async () => {
    expect(await end('topLevelAwait')).toMatchObject(ended(0, 'awaited\n'));
  });

  test('beforeExit may create threads, and they run', async () => {
    expect(await end('beforeExit')).toMatchObject(ended(0, 'round 1\nround 2\n'));
  });

  test('an idle program uses no CPU', async () => {
    const { status, stdout } = await end('idle');
    expect(status).toBe(0);
    expect(JSON.parse(stdout).processors).toBeLessThan(0.5); // a loop that polls would use a whole one
  });
});

describe('process.exit()', () => {
  test('on a userthread: its code, exit listeners, no finally block, as in Node', async () => {
    expect(await end('exitInThread')).toEqual({ ...ended(5, 'exit 5\n'), stderr: '' });
  });

  test('process.exitCode set by a thread', async () => {
    expect(await end('exitCodeInThread')).toMatchObject(ended(3));
  });

  test('an exit listener can not wait, and threads it creates never run', async () => {
    expect(await end('exitListener')).toEqual({ ...ended(0, 'ERR_LWKT_WOULD_BLOCK\n'), stderr: '' });
  });
});

describe('errors', () => {
  test('an uncaught exception with threads suspended: exit code 1, no finally block', async () => {
    const result = await end('uncaught');
    expect(result).toMatchObject(ended(1));
    expect(result.stderr).toContain('Error: from a timer');
  });

  test('an uncaughtException listener: the threads live on', async () => {
    expect(await end('uncaughtHandled')).toEqual({ ...ended(0, 'handled: from a timer\n'), stderr: '' });
  });

  test('a thread that throws and that nobody joins: exit code 1, its stack and its name', async () => {
    const result = await end('threadThrows');
    expect(result).toMatchObject(ended(1));
    expect(result.stderr).toContain('TypeError: nobody joins me\n    at culprit');
    expect(result.stderr).toMatch(/in userthread #\d+ "the culprit"/);
  });

  test('the same goes by the rule for unhandled rejections', async () => {
    expect(await end('threadThrowsHandled')).toMatchObject(
      ended(0, 'handled: nobody joins me\nhandled: undefined\n'),
    );
    const ignored = await end('threadThrows', { flags: ['--unhandled-rejections=none'] });
    expect(ignored).toEqual({ ...ended(0), stderr: '' });
  });

  test('whoever joins has handled it', async () => {
    expect(await end('threadThrowsJoined')).toEqual({ ...ended(0, 'joined\n'), stderr: '' });
  });

  test('run() that rejects at the top level', async () => {
    const result = await end('runRejects');
    expect(result).toMatchObject(ended(1));
    expect(result.stderr).toContain('RangeError: from run');
  });
});

describe('deadlock', () => {
  test('exit code 13; the report has name, reason and stack', async () => {
    const result = await end('deadlock');
    expect(result).toMatchObject(ended(13));
    expect(result.stderr).toContain(
      'DeadlockWarning: 1 userthread waits for something that can no longer happen',
    );
    expect(result.stderr).toMatch(/userthread #\d+ "estragon" waits for: promise\n/);
    expect(result.stderr).toMatch(/at waitsForGodot \(.*exits\.mjs:\d+:\d+\)/);
  });

  test('two threads that join each other', async () => {
    const result = await end('deadlockOfTwo');
    expect(result).toMatchObject(ended(13));
    expect(result.stderr).toMatch(/"thread 0" waits for: join #\d+ "thread 1"/);
    expect(result.stderr).toMatch(/"thread 1" waits for: join #\d+ "thread 0"/);
  });

  test('of a hundred threads: twenty are shown, the others counted', async () => {
    const { status, stderr } = await end('manyDeadlocked');
    expect(status).toBe(13);
    expect(stderr.match(/ waits for: promise/g)).toHaveLength(20);
    expect(stderr).toContain('… and 80 more');
  });

  test('daemons are no deadlock', async () => {
    expect(await end('deadlockDaemon')).toEqual({ ...ended(0), stderr: '' });
  });

  test('an exit code of one\u2019s own stays', async () => {
    const result = await end('deadlockExitCode');
    expect(result).toMatchObject(ended(9));
    expect(result.stderr).toContain('DeadlockWarning');
  });

  test('in a Worker: the exit code of the Worker', async () => {
    const { status, stdout } = await end('deadlockInWorker');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n').sort()).toEqual(['true', 'worker 13']);
  });
});

describe('SIGINT', () => {
  const onReady = (): RunOptions => {
    let sent = false;
    return {
      onStdout(child, text) {
        if (sent || !text.includes('ready')) return;
        sent = true;
        child.kill('SIGINT');
      },
    };
  };

  test('without a handler ends the program, no finally block', async () => {
    expect(await end('sigint', onReady())).toEqual({
      status: null,
      signal: 'SIGINT',
      stdout: 'ready\n',
      stderr: '',
    });
  });

  test('without a handler ends a thread that computes without end', async () => {
    expect(await end('sigintSpin', onReady())).toMatchObject({ signal: 'SIGINT' });
  });

  test('with a handler that aborts the threads: all finally blocks, exit code 0', async () => {
    const { status, stdout, stderr } = await end('sigintHandled', onReady());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n').sort()).toEqual([
      'finally 1',
      'finally 2',
      'finally 3',
      'left: 0',
      'ready',
    ]);
  });
});

describe('worker.terminate()', () => {
  test('with threads suspended: exit code 1, no finally block, main goes on', async () => {
    expect(await end('terminate')).toEqual({ ...ended(0, 'terminated 1\nmain goes on\n'), stderr: '' });
  });

  test('while a thread computes without end', async () => {
    expect(await end('terminateSpin')).toEqual({ ...ended(0, 'terminated 1\n'), stderr: '' });
  });
});
