// How much stack userthreads get that do not say how much. See stack-size.test.ts. As an rfork: the same there.
import { create, Rfork, run } from '@libcr/core';
import { main, overflow, thrownBy } from '../check.mjs';

/** In KiB: how much the running thread has, rounded up to a power of two, by how deep it can recurse compared with one whose size is known. */
function size() {
  const depth = () => overflow().depth;
  depth(); // compiled
  const mine = depth();
  const sizes = [128, 256, 512, 1024, 2048, 4096];
  const known = sizes.map((kib) => create(depth, { stackSize: kib * 1024 }).join());
  const distance = known.map((n) => Math.abs(n - mine));
  return sizes[distance.indexOf(Math.min(...distance))];
}

export default size;

if (process.argv[2] !== undefined)
  await main({
    here: () => run(() => [size(), create(size).join()]),
    /** Of run(): for this thread, those that it creates, an rfork's; and the next run()'s. */
    byRun: async () => {
      const here = new URL(import.meta.url);
      const all = () => [size(), create(size).join(), new Rfork(here, { argv: [] }).join()];
      const first = await run(all, { defaultStackSize: 512 * 1024 });
      const own = () => [size(), create(size).join(), create(size, { stackSize: 256 * 1024 }).join()];
      return [
        first,
        await run(() => create(size).join()),
        await run(own, { defaultStackSize: 1024 * 1024, stackSize: 2048 * 1024 }),
      ];
    },
    given: () => run(() => [size(), create(size).join()], { stackSize: 1024 * 1024 }),
    rforks: () =>
      run(() => {
        const here = new URL(import.meta.url);
        return [
          new Rfork(here, { argv: [] }).join(),
          new Rfork(here, { argv: [], stackSize: 512 * 1024 }).join(),
        ];
      }),
    refused: () =>
      ['512k', 1, 2 ** 40].map((stackSize) => thrownBy(() => new Rfork('/nowhere', { stackSize })).code),
    refusedByRun: async () => [
      ...['512k', 1, 2 ** 40].map((defaultStackSize) => thrownBy(() => run(size, { defaultStackSize })).code),
      thrownBy(() => run('no function', { defaultStackSize: 512 * 1024 })).code,
      await run(size), // as before
    ],
  });
