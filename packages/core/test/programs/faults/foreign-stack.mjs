// Waits while V8 runs on a stack that is not the thread's (WebAssembly's JavaScript Promise Integration). See foreign-stack.test.ts.
import { create, run, sleep, Token, wait } from '@libcr/core';
import { main } from '../check.mjs';

// (module (import "m" "f" (func)) (func (export "g") call 0))
const bytes = [
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 4, 1, 0x60, 0, 0],
  [2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0],
  [3, 2, 1, 0],
  [7, 5, 1, 1, 0x67, 0, 1],
  [10, 6, 1, 4, 0, 0x10, 0, 0x0b],
];
const module = new WebAssembly.Module(new Uint8Array(bytes.flat()));
const promising = (f) => WebAssembly.promising(new WebAssembly.Instance(module, { m: { f } }).exports.g);

/** How each of n threads ends, as a code or a value, counted. */
const count = (n, fn) =>
  run(() => {
    const counts = {};
    const tds = Array.from({ length: n }, (_, i) => create(() => fn(i)));
    for (const { value, reason } of wait(Promise.allSettled(tds.map((td) => td.finished)))) {
      const key = reason?.code ?? reason?.message ?? value ?? 'fine';
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  });
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

await main({
  /** The import waits itself. */
  import: () => count(20, (i) => wait(promising(() => sleep(1 + (i % 3)))())),

  /** The same as an import that may suspend: what it does before it returns its promise is on that stack, too. */
  suspending: () =>
    count(20, (i) =>
      wait(
        promising(
          new WebAssembly.Suspending(() => {
            sleep(1 + (i % 3));
            return later(1);
          }),
        )(),
      ),
    ),

  /** As it is meant: the import returns a promise, and the thread waits for all of it. */
  asMeant: () => count(20, (i) => wait(promising(new WebAssembly.Suspending(() => later(1 + (i % 3))))())),

  /** What the thread holds, it holds still. */
  holds: async () => {
    const token = new Token('t');
    return run(() => {
      const hold = token.get();
      let taken = false;
      const other = create(() => {
        const theirs = token.get();
        taken = true;
        theirs.release();
      });
      let code;
      let held;
      promising(() => {
        try {
          sleep(1);
        } catch (error) {
          code = error.code;
        }
        held = !taken;
      })();
      hold.release();
      other.join();
      return { code, held };
    });
  },
});
