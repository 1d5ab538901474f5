// What runs out, and what works again afterwards: limits.mjs CASE. See limits.test.ts.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';

const codeOf = (fn) => {
  try {
    return fn() ?? 'done';
  } catch (error) {
    return `${error.message}${error.bytesTransferred === undefined ? '' : ` after ${error.bytesTransferred}`}`;
  }
};

const PAGE = 4096;

const cases = {
  /** A tmpfs of 16 pages: small writes, one large write, and writes of several threads, until it is full. */
  disk() {
    const folder = mkdtempSync(join(tmpdir(), 'libcr-limits-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${16 * PAGE}`, 'none', folder]);
    try {
      const flags = c.O_CREAT | c.O_WRONLY | c.O_CLOEXEC;
      const fd = sys.open(join(folder, 'one'), flags);
      let pages = 0;
      const fill = () => {
        for (;;) pages += sys.write(fd, Buffer.alloc(PAGE)) / PAGE;
      };
      const full = codeOf(fill);
      sys.ftruncate(fd, 0);
      sys.lseek(fd, 0);
      const large = codeOf(() => sys.write(fd, Buffer.alloc(200 * PAGE)) / PAGE); // what fits
      sys.ftruncate(fd, 0);
      const fds = [1, 2, 3].map((i) => sys.open(join(folder, `thread-${i}`), flags));
      const threads = fds.map((each) =>
        create(() =>
          codeOf(() => {
            for (;;) sys.write(each, Buffer.alloc(PAGE));
          }),
        ),
      );
      const several = threads.map((td) => td.join());
      const used = fds.reduce((sum, each) => sum + sys.fstat(each).size, 0) / PAGE;
      for (const each of fds) sys.ftruncate(each, 0);
      sys.lseek(fd, 0);
      const again = sys.write(fd, Buffer.alloc(PAGE));
      for (const each of [fd, ...fds]) sys.close(each);
      return { pages, full, large, several, used, again };
    } finally {
      execFileSync('umount', [folder]);
      rmdirSync(folder);
    }
  },

  /** No descriptor is left: for files, sockets and pipes; then there are again. */
  descriptors() {
    const before = sys.prlimit64(0, c.RLIMIT_NOFILE);
    const fds = [];
    sys.prlimit64(0, c.RLIMIT_NOFILE, { soft: 200, hard: before.hard });
    const full = codeOf(() => {
      for (;;) fds.push(sys.open('/dev/null', c.O_CLOEXEC));
    });
    const others = [
      codeOf(() => sys.pipe2(c.O_CLOEXEC)),
      codeOf(() => sys.socket(c.AF_INET, c.SOCK_STREAM)),
      codeOf(() => sys.dup(0)),
      create(() => codeOf(() => sys.epoll_create1())).join(),
    ];
    // What needs none goes on: a sleep, a read, a call on a helper thread.
    sys.nanosleep(1);
    const read = sys.read(fds[0], Buffer.alloc(1));
    const sync = codeOf(() => sys.fsync(0));
    for (const fd of fds) sys.close(fd);
    const [r, w] = sys.pipe2(c.O_CLOEXEC);
    const td = create(() => sys.read(r, Buffer.alloc(1)));
    sys.write(w, 'x');
    const again = td.join();
    return { full, others, read, again, synced: sync !== undefined };
  },
};

console.log(JSON.stringify(await run(cases[process.argv[2]])));
