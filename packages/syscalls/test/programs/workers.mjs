// Workers that make system calls: to their end, or terminated in the middle.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create, run, sleep } from '@libcr/core';
import { constants as c, defineShim, sys, syscallPort } from '@libcr/syscalls';

if (isMainThread) {
  const how = process.argv[2];
  const folder = mkdtempSync(join(tmpdir(), 'libcr-workers-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const rounds = how === 'run' ? 1 : 5;
  let ok = 0;
  for (let round = 0; round < rounds; round++) {
    const count = how === 'run' ? 8 : 4;
    const workers = Array.from(
      { length: count },
      (_, i) => new Worker(new URL(import.meta.url), { workerData: { how, folder, fifo, i } }),
    );
    await Promise.all(
      workers.map(async (worker) => {
        const exited = once(worker, 'exit'); // which may follow the message at once
        const [message] = await once(worker, 'message');
        if (how === 'terminate') await worker.terminate();
        await exited;
        if (message === 'fine') ok++;
        else console.log(message);
      }),
    );
  }
  console.log(`ok ${ok}`);
  rmSync(folder, { recursive: true, force: true });
} else {
  const { how, folder, fifo, i } = workerData;
  const result = await run(() => {
    let seen = 0;
    syscallPort.shim(
      defineShim({
        name: 'count',
        on: ['write'],
        shim: (next) => (msg) => {
          seen++;
          return next(msg);
        },
      }),
    );
    const fd = sys.open(join(folder, `file-${i}`), c.O_CREAT | c.O_RDWR);
    const data = Buffer.alloc(200_000, i + 65);
    sys.write(fd, data);
    sys.fsync(fd);
    const back = Buffer.alloc(data.length);
    sys.pread64(fd, back, back.length, 0);
    sys.close(fd);
    const [r, w] = sys.pipe2();
    const td = create(() => sys.read(r, Buffer.alloc(10)));
    sleep(1);
    sys.write(w, 'x');
    const fine = td.join() === 1 && back.equals(data) && seen === 2;
    sys.close(r);
    sys.close(w);
    return fine ? 'fine' : 'wrong';
  });
  if (how === 'terminate') {
    const [r] = sys.pipe2();
    create(() => sys.read(r, Buffer.alloc(1)));
    create(() => sys.nanosleep(1e8));
    create(() => sys.open(fifo));
    await run(() => sleep(1));
  }
  parentPort.postMessage(result);
}
