// Threads in every kind of wait, and then the end that the argument names.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, run, sleep } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';

const how = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'libcr-waiting-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);
const [r, w] = sys.pipe2();
const epfd = sys.epoll_create1();
const waits =
  how === 'stay'
    ? [() => sys.read(r, Buffer.alloc(1))]
    : [
        () => sys.read(r, Buffer.alloc(1)),
        () => sys.write(w, Buffer.alloc(1_000_000)),
        () => sys.nanosleep(1e8),
        () => sys.poll([{ fd: r, events: c.POLLPRI }]),
        () => sys.epoll_wait(epfd, 1),
        ...Array.from({ length: 6 }, () => () => sys.open(fifo)),
      ];
const threads = waits.map((wait) => create(wait));
for (const td of threads) td.finished.catch(() => {});
await run(() => sleep(20));
console.log('waiting');
switch (how) {
  case 'exit':
    process.exit(3);
    break;
  case 'exit-on-userthread':
    create(() => process.exit(4));
    break;
  case 'throw':
    setTimeout(() => {
      throw new Error('on the loop');
    }, 1);
    break;
  case 'sigterm':
    rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, 'SIGTERM');
    break;
  case 'abort':
    for (const td of threads) td.abort();
    break;
  case 'stay':
    setTimeout(() => {
      console.log('still here');
      sys.write(w, 'x');
    }, 100).unref();
    break;
}
