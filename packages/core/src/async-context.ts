/**
 * async-context.ts: keeps async_hooks' idea of "what is running" right across switches. (AsyncLocalStorage on Node 24 and later does not
 * go through here: native/node/continuation.h.)
 *
 * Node keeps a stack of async ids for each isolate. A pass of the event loop has entered one scope on it; whatever a userthread enters on
 * top belongs to that thread and must not stay there while another runs, or Node aborts ("async hook stack has become corrupted").
 *
 *  - Node 20 and 22 show the stack to us. Each userthread runs in the scope of an AsyncResource of its own, which is also what carries its
 *    AsyncLocalStorage stores, and its part of the stack is taken off before a switch and put back after.
 *  - Node 24 and later hide it. A wait inside a nested scope (runInAsyncScope of some resource) is refused before the switch.
 *
 * Invariant: while native code may switch, the stack is as the pass left it.
 */
import { AsyncResource, executionAsyncId } from 'node:async_hooks';
import { CodedError } from './errors.ts';

interface AsyncWrap {
  async_hook_fields: Uint32Array;
  async_id_fields: Float64Array;
  /** Pairs (execution id, trigger id) that were current before each entry; replaced when it grows, so always read afresh. */
  async_ids_stack: Float64Array;
  execution_async_resources: object[];
  pushAsyncContext(asyncId: number, triggerId: number): void;
  constants: { kStackLength: number; kExecutionAsyncId: number; kTriggerAsyncId: number };
}

function findAsyncWrap(): AsyncWrap | undefined {
  const { noDeprecation } = process;
  try {
    process.noDeprecation = true; // DEP0111: the replacement it names does not offer this
    const { binding } = process as unknown as { binding(name: string): AsyncWrap };
    const found = binding.call(process, 'async_wrap');
    return found.async_hook_fields && found.async_id_fields && found.async_ids_stack ? found : undefined;
  } catch {
    return undefined;
  } finally {
    process.noDeprecation = noDeprecation as boolean;
  }
}

const asyncWrap = Number(process.versions.node.split('.')[0]) < 24 ? findAsyncWrap() : undefined;
const kStackLength = asyncWrap?.constants.kStackLength ?? 0;
const kExecutionAsyncId = asyncWrap?.constants.kExecutionAsyncId ?? 0;
const kTriggerAsyncId = asyncWrap?.constants.kTriggerAsyncId ?? 0;
// These three stay the same objects; only async_ids_stack is replaced.
const fields = asyncWrap?.async_hook_fields ?? new Uint32Array(1);
const current = asyncWrap?.async_id_fields ?? new Float64Array(1);
const resources = asyncWrap?.execution_async_resources ?? [];

/** A userthread's own scope: an AsyncResource where the id stack can be moved, nothing elsewhere. */
export type Scope = AsyncResource | undefined;

/** Made when the thread is created, so that it inherits its creator's AsyncLocalStorage stores. */
export function createScope(): Scope {
  return asyncWrap ? new AsyncResource('USERTHREAD', { requireManualDestroy: true }) : undefined;
}

/** Entries on the id stack that belong to the pass; the rest is the running thread's. */
let base = 0;
/** The async id that the pass runs in, where the stack is hidden. */
let passAsyncId = -1;

/** Before a userthread enters its scope: notes where the pass stands. */
export function beforeScope(): void {
  if (asyncWrap === undefined) passAsyncId = executionAsyncId();
  else base = asyncWrap.async_hook_fields[kStackLength] as number;
}

/** A thread's part of the id stack while it is switched out: what was current, then what lay below, entry by entry. */
interface Saved {
  ids: number[];
  resources: object[];
}

/** The usual part, which is the thread's own scope and nothing else: needs no copy. */
const OWN_SCOPE = 1;

export type SwitchState = Saved | typeof OWN_SCOPE | undefined;

/** Before a switch. Returns what afterSwitch wants; throws ERR_LWKT_ASYNC_SCOPE where the switch can't be made. */
export function beforeSwitch(scope: Scope): SwitchState {
  if (asyncWrap === undefined) {
    const id = executionAsyncId();
    // 0: the environment is being stopped and the pass got no scope; the thread will be terminated, not refused
    if (id !== passAsyncId && id !== 0)
      throw new CodedError(
        'ERR_LWKT_ASYNC_SCOPE',
        'A userthread cannot wait inside a nested AsyncResource scope (runInAsyncScope, or a function bound to a resource): ' +
          `Node ${process.versions.node.split('.')[0]} would mix up its async ids. Wait outside of the scope; ` +
          'AsyncLocalStorage.run() and AsyncLocalStorage.snapshot() are fine.',
      );
    return undefined;
  }
  const length = fields[kStackLength] as number;
  if (length <= base) return undefined;
  const below = asyncWrap.async_ids_stack;
  const state =
    length === base + 1 && resources.length === length && resources[base] === scope
      ? OWN_SCOPE
      : save(length);
  if (state === OWN_SCOPE) resources.pop();
  current[kExecutionAsyncId] = below[2 * base] as number;
  current[kTriggerAsyncId] = below[2 * base + 1] as number;
  fields[kStackLength] = base;
  return state;
}

function save(length: number): Saved {
  const below = (asyncWrap as AsyncWrap).async_ids_stack;
  const ids = [current[kExecutionAsyncId] as number, current[kTriggerAsyncId] as number];
  for (let i = length - 1; i > base; i--) ids.push(below[2 * i] as number, below[2 * i + 1] as number);
  const saved = { ids, resources: resources.slice(base, length) };
  resources.length = Math.min(base, resources.length);
  return saved;
}

/** After a switch, on the thread that called beforeSwitch. */
export function afterSwitch(scope: Scope, state: SwitchState): void {
  if (asyncWrap === undefined) return;
  base = fields[kStackLength] as number; // this pass may stand at another depth than the one before
  if (state === OWN_SCOPE) {
    push(
      base,
      scope as AsyncResource,
      (scope as AsyncResource).asyncId(),
      (scope as AsyncResource).triggerAsyncId(),
    );
    return;
  }
  if (state === undefined) return;
  const { ids, resources: saved } = state;
  for (let i = ids.length - 2, n = 0; i >= 0; i -= 2, n++)
    push(base + n, saved[n] as object, ids[i] as number, ids[i + 1] as number);
}

/** What Node does when a scope is entered. */
function push(offset: number, resource: object, asyncId: number, triggerId: number): void {
  const { async_ids_stack: below } = asyncWrap as AsyncWrap;
  resources[offset] = resource;
  if (2 * offset >= below.length) {
    (asyncWrap as AsyncWrap).pushAsyncContext(asyncId, triggerId); // makes room
    return;
  }
  below[2 * offset] = current[kExecutionAsyncId] as number;
  below[2 * offset + 1] = current[kTriggerAsyncId] as number;
  fields[kStackLength] = offset + 1;
  current[kExecutionAsyncId] = asyncId;
  current[kTriggerAsyncId] = triggerId;
}
