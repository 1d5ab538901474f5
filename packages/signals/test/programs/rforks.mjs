// Signals and several rforks: a handler runs on the one that has set it. See conformance.test.ts.
import { Worker } from 'node:worker_threads';
import { Msg, Rfork, sleep, wait } from '@libcr/core';
import { abortOn, kill, sigaction, signals, sigprocmask, sigqueue } from '@libcr/signals';
import { assert, byKernel, conform, fromOutside, kernelSet, noted, started, until } from './cases.mjs';

const child = new URL('rforks-child.mjs', import.meta.url);
const start = () => new Rfork(child, { name: 'other' });
const ask = (rfork, cmd, data = {}) => rfork.port.domsg(new Msg({ cmd, ...data }));

await conform({
  'a handler runs on the rfork that has set it, whoever reads the signal': () => {
    const rfork = start();
    ask(rfork, 'handle', { signal: 'SIGUSR1' });
    assert.equal(sigaction('SIGUSR1').handler, 'elsewhere');
    sigprocmask('block', 'SIGUSR1'); // this one reads it, too
    const pid = fromOutside('SIGUSR1');
    until(() => ask(rfork, 'got').length === 1);
    kill(process.pid, 'SIGUSR1');
    until(() => ask(rfork, 'got').length === 2);
    assert.deepEqual(
      ask(rfork, 'got').map((info) => info.pid),
      [pid, process.pid],
    );
    wait(rfork.terminate());
  },

  'the last to set an action has it': () => {
    const rfork = start();
    const infos = noted('SIGUSR1');
    ask(rfork, 'handle', { signal: 'SIGUSR1' });
    fromOutside('SIGUSR1');
    until(() => ask(rfork, 'got').length === 1);
    assert.equal(infos.length, 0);
    noted('SIGUSR2');
    const here = noted('SIGUSR1');
    fromOutside('SIGUSR1');
    until(() => here.length === 1);
    assert.equal(ask(rfork, 'got').length, 1);
    wait(rfork.terminate());
  },

  'an rfork that ends takes its handlers along': () => {
    const rfork = start();
    ask(rfork, 'handle', { signal: 'SIGURG' });
    ask(rfork, 'handle', { signal: 'SIGUSR1' });
    assert.ok(kernelSet('SigBlk').includes(23));
    wait(rfork.terminate());
    assert.equal(sigaction('SIGURG').handler, 'default');
    assert.deepEqual(kernelSet('SigBlk'), []);
    byKernel('SIGURG');
    const infos = noted('SIGUSR1');
    fromOutside('SIGUSR1');
    until(() => infos.length === 1);
  },

  'sigwait on another rfork takes what is pending here': () => {
    const rfork = start();
    noted('SIGRTMIN');
    sigprocmask('block', 'SIGRTMIN');
    for (let i = 0; i < 3; i++) sigqueue(process.pid, 'SIGRTMIN', i);
    const values = [0, 1, 2].map(() => ask(rfork, 'wait', { signal: 'SIGRTMIN' }).value);
    assert.deepEqual(values, [0, 1, 2]);
    wait(rfork.terminate());
  },

  'sigwait on another rfork is before a handler here': () => {
    const rfork = start();
    const infos = noted('SIGUSR1');
    const waiting = started(() => ask(rfork, 'wait', { signal: 'SIGUSR1' }));
    until(() => ask(rfork, 'waiting') === 1);
    const pid = fromOutside('SIGUSR1');
    assert.equal(waiting.join().pid, pid);
    assert.equal(infos.length, 0);
    wait(rfork.terminate());
  },

  'who wants all of a signal gets it, on every rfork': () => {
    const rfork = start();
    ask(rfork, 'subscribe', { signal: 'SIGUSR1' });
    const [iterator, abort] = [signals('SIGUSR1'), abortOn('SIGUSR1')];
    fromOutside('SIGUSR1');
    assert.equal(wait(iterator.next()).value.signal, 'SIGUSR1');
    until(() => ask(rfork, 'got').length === 1 && abort.aborted);
    iterator.close();
    fromOutside('SIGUSR1');
    until(() => ask(rfork, 'got').length === 2);
    wait(rfork.terminate());
  },

  'each rfork has masks of its own userthreads': () => {
    const rfork = start();
    ask(rfork, 'handle', { signal: 'SIGUSR1' });
    ask(rfork, 'block', { signal: 'SIGUSR1' });
    fromOutside('SIGUSR1');
    sleep(5);
    assert.equal(ask(rfork, 'got').length, 0);
    ask(rfork, 'unblock', { signal: 'SIGUSR1' });
    until(() => ask(rfork, 'got').length === 1);
    wait(rfork.terminate());
  },

  'rforks that come and go while signals come, with handlers that change hands': () => {
    const infos = noted('SIGRTMIN+1');
    let sent = 0;
    let got = 0;
    for (let round = 0; round < 6; round++) {
      const rfork = start();
      ask(rfork, 'handle', { signal: 'SIGRTMIN' });
      ask(rfork, 'block', { signal: 'SIGRTMIN+2' });
      for (let i = 0; i < 20; i++) {
        sigqueue(process.pid, 'SIGRTMIN', i);
        sigqueue(process.pid, 'SIGRTMIN+1', sent++);
      }
      until(() => ask(rfork, 'got').length === 20);
      got += 20;
      wait(rfork.terminate());
    }
    until(() => infos.length === sent);
    assert.ok(infos.every(({ value }, i) => value === i));
    assert.equal(got, 120);
  },

  'a plain Worker works as an rfork does': () => {
    const source = `
      import { parentPort } from 'node:worker_threads';
      import { sigaction } from ${JSON.stringify(import.meta.resolve('@libcr/signals'))};
      sigaction('SIGUSR1', (info) => parentPort.postMessage(info), { ref: true });
      parentPort.postMessage('ready');`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    const messages = [];
    worker.on('message', (message) => messages.push(message));
    until(() => messages.length === 1);
    const pid = fromOutside('SIGUSR1');
    until(() => messages.length === 2);
    assert.equal(messages[1].pid, pid);
    wait(worker.terminate());
  },
});
