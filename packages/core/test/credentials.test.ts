/**
 * credentials.test.ts: what the C library has all kernel threads do, and waits for, returns while there are userthreads, running, suspended and
 * ended; here and in a Worker (setuid and its like). In C: native/test/rfork/credentials.c.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// One's own ids, which anybody may set. Only root may set the groups, and whoever is refused has been answered, too.
const program = `
  import { create, run, sleep } from '@libcr/core';
  import { Worker } from 'node:worker_threads';

  function setAll() {
    process.setuid(process.getuid());
    process.setgid(process.getgid());
    process.seteuid(process.geteuid());
    process.setegid(process.getegid());
    try {
      process.setgroups(process.getgroups());
    } catch (error) {
      if (error.code !== 'EPERM') throw error;
    }
  }

  await run(() => {});
  setAll();
  const sleepers = [1, 2, 3].map(() => create(() => sleep(50)));
  const inWorker = new Worker(
    "import('@libcr/core').then(({ run, sleep }) => run(() => sleep(300)))",
    { eval: true },
  );
  await new Promise((resolve) => inWorker.once('online', resolve));
  await run(setAll);
  for (const td of sleepers) await td.finished;
  setAll();
  await new Promise((resolve) => inWorker.once('exit', resolve));
  setAll();
  console.log('returned');
`;

test('setuid and its like return while there are userthreads', () => {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
      timeout: 280_000,
      killSignal: 'SIGKILL',
    },
  );
  expect({ status, signal, stdout, stderr }).toEqual({
    status: 0,
    signal: null,
    stdout: 'returned\n',
    stderr: '',
  });
});
