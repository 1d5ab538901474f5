/**
 * idle-stacks.test.ts: how the idle stacks of an environment are given back (native/node/trim.cc), for which it takes an event loop.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Runs a module's source in a Node of its own. burst() there: N userthreads at once, all of them finished when it returns. */
function node(source: string): { status: number | null; stdout: string; stderr: string } {
  const before = `
    import { create, sleep, stats } from '@libcr/core';
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { setTimeout as pause } from 'node:timers/promises';
    const N = 500;
    // Again, should some stacks have been given back before the last thread has ended.
    async function burst() {
      do {
        for (let i = 0; i < N; i++) create(() => sleep(20));
        while (stats().alive) await pause(1);
      } while (stats().pooled < N);
    }
  `;
  return spawnSync(process.execPath, ['--input-type=module', '-e', before + source], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    timeout: 280_000,
  });
}

describe('idle stacks', () => {
  it('go back to the system while the program waits for something else', () => {
    const { status, stdout, stderr } = node(`
      await burst();
      const { pooled } = stats();
      while (stats().pooled > 64) await pause(10); // or the test times out
      const kept = stats().pooled;
      await burst();
      console.log(JSON.stringify([pooled >= N, kept > 0, stats().pooled >= N, stats().stacksFreed >= N - 64]));
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('[true,true,true,true]\n');
    expect(status).toBe(0);
  });

  it('do not keep a program alive', () => {
    const { status, stdout, stderr } = node(`
      await burst();
      process.on('exit', () => console.log(stats().pooled >= N));
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('true\n');
    expect(status).toBe(0);
  });

  it('do not disturb the end of a Worker, at whatever moment', () => {
    const { status, stdout, stderr } = node(`
      const source = \`
        const { parentPort } = require('node:worker_threads');
        import('@libcr/core').then(({ create, sleep, stats }) => {
          const burst = () => {
            for (let i = 0; i < 500; i++) create(() => sleep(20));
          };
          const look = () => {
            const { alive, pooled } = stats();
            parentPort.postMessage(alive ? 0 : pooled);
            if (!alive && pooled <= 64) burst(); // what is to be seen may have been missed
          };
          burst();
          setInterval(look, 5);
        });
      \`;
      // While there are threads, when all are idle, and when some have been given back.
      for (const reached of [() => true, (pooled) => pooled >= N, (pooled) => pooled > 0 && pooled < N - 50]) {
        const worker = new Worker(source, { eval: true, execArgv: [] });
        for (;;) if (reached((await once(worker, 'message'))[0])) break;
        console.log(await worker.terminate());
      }
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('1\n1\n1\n');
    expect(status).toBe(0);
  });
});
