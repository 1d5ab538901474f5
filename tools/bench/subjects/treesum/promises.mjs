// treesum with fs.promises: promises.mjs DIRECTORY CONCURRENCY [--print|--once]
//
// Directories are read level by level, then the files; both with the same number of operations under way.
import { readdir, readFile } from 'node:fs/promises';
import { line } from './line.mjs';
import { measure } from './measure.mjs';

const [directory, concurrency] = process.argv.slice(2);

/** Calls each(item) for all items, `concurrency` of them at a time. */
async function inParallel(items, each) {
  let next = 0;
  async function worker() {
    while (next < items.length) await each(items[next++]);
  }
  await Promise.all(Array.from({ length: Math.min(Number(concurrency), items.length) }, worker));
}

async function walk() {
  const files = [];
  for (let level = [directory], below; level.length > 0; level = below) {
    below = [];
    await inParallel(level, async (path) => {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        const child = `${path}/${entry.name}`;
        if (entry.isDirectory()) below.push(child);
        else if (entry.isFile()) files.push(child);
      }
    });
  }
  return files;
}

await measure(async () => {
  const lines = [];
  await inParallel(await walk(), async (path) => {
    lines.push(line(path, await readFile(path)));
  });
  return lines.sort();
});
