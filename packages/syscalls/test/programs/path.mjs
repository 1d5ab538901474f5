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
  sys.nanosleep(1);
  const fd = sys.open('/tmp', c.O_TMPFILE | c.O_RDWR);
  sys.fsync(fd);
  for (const each of [r, w, fd]) sys.close(each);
  console.log(`${path().name} ${buffer} ${path().why}`);
});
if (process.argv[2] === 'descriptors') console.log(readdirSync('/proc/self/fd').length > 0);
