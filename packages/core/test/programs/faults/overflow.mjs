// Endless recursion is a RangeError, on every stack, whatever stacks there were before. See overflow.test.ts.
import { create, run, sleep } from '@libcr/core';
import { main, overflow as recurse } from '../check.mjs';

/** Whether it went deep; the error's name. */
function overflow() {
  const { depth, error } = recurse();
  return [depth > 100, error.constructor.name];
}

const KIB = 1024;
const sizes = [256, 128, 1024, 128, 256, 4096, 512];

await main({
  async oneByOne() {
    const seen = [overflow()];
    for (const size of sizes) {
      seen.push(await create(overflow, { stackSize: size * KIB }).finished);
      seen.push(overflow());
    }
    return seen;
  },

  async inTurns() {
    const tds = sizes.map((size) =>
      create(
        () => {
          const seen = [];
          for (let i = 0; i < 3; i++) {
            seen.push(overflow());
            sleep(1);
          }
          return seen;
        },
        { stackSize: size * KIB },
      ),
    );
    const loop = [];
    for (let i = 0; i < 5; i++) {
      loop.push(overflow());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return [...(await Promise.all(tds.map((td) => td.finished))).flat(), ...loop];
  },

  inside: () =>
    run(() =>
      sizes.flatMap((size) => [overflow(), create(overflow, { stackSize: size * KIB }).join(), overflow()]),
    ),
});
