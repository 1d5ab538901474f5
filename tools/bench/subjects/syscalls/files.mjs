// 5,000 small files, all in the page cache: each is opened, asked for its size, read and closed, or only asked for (statx). Nanoseconds for one file.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES } from '../../groups/syscalls.mjs';
import { sampleAsync, sampleBlocking } from '../../sample.mjs';

const [scratch, what, way, count = '1'] = process.argv.slice(2);
const paths = Array.from({ length: FILES }, (_, i) => join(scratch, 'small', `f${i}`));

async function throughSys() {
  const { run } = await import('@libcr/core');
  const { constants: c, sys } = await import('@libcr/syscalls');
  const one = {
    read: (path) => {
      const fd = sys.open(path, c.O_RDONLY | c.O_CLOEXEC);
      const data = Buffer.allocUnsafe(Number(sys.fstat(fd).size));
      if (sys.read(fd, data) !== data.length) throw new Error(`${path} is short`);
      sys.close(fd);
    },
    stat: (path) => sys.statx(c.AT_FDCWD, path, 0, c.STATX_BASIC_STATS),
  }[what];
  await run(() =>
    sampleBlocking(FILES, () => {
      for (const path of paths) one(path);
    }),
  );
}

async function throughPromises() {
  const one = { read: (path) => readFile(path), stat: (path) => stat(path) }[what];
  await sampleAsync(FILES, async () => {
    let next = 0;
    const worker = async () => {
      while (next < FILES) await one(paths[next++]);
    };
    await Promise.all(Array.from({ length: Number(count) }, worker));
  });
}

await (way === 'sys' ? throughSys() : throughPromises());
