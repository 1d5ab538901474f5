/**
 * wasm-stack.ts: what WebAssembly.promising() makes. V8 runs it on a stack of its own, also where it comes back to the thread's stack for a function of JavaScript's (V8 14), which nobody
 * can tell from the stack then. So what promising() returns is wrapped: a userthread does not wait inside, up to where it returns its promise.
 *
 * What runs there after it has been suspended runs on the event loop, which does not wait anyway.
 */

import { BLOCK_FOREIGN_STACK, native } from '../node/native.ts';
import { curthread, thread0 } from '../thread/block.ts';

type Fn = (this: unknown, ...args: unknown[]) => unknown;

/** Called once. */
export function watchPromising(): void {
  const wasm = (globalThis as unknown as { WebAssembly?: { promising?: (fn: Fn) => Fn } }).WebAssembly;
  const make = wasm?.promising;
  if (wasm === undefined || typeof make !== 'function') return; // Node 22 and before
  const promising = (fn: Fn): Fn => {
    const made = make.call(wasm, fn);
    const wrapped: Fn = function (...args) {
      const td = curthread();
      if (td === thread0) return made.apply(this, args);
      const before = native.watched(true);
      const { refusal } = td;
      td.refusal = BLOCK_FOREIGN_STACK;
      try {
        return made.apply(this, args);
      } finally {
        td.refusal = refusal;
        native.watched(before);
      }
    };
    return Object.defineProperties(wrapped, {
      name: { value: made.name, configurable: true },
      length: { value: made.length, configurable: true },
    });
  };
  Object.defineProperty(wasm, 'promising', { value: promising, writable: true, configurable: true });
}
