// What helper threads do with calls that never end: see offload.test.ts. The argument names the case.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const folder = mkdtempSync(join(tmpdir(), 'libcr-offload-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

/** Opens of the FIFO for reading come back: it has a writer now. */
const release = () => closeSync(openSync(fifo, 'r+'));
const kernelThreads = () => readdirSync('/proc/self/task').length;

const cases = {
  // A call that comes right after one that will never end must not wait for that one's helper.
  async rightBehind() {
    const { constants: c, sys } = await import('@libcr/syscalls');
    const fd = sys.open(join(folder, 'file'), c.O_CREAT | c.O_RDWR);
    // a helper that has been woken comes to the queue late when every processor is busy
    for (let i = 0; i < 2 * availableParallelism(); i++) {
      const spinner = new Worker('const end = Date.now() + 5000; while (Date.now() < end);', { eval: true });
      await once(spinner, 'online');
      spinner.unref();
    }
    for (let round = 0; round < 50; round++) {
      await sys.promises.fsync(fd); // leaves an idle helper
      const opening = sys.promises.open(fifo);
      const syncing = Promise.all([sys.promises.fsync(fd), sys.promises.fsync(fd)]);
      const late = delay(200_000, 'late', { ref: false });
      if ((await Promise.race([syncing, late])) === 'late') return `no fsync in round ${round}`;
      const releasing = setInterval(release, 2); // the helper may not have come to the open yet
      sys.close(await opening);
      clearInterval(releasing);
    }
    return 'fine';
  },

  // More opens given up than there are helpers, and then a call that needs one.
  async givenUp() {
    const { create, run, sleep } = await import('@libcr/core');
    const { constants: c, sys } = await import('@libcr/syscalls');
    const fd = sys.open(join(folder, 'file'), c.O_CREAT | c.O_RDWR);
    return run(() => {
      const before = readdirSync('/proc/self/fd').length;
      for (let round = 0; round < 3; round++) {
        const openers = Array.from({ length: 100 }, () => create(() => sys.open(fifo)));
        sleep(20);
        for (const td of openers) td.abort();
        for (const td of openers) td.finished.catch(() => {});
        create(() => sys.fsync(fd)).join({ timeout: 200_000 });
      }
      const left = () => readdirSync('/proc/self/fd').length - before;
      for (let i = 0; i < 10_000 && left() > 0; i++) {
        release();
        sleep(10);
      }
      return left() === 0 ? 'fine' : `${left()} descriptors are left`;
    });
  },

  // The library stays where it is when the Worker that loaded it has ended: helpers and a signal handler are in it.
  async onlyInWorker() {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const { create, run, sleep } = require(workerData.core);
       const { sys } = require(workerData.syscalls);
       create(() => sys.open(workerData.fifo));
       run(() => sleep(20)).then(() => parentPort.postMessage('waits'));`,
      {
        eval: true,
        workerData: {
          fifo,
          core: new URL(import.meta.resolve('@libcr/core')).pathname,
          syscalls: new URL(import.meta.resolve('@libcr/syscalls')).pathname,
        },
      },
    );
    await once(worker, 'message');
    await worker.terminate();
    const stuck = kernelThreads();
    for (let i = 0; i < 10_000 && kernelThreads() >= stuck; i++) {
      release(); // again: the helper may not have come to the open yet
      await delay(10);
    }
    // out of bounds of a wasm memory: the process's SIGSEGV handler sees it first
    const code = '0061736d0100000001060160017f017f030201000503010001070501016c00000a0901070020002802000b';
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(code, 'hex')));
    try {
      exports.l(0x7ffffff0);
      return 'no trap';
    } catch (error) {
      return error instanceof WebAssembly.RuntimeError ? 'fine' : error.message;
    }
  },
};

console.log(await cases[process.argv[2]]());
