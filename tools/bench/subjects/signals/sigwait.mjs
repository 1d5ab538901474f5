// Two processes send each other a signal in turns, and wait for it: nanoseconds there and back. Both are this file: the second one has the first one's pid as its argument.
import { spawn } from 'node:child_process';
import { run } from '@libcr/core';
import { kill, sigprocmask, sigwait } from '@libcr/signals';
import { sampleBlocking } from '../../sample.mjs';

const TURNS = 5_000;

await run(() => {
  sigprocmask('block', ['SIGUSR2', 'SIGTERM']);
  const other = Number(process.argv[2]);
  if (other) {
    kill(other, 'SIGUSR2');
    while (sigwait(['SIGUSR2', 'SIGTERM']).signal === 'SIGUSR2') kill(other, 'SIGUSR2');
    return;
  }
  const child = spawn(process.execPath, [process.argv[1], String(process.pid)], { stdio: 'inherit' });
  sigwait('SIGUSR2'); // it is there
  sampleBlocking(TURNS, () => {
    for (let i = 0; i < TURNS; i++) {
      kill(child.pid, 'SIGUSR2');
      sigwait('SIGUSR2');
    }
  });
  kill(child.pid, 'SIGTERM');
});
