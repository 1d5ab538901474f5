// Living with Node: its listeners, child processes, the inspector, the profiler, kernel threads. See conformance.test.ts.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Session } from 'node:inspector';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { create, sleep, wait } from '@libcr/core';
import { kill, SigSet, sigaction, signals, sigpending, sigprocmask, sigwait } from '@libcr/signals';
import {
  assert,
  byKernel,
  conform,
  fromOutside,
  kernelSet,
  noted,
  started,
  throwsCode,
  until,
} from './cases.mjs';

const tasks = () => readdirSync('/proc/self/task').map((tid) => `/proc/self/task/${tid}`);
const listener = (signal) => {
  const heard = [];
  process.on(signal, (name) => heard.push(name));
  return heard;
};

await conform({
  'a process.on listener and a handler both get a signal, whoever was first': () => {
    const before = listener('SIGUSR2');
    const [infos, other] = [noted('SIGUSR2'), noted('SIGHUP')];
    const after = listener('SIGHUP');
    for (let n = 1; n <= 3; n++) {
      fromOutside('SIGUSR2', 'SIGHUP');
      until(() => [before, infos, other, after].every(({ length }) => length === n));
    }
    kill(process.pid, 'SIGUSR2');
    until(() => before.length === 4 && infos.length === 4);
  },

  'a listener that goes leaves the handler, and the other way round': () => {
    const infos = noted('SIGUSR2');
    const heard = [];
    const hear = () => heard.push(1);
    process.on('SIGUSR2', hear);
    fromOutside('SIGUSR2');
    until(() => infos.length === 1 && heard.length === 1);
    process.off('SIGUSR2', hear);
    fromOutside('SIGUSR2');
    until(() => infos.length === 2);
    process.on('SIGUSR2', hear);
    sigaction('SIGUSR2', 'default');
    fromOutside('SIGUSR2');
    until(() => heard.length === 2);
    sigaction('SIGUSR2', 'ignore');
    fromOutside('SIGUSR2');
    until(() => heard.length === 3);
    assert.equal(infos.length, 2);
  },

  'a listener hears what sigwait takes, and what signals() gets': () => {
    const heard = listener('SIGUSR2');
    const td = started(() => sigwait('SIGUSR2'));
    fromOutside('SIGUSR2');
    td.join();
    until(() => heard.length === 1);
    const iterator = signals('SIGUSR2');
    fromOutside('SIGUSR2');
    wait(iterator.next());
    until(() => heard.length === 2);
  },

  'a mask is of userthreads: a listener hears what they block, and then it does not end the process': () => {
    sigprocmask('block', 'SIGTERM');
    const heard = listener('SIGTERM');
    fromOutside('SIGTERM');
    until(() => heard.length === 1);
    sigprocmask('unblock', 'SIGTERM');
    sleep(5);
  },

  'child_process hears of the ends of its children, whatever is done with SIGCHLD': () => {
    const infos = noted('SIGCHLD');
    const first = fromOutside();
    until(() => infos.length > 0);
    assert.equal(infos[0].pid, first);
    sigaction('SIGCHLD', 'ignore');
    fromOutside();
    sigaction('SIGCHLD', 'default');
    fromOutside();
    sigprocmask('block', 'SIGCHLD');
    fromOutside();
  },

  'children begin with an empty mask and the default actions': () => {
    sigaction('SIGUSR1', () => {});
    sigaction('SIGTERM', 'ignore');
    sigaction('SIGRTMIN+4', 'ignore');
    sigaction('SIGRTMIN+5', () => {});
    sigprocmask('block', ['SIGINT', 'SIGHUP', 'SIGRTMIN+6']);
    const script = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status";
    const status = execFileSync('/bin/grep', ['-E', '^Sig(Blk|Ign)', '/proc/self/status'], {
      encoding: 'utf8',
    });
    assert.deepEqual(status.match(/\w+$/gm), ['0000000000000000', '0000000000000000']);
    const child = spawn('/bin/sh', ['-c', script]);
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    wait(once(child, 'close'));
    assert.deepEqual(text.match(/\w+$/gm).slice(0, 2), ['0000000000000000', '0000000000000000']);
  },

  'every kernel thread blocks what is managed, those that are made later too, and no longer than it is':
    () => {
      wait(promisify(pbkdf2)('a', 'b', 1, 1, 'sha1')); // libuv's pool is there
      const blocking = () =>
        tasks().every((task) => [10, 34].every((signo) => kernelSet('SigBlk', task).includes(signo)));
      const free = () => tasks().some((task) => !kernelSet('SigBlk', task).includes(10));
      assert.ok(free());
      sigaction('SIGUSR1', () => {});
      sigaction('SIGRTMIN', () => {});
      assert.ok(blocking());
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      wait(once(worker, 'online'));
      assert.ok(blocking());
      sigaction('SIGUSR1', 'default');
      sigaction('SIGRTMIN', 'default');
      assert.ok(free());
      assert.equal(kernelSet('SigBlk').length, 0);
      assert.equal(kernelSet('SigCgt').includes(64), false, 'what was borrowed is given back');
      wait(worker.terminate());
    },

  'so it is where several become managed one right after the other': () => {
    wait(promisify(pbkdf2)('a', 'b', 1, 1, 'sha1'));
    const signals = Array.from({ length: 16 }, (_, n) => 35 + n);
    for (let round = 0; round < 5; round++) {
      for (const signal of signals) sigaction(signal, () => {});
      for (const task of tasks()) {
        const blocked = kernelSet('SigBlk', task);
        assert.ok(
          signals.every((signal) => blocked.includes(signal)),
          `${task}: ${blocked}`,
        );
      }
      for (const signal of signals) sigaction(signal, 'default');
      for (const task of tasks()) {
        const blocked = kernelSet('SigBlk', task);
        if (!blocked.includes(15))
          assert.ok(!signals.some((signal) => blocked.includes(signal)), `${task}: ${blocked}`);
      }
    }
  },

  'the profiler works, and SIGPROF is refused': () => {
    sigaction('SIGUSR1', () => {});
    const session = new Session();
    session.connect();
    const post = (method) =>
      wait(
        new Promise((resolve, reject) =>
          session.post(method, (error, result) => (error ? reject(error) : resolve(result))),
        ),
      );
    post('Profiler.enable');
    for (let samples = 0; samples < 5; ) {
      post('Profiler.start');
      const end = performance.now() + 50;
      while (performance.now() < end);
      samples += post('Profiler.stop').profile.samples.length;
    }
    throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => sigaction('SIGPROF', () => {}));
  },

  'SIGUSR1 is the handler\u2019s: the inspector is not started': () => {
    const infos = noted('SIGUSR1');
    fromOutside('SIGUSR1');
    until(() => infos.length === 1);
    sleep(20); // it would say so
  },

  'WebAssembly\u2019s faults are V8\u2019s, whatever has a handler': () => {
    const infos = noted('SIGSEGV');
    // (module (memory 1) (func (export "f") (drop (i32.load (i32.const 0x7fffffff)))))
    const bytes = [
      0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0, 10,
      14, 1, 12, 0, 65, 255, 255, 255, 255, 7, 40, 2, 0, 26, 11,
    ];
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
    assert.throws(() => exports.f(), WebAssembly.RuntimeError);
    assert.equal(infos.length, 0);
  },

  'all signals at once are blocked in each kernel thread, too, and then no longer': () => {
    const set = new SigSet(['SIGUSR1', 'SIGCHLD', 'SIGTERM', 'SIGRTMIN', 'SIGRTMAX']);
    const some = [10, 15, 17, 34, 64];
    const blocking = () => tasks().filter((task) => kernelSet('SigBlk', task).includes(15)).length;
    const before = blocking();
    const subscription = signals(set);
    sigprocmask(
      'block',
      Array.from({ length: 30 }, (_, i) => 35 + i),
    );
    assert.ok(tasks().every((task) => some.every((signo) => kernelSet('SigBlk', task).includes(signo))));
    subscription.close();
    assert.ok(blocking() <= before + 1, 'but for the thread that is made for SIGCHLD');
    sigprocmask('block', SigSet.all());
    assert.ok(tasks().every((task) => some.every((signo) => kernelSet('SigBlk', task).includes(signo))));
  },

  'spawnSync ends when its child does, whatever SIGCHLD is for': () => {
    const { pid: first } = spawnSync('/bin/true');
    const infos = noted('SIGCHLD');
    for (let i = 0; i < 3; i++) {
      assert.equal(spawnSync('/bin/sh', ['-c', 'exit 3']).status, 3);
      assert.equal(execFileSync('/bin/echo', ['mine']).toString(), 'mine\n');
    }
    until(() => infos.length > 0);
    assert.ok(infos.every(({ code, pid }) => code === 1 && pid > 0 && pid !== first));
  },

  'nor whatever blocks SIGCHLD; and it is pending then': () => {
    sigprocmask('block', SigSet.all());
    const { pid } = spawnSync('/bin/true');
    assert.ok(sigpending().has('SIGCHLD'));
    assert.equal(sigwait('SIGCHLD', { timeout: 0 }).pid, pid);
    assert.ok(!sigpending().has('SIGCHLD'));
    sigaction('SIGCHLD', 'default');
    assert.equal(spawnSync('/bin/sh', ['-c', 'exit 4']).status, 4);
  },

  'a child of a Worker ends for it while the event loop of the main thread does not turn': () => {
    sigaction('SIGCHLD', () => {});
    const code = `
      const { spawn } = require('node:child_process');
      const words = require('node:worker_threads').workerData;
      spawn('/bin/true').on('exit', () => {
        Atomics.store(words, 0, 1);
        Atomics.notify(words, 0);
      });`;
    const words = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(code, { eval: true, workerData: words });
    wait(once(worker, 'online'));
    assert.notEqual(Atomics.wait(words, 0, 0, 60_000), 'timed-out');
    wait(once(worker, 'exit'));
  },

  'a signal that comes while the event loop does not turn is not lost': () => {
    const infos = noted('SIGUSR2');
    execFileSync('/bin/sh', ['-c', `kill -USR2 ${process.pid}`]);
    assert.equal(infos.length, 0);
    until(() => infos.length === 1);
  },

  'a program that is stopped goes on': () => {
    const infos = noted('SIGCONT');
    const child = spawn('/bin/sh', ['-c', `kill -STOP ${process.pid}; sleep 0.1; kill -CONT ${process.pid}`]);
    wait(once(child, 'exit'));
    until(() => infos.length === 1);
    sigaction('SIGTSTP', () => {});
    byKernel('SIGTSTP');
    create(() => sleep(1)).join();
  },
});
