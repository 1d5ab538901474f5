// compare.mjs: random sequences of operations on two file systems, which must answer the same and end as the same trees. What differs is made as
// short as it still differs, and printed.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { create, run } from '@libcr/core';
import { generator } from './random.mjs';

// Deep enough that no ".." of the operations comes out of it.
export const DEEP = ['0', '1', '2', '3', '4', '5', '6', '7'];

/** From here on as a user whose permissions count, if there is one. */
export function become(uid) {
  if (uid === undefined) return;
  process.setgroups([]);
  process.setgid(Number(uid));
  process.setuid(Number(uid));
}

/** Removes a directory, also with what has no permissions any more. */
export function remove(root) {
  if (process.getuid() !== 0) execFileSync('chmod', ['-R', 'u+rwx', root]);
  rmSync(root, { recursive: true, force: true });
}

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

/** What is different after the same operations; undefined where nothing is. */
function differenceOf(operations, { names: [our, their], worlds, isBeyond }) {
  const inodes = new Inodes();
  const say = (ours, theirs) => `  ${our} ${shown(ours)}\n  ${their} ${shown(theirs)}`;
  try {
    for (const [i, operation] of operations.entries()) {
      const [ours, theirs] = worlds.map((world) => world.apply(operation));
      if (isBeyond?.(operation, theirs)) return undefined;
      if (ours.code !== theirs.code || differ(ours.value, theirs.value, inodes))
        return `operation ${i}, ${shown(operation)}:\n${say(ours, theirs)}`;
    }
    const [ours, theirs] = worlds.map((world) => world.tree());
    if (!differ(ours, theirs, inodes)) return undefined;
    const at = ours.findIndex((entry, i) => differ(entry, theirs[i], inodes));
    return `the trees:\n${say(ours[at] ?? ours.length, theirs[at] ?? theirs.length)}`;
  } finally {
    for (const world of worlds) world.end();
  }
}

/**
 * Compares sequences of operations. setUp(seed) makes two file systems for one sequence: { syscallPort, begin() → { names, worlds, isBeyond? }, left() → what must not be
 * left afterwards, tearDown() }; begin is called on a userthread of that port. isBeyond says of an
 * operation and the other's answer that from there on the two can't be compared.
 */
export async function compareAll({ seed, sequences, length, kinds, makeOperations, setUp }) {
  const compare = (operations, number) => {
    const pair = setUp(number);
    const both = () => differenceOf(operations, pair.begin()) ?? pair.left?.();
    try {
      return create(both, { syscallPort: pair.syscallPort }).join();
    } finally {
      pair.tearDown();
    }
  };
  const shortest = (operations, number) => {
    let left = operations;
    for (let step = left.length >> 1; step > 0; step = step > 1 ? step >> 1 : 0)
      for (let at = 0; at < left.length; ) {
        const without = [...left.slice(0, at), ...left.slice(at + step)];
        if (compare(without, number) !== undefined) left = without;
        else at += step;
      }
    return left;
  };
  await run(() => {
    console.log(`${kinds.length} kinds of operations`);
    for (let i = 0; i < sequences; i++) {
      const operations = makeOperations(generator(seed + i), length, kinds);
      if (compare(operations, seed + i) === undefined) continue;
      const few = shortest(operations, seed + i);
      const list = few.map((operation) => `  ${shown(operation)}`).join('\n');
      console.log(`LIBCR_SEED=${seed + i}: ${compare(few, seed + i)}\nafter\n${list}`);
      process.exitCode = 1;
      return;
    }
    console.log(`the same: ${sequences} sequences of ${length}`);
  });
}
