// Random reads of 4 KiB that have to wait for the device, 64 at once: nanoseconds for one. No page is read twice in a sample, and before each sample
// the file is taken out of the page cache; with O_DIRECT it never gets there.
import { spawnSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DEPTH, RANDOM_PAGES, RANDOM_READS, READ } from '../../groups/syscalls.mjs';
import { median, report } from '../../sample.mjs';

const [scratch, way] = process.argv.slice(2);
const path = join(scratch, 'random');
const SAMPLES = 5;

function drop() {
  if (way === 'sys-direct') return;
  const { status, stderr } = spawnSync(join(scratch, 'drop'), [path]);
  if (status !== 0) throw new Error(String(stderr));
}

/** The pages of a sample: an odd step through a power of two comes to each once. */
const pages = (sample) =>
  Array.from({ length: RANDOM_READS }, (_, i) => ((i * 20_483 + sample * 977) % RANDOM_PAGES) * READ);

async function measure(reading) {
  const figures = [];
  for (let sample = 0; sample <= SAMPLES; sample++) {
    const offsets = pages(sample);
    drop();
    const start = process.hrtime.bigint();
    await reading(offsets);
    if (sample > 0) figures.push(Number(process.hrtime.bigint() - start) / RANDOM_READS);
  }
  report(median(figures));
}

function whole(n) {
  if (n !== READ) throw new Error(`read ${n} of ${READ} bytes`);
}

async function throughSys(flags) {
  const { create, run } = await import('@libcr/core');
  const { constants, sys } = await import('@libcr/syscalls');
  const fd = sys.open(path, constants.O_RDONLY | (flags === 'direct' ? constants.O_DIRECT : 0));
  await measure((offsets) =>
    run(() => {
      let next = 0;
      const readers = Array.from({ length: DEPTH }, () =>
        create(() => {
          const buffer = Buffer.alloc(READ);
          while (next < RANDOM_READS) whole(sys.pread64(fd, buffer, READ, offsets[next++]));
        }),
      );
      for (const reader of readers) reader.join();
    }),
  );
}

async function throughPromises() {
  const handle = await open(path, 'r');
  await measure(async (offsets) => {
    let next = 0;
    const reader = async () => {
      const buffer = Buffer.alloc(READ);
      while (next < RANDOM_READS) whole((await handle.read(buffer, 0, READ, offsets[next++])).bytesRead);
    };
    await Promise.all(Array.from({ length: DEPTH }, reader));
  });
}

await { sys: () => throughSys(), 'sys-direct': () => throughSys('direct'), promises: throughPromises }[way]();
