// treesum on userthreads: userthreads.mjs DIRECTORY [--print|--once]
//
// The same two steps as promises.mjs: the directories, then the files, THREADS userthreads at a time, each in plain blocking style.
import { create, run } from '@libcr/core';
import { constants, sys } from '@libcr/syscalls';
import { line } from './line.mjs';
import { measure } from './measure.mjs';

const THREADS = 16;
const { DT_DIR, DT_REG, O_DIRECTORY, O_RDONLY } = constants;
const directory = process.argv[2];

/** Calls each(item) for all items on THREADS userthreads. */
// tour: begin
function inParallel(items, each) {
  let next = 0;
  const worker = () => {
    while (next < items.length) each(items[next++]);
  };
  const threads = Array.from({ length: Math.min(THREADS, items.length) }, () => create(worker));
  for (const td of threads) td.join();
}
// tour: end

function walk() {
  const files = [];
  for (let level = [directory], below; level.length > 0; level = below) {
    below = [];
    inParallel(level, (path) => {
      const fd = sys.open(path, O_RDONLY | O_DIRECTORY);
      try {
        for (let entries = sys.getdents64(fd); entries.length > 0; entries = sys.getdents64(fd))
          for (const { name, type } of entries) {
            if (name === '.' || name === '..') continue;
            if (type === DT_DIR) below.push(`${path}/${name}`);
            else if (type === DT_REG) files.push(`${path}/${name}`);
          }
      } finally {
        sys.close(fd);
      }
    });
  }
  return files;
}

/** The whole file: as large as fstat says, and then until read() says that there is no more. */
function readFile(path) {
  const fd = sys.open(path, O_RDONLY);
  try {
    let buffer = Buffer.allocUnsafe(sys.fstat(fd).size + 1);
    let length = 0;
    for (;;) {
      const n = sys.read(fd, length === 0 ? buffer : buffer.subarray(length));
      if (n === 0) return buffer.subarray(0, length);
      length += n;
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
    }
  } finally {
    sys.close(fd);
  }
}

function treesum() {
  const lines = [];
  inParallel(walk(), (path) => lines.push(line(path, readFile(path))));
  return lines.sort();
}

await measure(() => run(treesum));
