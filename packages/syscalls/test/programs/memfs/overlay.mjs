// overlay.mjs: random sequences of operations on an overlay and on the kernel's overlayfs, over lower directories that random operations have made.
//
// overlay.mjs DIRECTORY SEED SEQUENCES LENGTH [UID]: DIRECTORY lies on a tmpfs. It has to be run by root, in a mount namespace of its own.
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { create } from '@libcr/core';
import { sys } from '@libcr/syscalls';
import { overlay } from '@libcr/syscalls/shims/overlay';
import { World } from './apply.mjs';
import { compareAll, DEEP, remove } from './compare.mjs';
import { kinds as allKinds, makeOperations } from './operations.mjs';
import { generator } from './random.mjs';

const [directory, seed, sequences, length] = process.argv.slice(2);
const deep = DEEP.join('/');

/** What a directory's links, size and blocks are, overlayfs leaves to the layers; and how many names a file of a lower one has when it is unlinked. */
class OverlayWorld extends World {
  about(stat) {
    const { ino, mode, nlink, uid, gid, size } = stat;
    const plain = { mode: mode.toString(8), uid, gid };
    return { ino, plain: stat.isDirectory() ? plain : { ...plain, nlink: Math.max(1, nlink), size } };
  }

  /** Overlayfs counts its own attributes, which it does not show. */
  listxattr(path) {
    return super.listxattr(path, 1000);
  }
}

/**
 * Left out: SEEK_DATA and SEEK_HOLE and set-aside pages, which depend on the file system of the layer; locks, which overlayfs keeps where it has
 * opened the file.
 */
const LEFT_OUT = ['fallocate', 'lock', 'flock'];
const kinds = allKinds.filter(([name]) => !LEFT_OUT.includes(name));
const MAKING = [
  'mkdir',
  'open',
  'write',
  'symlink',
  'link',
  'chmod',
  'setxattr',
  'utimensat',
  'chown',
  'rename',
];
const making = kinds.filter(([name]) => MAKING.includes(name));

/** A lower directory. No links by absolute paths in it: they would lead past both overlays. */
function fill(path, number) {
  const world = new World(`${path}/${deep}`);
  for (const operation of makeOperations(generator(number), 60, making))
    if (operation[0] !== 'symlink' || typeof operation[1] === 'string') world.apply(operation);
  world.end();
}

function setUp(number) {
  const root = mkdtempSync(`${directory}/libcr-overlay-`);
  const at = (name) => `${root}/${name}`;
  const layers = number % 2 === 0 ? ['lower'] : ['lower', 'lowest'];
  for (const name of ['upper', 'work', 'theirs', ...layers.map((layer) => `${layer}/${deep}`)])
    mkdirSync(at(name), { recursive: true });
  const mount = `/ours${'-'.repeat(at('theirs').length - 5)}`;
  create(() => {
    for (const [i, layer] of layers.entries()) fill(at(layer), number * 7 + i);
  }).join();
  const lower = layers.map(at).join(':');
  const options = `lowerdir=${lower},upperdir=${at('upper')},workdir=${at('work')},index=on,redirect_dir=on`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, at('theirs')]);
  const before = snapshot(layers.map(at));
  const tree = overlay({ lower: layers.map(at), at: mount });
  return {
    syscallPort: sys.with(tree),
    begin() {
      const worlds = [mount, at('theirs')].map((base) => new OverlayWorld(`${base}/${deep}`));
      return { names: ['overlay', 'kernel '], worlds, isBeyond };
    },
    left() {
      const { descriptors } = tree.usage();
      if (descriptors !== 0) return `${descriptors} descriptors are left`;
      if (snapshot(layers.map(at)) !== before) return 'a lower directory has changed';
      return savedDiffers(tree, mount, at, lower);
    },
    tearDown() {
      execFileSync('umount', ['-l', at('theirs')]);
      remove(root);
    },
  };
}

/** What has been saved, mounted by the kernel over the same lower directories, shows the same. */
function savedDiffers(tree, mount, at, lower) {
  mkdirSync(at('saved'));
  tree.save(at('saved'));
  const options = `lowerdir=${at('saved')}:${lower}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, at('theirs')]);
  try {
    const [ours, theirs] = [mount, at('theirs')].map((base) => {
      const world = new OverlayWorld(`${base}/${deep}`);
      return world.tree().map(([path, { plain }, contents]) => {
        const { nlink: _, ...rest } = plain; // an overlay without an index does not keep names together
        return JSON.stringify([path, rest, contents]).replaceAll(`${mount}/${deep}`, '(base)');
      });
    });
    const i = ours.findIndex((line, nth) => line !== theirs[nth]);
    if (i < 0 && ours.length === theirs.length) return undefined;
    return `what was saved:\n  overlay ${ours[i]}\n  kernel  ${theirs[i] ?? theirs.length}`;
  } finally {
    execFileSync('umount', ['-l', at('theirs')]);
  }
}

/**
 * Overlayfs with an index cannot copy up a file of a lower layer that has no name any more: calls on its descriptor fail with EEXIST, once, and half of the copy is
 * there. So few do that that the sequence ends here.
 */
function isBeyond([name], { code }) {
  return code === 'EEXIST' && /^f|write|procfd/.test(name);
}

/** All that is in the lower directories, but when it was read. */
function snapshot(paths) {
  const list = [];
  const walk = (path) => {
    const { ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs } = lstatSync(path);
    list.push(path, ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs);
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) walk(`${path}/${name}`);
  };
  for (const path of paths) walk(path);
  return list.join();
}

await compareAll({
  seed: Number(seed),
  sequences: Number(sequences),
  length: Number(length),
  kinds,
  makeOperations,
  setUp,
});
