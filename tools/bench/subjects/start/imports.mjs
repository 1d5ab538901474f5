// What importing the packages costs a process, beyond the import of an empty module: time from spawn to exit, user CPU time, memory at the end. The figures are minima: a start is
// disturbed by whatever else the machine does, and never helped.
//
// Invariant: the four take turns, so that what slows the machine for a while slows all.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROUNDS = 12;
const script = join(import.meta.dirname, 'import.mjs');
const packages = ['@libcr/core', '@libcr/syscalls', '@libcr/syscalls/fs'];
const names = ['empty', 'core', 'syscalls', 'fs'];
const least = names.map(() => ({ time: Infinity, user: Infinity, rss: Infinity }));

for (let round = 0; round <= ROUNDS; round++) {
  names.forEach((_, i) => {
    const begun = process.hrtime.bigint();
    const child = spawnSync(process.execPath, [script, './empty.mjs', ...packages.slice(0, i)], {
      encoding: 'utf8',
    });
    const time = Number(process.hrtime.bigint() - begun);
    if (child.status !== 0) throw new Error(child.stderr);
    if (round === 0) return; // the files are in the page cache from now on
    const { user, rss } = JSON.parse(child.stdout);
    const best = least[i];
    best.time = Math.min(best.time, time);
    best.user = Math.min(best.user, user * 1000);
    best.rss = Math.min(best.rss, rss);
  });
}

const figures = { memory: least[3].rss - least[0].rss };
for (let i = 1; i < names.length; i++) {
  figures[names[i]] = least[i].time - least[i - 1].time;
  figures[`${names[i]}, CPU`] = least[i].user - least[i - 1].user;
}
console.log(JSON.stringify({ figures }));
