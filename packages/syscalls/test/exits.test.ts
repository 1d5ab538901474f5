/** exits.test.ts: ending while calls are under way: right exit status, no hang, no crash; and Workers. */
import { describe, expect, test } from 'vitest';
import { runProgram } from './support.ts';

describe('a process with threads in pipes, sleeps, FIFOs and locks', () => {
  test.each([
    ['exit', 3],
    ['exit-on-userthread', 4],
    ['throw', 1],
  ])('%s ends with %i', async (how, expected) => {
    const { status, signal, stdout } = await runProgram('waiting.mjs', how);
    expect({ status, signal, stdout }).toEqual({ status: expected, signal: null, stdout: 'waiting\n' });
  });

  test('SIGTERM ends it', async () => {
    const { status, signal, stdout } = await runProgram('waiting.mjs', 'sigterm');
    expect({ status, signal, stdout }).toEqual({ status: null, signal: 'SIGTERM', stdout: 'waiting\n' });
  });

  test('nothing but a wait for a pipe that nobody writes: it stays alive, as Node does with an open pipe', async () => {
    const { status, stdout } = await runProgram('waiting.mjs', 'stay');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'waiting\nstill here\n' });
  });

  test('aborted threads do not keep it alive', async () => {
    const { status, stdout } = await runProgram('waiting.mjs', 'abort');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'waiting\n' });
  });
});

describe('Workers', () => {
  test('system calls, shims and helper threads in several at once', async () => {
    const { status, signal, stdout, stderr } = await runProgram('workers.mjs', 'run');
    expect({ status, signal, stdout, stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: 'ok 8\n',
      stderr: '',
    });
  });

  test('terminated with calls under way, again and again', async () => {
    const { status, signal, stdout, stderr } = await runProgram('workers.mjs', 'terminate');
    expect({ status, signal, stdout, stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: 'ok 20\n',
      stderr: '',
    });
  });
});
