// tmpfs.mjs: random sequences of operations on memfs and on a real tmpfs.
//
// tmpfs.mjs DIRECTORY SEED SEQUENCES LENGTH [UID]: DIRECTORY lies on a tmpfs.
import { mkdtempSync } from 'node:fs';
import { sys } from '@libcr/syscalls';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { World } from './apply.mjs';
import { become, compareAll, DEEP, remove } from './compare.mjs';
import { kinds, makeOperations } from './operations.mjs';

const [directory, seed, sequences, length, uid] = process.argv.slice(2);
become(uid);

function setUp() {
  const root = mkdtempSync(`${directory}/libcr-memfs-`);
  const mount = `/memfs${'-'.repeat(root.length - 6)}`; // as long: targets of links have a length, too
  const tree = memfs({ [mount]: {} });
  return {
    syscallPort: sys.with(tree),
    begin() {
      const worlds = [new World(mount), new World(root)];
      for (const world of worlds)
        for (const name of DEEP) {
          world.base += `/${name}`;
          sys.mkdir(world.base);
        }
      return { names: ['memfs', 'tmpfs'], worlds };
    },
    left() {
      const { descriptors } = tree.usage();
      return descriptors === 0 ? undefined : `${descriptors} descriptors are left`;
    },
    tearDown: () => remove(root),
  };
}

await compareAll({
  seed: Number(seed),
  sequences: Number(sequences),
  length: Number(length),
  kinds,
  makeOperations,
  setUp,
});
