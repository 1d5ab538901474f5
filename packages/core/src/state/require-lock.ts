/**
 * require-lock.ts: require() by several threads at once. Node takes a module that is required while it is being loaded for one that requires itself in a circle, and gives what it
 * has exported so far. Where its top level waits, it is another thread that asks: that one waits until the module is loaded, and has all of it.
 *
 * A circle stays one: a module's own thread gets what there is so far, and so does a thread whose wait would come back to a module that it is loading itself.
 *
 * Invariant: while no userthread is loading a module, require() is Node's own.
 */
import Module from 'node:module';
import { wouldBlock } from '../errors/errors.ts';
import { blockUntil, curthread, thread0, wake } from '../thread/block.ts';
import type { UserThread } from '../thread/userthread.ts';

interface Loaded {
  readonly id: string;
}

interface Internals {
  _load(request: string, parent: Loaded | undefined, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: Loaded | undefined, isMain: boolean): string;
  _cache: Record<string, Loaded | undefined>;
  prototype: { load(this: Loaded, filename: string): void };
}

/** Who loads a module, and who waits for it. */
interface Loading {
  by: UserThread;
  waiters: UserThread[];
}

const loading = new Map<Loaded, Loading>();
/** What each waiting thread waits for. */
const awaited = new Map<UserThread, Loading>();

/** Whether td, by waiting for `wanted`, would wait for itself. */
function isCircle(td: UserThread, wanted: Loading): boolean {
  let next: Loading | undefined = wanted;
  while (next !== undefined && next.by !== td) next = awaited.get(next.by);
  return next !== undefined;
}

/** Waits until no other thread is loading the module. */
function waitFor(module: Loaded): void {
  const td = curthread();
  for (;;) {
    const wanted = loading.get(module);
    if (wanted === undefined || isCircle(td, wanted)) return;
    if (td === thread0) throw wouldBlock(`require() of ${module.id}, which a userthread is loading,`);
    wanted.waiters.push(td);
    awaited.set(td, wanted);
    try {
      blockUntil(`module ${module.id}`, () => loading.get(module) !== wanted);
    } finally {
      awaited.delete(td);
    }
  }
}

/** Called once. */
export function lockModules(): void {
  const internals = Module as unknown as Internals;
  const { _load: loadByName } = internals;
  const { load } = internals.prototype;
  internals._load = function _load(request, parent, isMain) {
    if (loading.size > 0) {
      let known: Loaded | undefined;
      try {
        known = internals._cache[internals._resolveFilename(request, parent, isMain)];
      } catch {
        // no such module: Node says so
      }
      if (known !== undefined) waitFor(known);
    }
    return loadByName.call(this, request, parent, isMain);
  };
  internals.prototype.load = function (filename) {
    const td = curthread();
    if (td === thread0) return load.call(this, filename);
    const mine: Loading = { by: td, waiters: [] };
    loading.set(this, mine);
    try {
      load.call(this, filename);
    } finally {
      loading.delete(this);
      for (const waiter of mine.waiters) wake(waiter);
    }
  };
}
