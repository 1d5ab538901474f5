// Says which way calls go that have to wait, and makes some of them. See ring.test.ts.
import { readdirSync } from 'node:fs';
import { create, run, sleep } from '@libcr/core';
import { constants as c, path, sys } from '@libcr/syscalls';

await run(() => {
  const [r, w] = sys.pipe2();
  const buffer = Buffer.alloc(4);
  const reader = create(() => sys.read(r, buffer));
  sleep(1);
  sys.write(w, 'here');
  reader.join();
  if (String(buffer) !== 'here') throw new Error(`${buffer} is not here`);
  sys.nanosleep(1);
  const fd = sys.open('/tmp', c.O_TMPFILE | c.O_RDWR);
  sys.fsync(fd);
  for (const each of [r, w, fd]) sys.close(each);
  const [a, b] = sys.socketpair(c.AF_UNIX, c.SOCK_STREAM);
  for (const text of ['once', 'more']) {
    const receiver = create(() => sys.read(b, buffer));
    sleep(1);
    sys.write(a, text);
    if (receiver.join() !== 4 || String(buffer) !== text) throw new Error(`${buffer} is not ${text}`);
  }
  for (const each of [a, b]) sys.close(each);
  console.log(`${path().name} here ${path().why}`);
});
if (process.argv[2] === 'descriptors') console.log(readdirSync('/proc/self/fd').length > 0);
