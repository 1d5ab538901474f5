// tmpfs.mjs: random sequences of operations on memfs and on a real tmpfs, which must answer the same and end as the same trees.
//
// tmpfs.mjs DIRECTORY SEED SEQUENCES LENGTH [UID]: DIRECTORY lies on a tmpfs. What differs is made as short as it still differs, and printed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { create, run } from '@libcr/core';
import { sys } from '@libcr/syscalls';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { World } from './apply.mjs';
import { kinds, makeOperations } from './operations.mjs';
import { generator } from './random.mjs';

const [directory, seed, sequences, length, uid] = process.argv.slice(2);
if (uid !== undefined) {
  process.setgroups([]);
  process.setgid(Number(uid));
  process.setuid(Number(uid));
}

// Deep enough that no ".." of the operations comes out of it.
const DEEP = ['0', '1', '2', '3', '4', '5', '6', '7'];

/** Which inode of one is which of the other. */
class Inodes {
  one = new Map();
  other = new Map();

  same(a, b) {
    if (!this.one.has(a) && !this.other.has(b)) {
      this.one.set(a, b);
      this.other.set(b, a);
    }
    return this.one.get(a) === b && this.other.get(b) === a;
  }
}

function differ(a, b, inodes) {
  if (a?.ino !== undefined && b?.ino !== undefined)
    return !inodes.same(a.ino, b.ino) || !isDeepStrictEqual(a.plain, b.plain);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length !== b.length || a.some((value, i) => differ(value, b[i], inodes));
  return !isDeepStrictEqual(a, b);
}

const shown = (value) => {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) ?? 'undefined';
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
};

/** undefined, or what is different. */
function compare(operations) {
  const root = mkdtempSync(`${directory}/libcr-memfs-`);
  const mount = `/memfs${'-'.repeat(root.length - 6)}`; // as long: targets of links have a length, too
  const tree = memfs({ [mount]: {} });
  try {
    return create(
      () => {
        const worlds = [new World(mount), new World(root)];
        for (const world of worlds)
          for (const name of DEEP) {
            world.base += `/${name}`;
            sys.mkdir(world.base);
          }
        const inodes = new Inodes();
        try {
          for (const [i, operation] of operations.entries()) {
            const [ours, theirs] = worlds.map((world) => world.apply(operation));
            if (ours.code !== theirs.code || differ(ours.value, theirs.value, inodes))
              return `operation ${i}, ${shown(operation)}:\n  memfs ${shown(ours)}\n  tmpfs ${shown(theirs)}`;
          }
          const [ours, theirs] = worlds.map((world) => world.tree());
          if (differ(ours, theirs, inodes)) {
            const at = ours.findIndex((entry, i) => differ(entry, theirs[i], inodes));
            return `the trees:\n  memfs ${shown(ours[at] ?? ours.length)}\n  tmpfs ${shown(theirs[at] ?? theirs.length)}`;
          }
        } finally {
          for (const world of worlds) world.end();
        }
        const { descriptors } = tree.usage();
        return descriptors === 0 ? undefined : `${descriptors} descriptors are left`;
      },
      { syscallPort: sys.with(tree) },
    ).join();
  } finally {
    remove(root);
  }
}

/** Also what has no permissions any more. */
function remove(root) {
  if (uid !== undefined) execFileSync('chmod', ['-R', 'u+rwx', root]);
  rmSync(root, { recursive: true, force: true });
}

/** Leaves out what isn't needed for the difference. */
function shortest(operations) {
  let left = operations;
  for (let step = left.length >> 1; step > 0; step = step > 1 ? step >> 1 : 0)
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + step)];
      if (compare(without) !== undefined) left = without;
      else at += step;
    }
  return left;
}

await run(() => {
  console.log(`${kinds.length} kinds of operations`);
  const counts = {};
  for (let i = 0; i < Number(sequences); i++) {
    const operations = makeOperations(generator(Number(seed) + i), Number(length));
    for (const [name] of operations) counts[name] = (counts[name] ?? 0) + 1;
    if (compare(operations) === undefined) continue;
    const few = shortest(operations);
    console.log(
      `LIBCR_SEED=${Number(seed) + i}: ${compare(few)}\nafter\n${few.map((o) => `  ${shown(o)}`).join('\n')}`,
    );
    process.exitCode = 1;
    return;
  }
  console.log(`the same: ${sequences} sequences of ${length}`);
});
