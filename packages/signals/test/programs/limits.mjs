// What the standard says of signals and does not hold for JavaScript: each case shows what happens instead. Why is in ../limits.ts.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { wait } from '@libcr/core';
import { sigaction, sigprocmask, sigwait } from '@libcr/signals';
import { sys } from '@libcr/syscalls';
import { assert, byKernel, conform, kernelSet, noted, settle, started, throwsCode, until } from './cases.mjs';

function compute(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

await conform({
  'a handler interrupts a computation: it runs at the next wait': () => {
    const infos = noted('SIGUSR1');
    byKernel('SIGUSR1');
    compute(20);
    assert.equal(infos.length, 0);
    until(() => infos.length === 1);
  },

  'a thread that waits gets its signal while another one computes: it does when the event loop turns': () => {
    sigprocmask('block', 'SIGUSR1');
    let got = false;
    const td = started(() => {
      sigwait('SIGUSR1');
      got = true;
    });
    byKernel('SIGUSR1');
    compute(20);
    assert.equal(got, false);
    td.join();
  },

  'a fault of the kernel\u2019s has its handler: the process ends': () => {
    const program = `
      import { sigaction } from ${JSON.stringify(import.meta.resolve('@libcr/signals'))};
      sigaction('SIGBUS', () => console.log('caught'));
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      child.kill('SIGBUS');
    });
    const signal = wait(new Promise((resolve) => child.on('close', (_, how) => resolve(how))));
    assert.deepEqual([text, signal], ['ready\n', 'SIGBUS']);
  },

  'every signal but SIGKILL and SIGSTOP may have a handler: SIGPROF may not': () => {
    throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => sigaction('SIGPROF', () => {}));
  },

  'a signal for a kernel thread that is no rfork\u2019s is delivered: it stays pending there': () => {
    const infos = noted('SIGUSR1');
    const tid = readdirSync('/proc/self/task')
      .map(Number)
      .find((each) => each !== process.pid && kernelSet('SigBlk', `/proc/self/task/${each}`).includes(10));
    sys.tgkill(process.pid, tid, 10);
    settle();
    assert.equal(infos.length, 0);
    assert.ok(kernelSet('SigPnd', `/proc/self/task/${tid}`).includes(10));
  },
});
