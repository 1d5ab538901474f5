// A process' own lock on a file, and calls on that file which are made elsewhere. Prints what somebody else would meet at the file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';

const folder = mkdtempSync(join(tmpdir(), 'libcr-locks-'));
const path = join(folder, 'file');

await run(() => {
  const [mine, other] = [0, 1].map(() => sys.open(path, c.O_RDWR | c.O_CREAT));
  const lock = Buffer.alloc(32);
  const met = () => {
    lock.fill(0);
    lock.writeInt16LE(c.F_WRLCK, 0);
    sys.fcntl(other, c.F_OFD_GETLK, lock);
    return lock.readInt16LE(0) === c.F_UNLCK ? 'none' : 'a lock';
  };
  const seen = [met()];
  lock.writeInt16LE(c.F_WRLCK, 0);
  sys.fcntl(mine, c.F_SETLK, lock);
  seen.push(met());
  sys.fsync(mine);
  sys.fsync(other);
  sys.pwrite64(mine, Buffer.alloc(1 << 20), 1 << 20, 0);
  seen.push(met());
  sys.close(mine); // which ends it
  seen.push(met());
  sys.fsync(other);
  console.log(seen.join(', '));
});
rmSync(folder, { recursive: true });
