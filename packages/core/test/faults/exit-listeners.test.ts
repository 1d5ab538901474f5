/**
 * exit-listeners.test.ts: what runs last runs alone: an 'exit' listener can't wait, on a userthread neither.
 */
import { expect, test } from 'vitest';
import { runProgram } from '../run.ts';

const refused = 'ERR_LWKT_WOULD_BLOCK';

for (const where of ['main', 'worker'])
  test(`process.exit() on a userthread: listeners run, waits in them are refused, nobody else runs (${where})`, async () => {
    const { status, stdout, stderr } = await runProgram('faults/exit-listeners.mjs', { args: [where] });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout.slice(stdout.lastIndexOf('{"seen"')))).toEqual({
      seen: {
        sleep: refused,
        wait: refused,
        timeout: refused,
        yieldNow: refused,
        join: refused,
        waitport: refused,
        serializer: refused,
      },
      ranAfter: 0,
    });
    expect(status).toBe(3);
  });
