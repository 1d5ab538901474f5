// The group "treesum": hash every file below a directory, on userthreads, against the same with fs.promises.
//
// All subjects print the same lines (tools/bench/subjects/treesum says which); the runner refuses to compare them otherwise. They run twice
// over: measured inside the process, where starting up does not count, and from spawn to exit, where it does.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FILES, makeTree, SEED } from '../tree.mjs';

const SUBJECTS = 'tools/bench/subjects/treesum';
const EXAMPLE = 'apps/examples/treesum/treesum.ts';
const CONCURRENCIES = [1, 16, 128];

const inside = (file, ...args) => ({
  command: ({ tree }) => [`${SUBJECTS}/${file}.mjs`, tree, ...args],
});
const whole = (file, ...args) => ({
  command: ({ tree }) => [`${SUBJECTS}/${file}.mjs`, tree, ...args, '--print'],
  wholeProcess: true,
});

const peers = CONCURRENCIES.map((n) => `fs.promises, ${n} at once`);
const peersWhole = peers.map((name) => `${name}, process`);

/** The row without starting up; the group core has it, too. */
export const insideTheProcess = {
  subjects: {
    userthreads: inside('userthreads'),
    ...Object.fromEntries(peers.map((name, i) => [name, inside('promises', String(CONCURRENCIES[i]))])),
  },
  row: { what: 'treesum, inside the process', ours: 'userthreads', peers, expected: { faster: 3 } },
};

export const group = {
  name: 'treesum',
  what: `${FILES} files of 200 to 8,000 bytes in the page cache, seed ${SEED}`,
  needs: ['packages/core/dist/index.js', 'packages/syscalls/dist/index.js'],

  prepare(scratch) {
    const tree = join(scratch, 'tree');
    if (!existsSync(tree)) makeTree(tree); // two groups use it
    return { tree };
  },

  subjects: {
    ...insideTheProcess.subjects,
    'userthreads, process': whole('userthreads'),
    ...Object.fromEntries(peersWhole.map((name, i) => [name, whole('promises', String(CONCURRENCIES[i]))])),
  },
  rows: [
    insideTheProcess.row,
    { what: 'treesum, from spawn to exit', ours: 'userthreads, process', peers: peersWhole },
  ],
};

// The example is the program as one would write it. It goes through the command, which compiles TypeScript first, so it is a row for scale.
if (existsSync(join(import.meta.dirname, '..', '..', '..', EXAMPLE))) {
  group.subjects['apps/examples/treesum'] = {
    command: ({ tree }) => ['apps/lwkt/dist/cli.js', 'run', EXAMPLE, tree],
    wholeProcess: true,
  };
  group.rows.push({
    what: 'lwkt run treesum.ts, spawn to exit',
    ours: 'apps/examples/treesum',
    peers: peersWhole,
  });
}
