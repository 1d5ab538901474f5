/**
 * async-context.ts: keeps async_hooks' idea of "what is running" right across switches. (Where AsyncLocalStorage keeps its stores in V8's
 * continuation slot, they do not go through here: native/node/state/continuation.h.)
 *
 * Node keeps a stack of async ids for each isolate. A pass of the event loop has entered one scope on it; whatever a userthread enters on
 * top belongs to that thread and must not stay there while another runs, or Node aborts ("async hook stack has become corrupted"). So its
 * part of the stack is taken off before a switch and put back after. The stack is part of Node's binding "async_wrap".
 *
 *  - Where AsyncLocalStorage is made of async_hooks (Node 20 and 22; later ones with --no-async-context-frame) each userthread runs in the
 *    scope of an AsyncResource of its own, which carries its stores. The binding is needed from the beginning.
 *  - Elsewhere a thread has a part of the stack only inside a nested scope (runInAsyncScope of some resource, AsyncLocalStorage.snapshot()).
 *    The first that waits there has the binding looked for, which costs some garbage collections (native/node/state/async-wrap.cc).
 *
 * Invariant: while native code may switch, the stack is as the pass left it.
 */
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import { types } from 'node:util';
import { CodedError } from '../errors/errors.ts';
import { ASYNC_BASE, native } from '../node/native.ts';

interface AsyncWrap {
  async_hook_fields: Uint32Array;
  async_id_fields: Float64Array;
  /** Pairs (execution id, trigger id) that were current before each entry; replaced when it grows, so always read afresh. */
  async_ids_stack: Float64Array;
  /** Those that JavaScript has entered. */
  execution_async_resources: (object | undefined)[];
  /** Those that native code has. */
  executionAsyncResource(index: number): object | undefined;
  pushAsyncContext(asyncId: number, triggerId: number): void;
  constants: { kStackLength: number; kExecutionAsyncId: number; kTriggerAsyncId: number };
}

function isAsyncWrap(found: Partial<AsyncWrap> | undefined): found is AsyncWrap {
  return (
    types.isUint32Array(found?.async_hook_fields) &&
    types.isFloat64Array(found.async_id_fields) &&
    types.isFloat64Array(found.async_ids_stack) &&
    Array.isArray(found.execution_async_resources) &&
    typeof found.pushAsyncContext === 'function' &&
    typeof found.executionAsyncResource === 'function' &&
    typeof found.constants?.kStackLength === 'number'
  );
}

/** Node 20 and 22 hand it out, but for the permission model. */
function askForAsyncWrap(): AsyncWrap | undefined {
  // Test runners (Jest) have a copy of process as the global one: what is set there is not seen by Node.
  const real = process.getBuiltinModule('node:process') as unknown as {
    noDeprecation: boolean | undefined;
    binding(name: string): Partial<AsyncWrap>;
  };
  const { noDeprecation } = real;
  try {
    // DEP0111: the replacement it names does not offer this. (With --no-deprecation it is true already, and read-only.)
    if (noDeprecation !== true) real.noDeprecation = true;
    const found = real.binding('async_wrap');
    return isAsyncWrap(found) ? found : undefined;
  } catch {
    return undefined;
  } finally {
    if (noDeprecation !== true) real.noDeprecation = noDeprecation;
  }
}

function findAsyncWrap(): AsyncWrap | undefined {
  return askForAsyncWrap() ?? native.objectsWith('execution_async_resources').find(isAsyncWrap);
}

/** Whether AsyncLocalStorage is made of async_hooks, and not of V8's continuation slot. */
function storesAreInResources(): boolean {
  const storage = new AsyncLocalStorage();
  const answer = storage.run(true, () => !native.hasContinuation());
  storage.disable(); // or hooks stay enabled, which cost something at each promise
  return answer;
}

const hasScopes = storesAreInResources();
let asyncWrap: AsyncWrap | undefined;
let kStackLength = 0;
let kExecutionAsyncId = 0;
let kTriggerAsyncId = 0;
// These three stay the same objects; only async_ids_stack is replaced.
let fields: Uint32Array = new Uint32Array(1);
let current: Float64Array = new Float64Array(1);
let resources: (object | undefined)[] = [];

let sought = false;

/** Whether the stack can be reached. */
function reach(): boolean {
  if (!sought) {
    sought = true;
    asyncWrap = findAsyncWrap();
    if (asyncWrap !== undefined) {
      ({ kStackLength, kExecutionAsyncId, kTriggerAsyncId } = asyncWrap.constants);
      fields = asyncWrap.async_hook_fields;
      current = asyncWrap.async_id_fields;
      resources = asyncWrap.execution_async_resources;
      native.setupAsyncIds(
        fields,
        current,
        asyncWrap,
        resources,
        kStackLength,
        kExecutionAsyncId,
        kTriggerAsyncId,
      );
    }
  }
  return asyncWrap !== undefined;
}

if (hasScopes && !reach())
  throw new CodedError(
    'ERR_LIBCR_NATIVE',
    `@libcr/core cannot run here: Node ${process.version} does not show the binding async_wrap, without which ` +
      'userthreads would get the AsyncLocalStorage stores of others',
  );

/** A userthread's own scope: an AsyncResource where that carries the stores, nothing elsewhere. */
export type Scope = AsyncResource | undefined;

/** Made when the thread is created, so that it inherits its creator's AsyncLocalStorage stores. */
export function createScope(): Scope {
  return hasScopes ? new AsyncResource('USERTHREAD', { requireManualDestroy: true }) : undefined;
}

/** [ASYNC_BASE]: entries on the id stack that belong to the pass; the rest is the running thread's. Native, for preemption. */
const { shared } = native;
/** The async id that the pass runs in, as long as the stack has not been looked for. */
let passAsyncId = -1;

/** Before a userthread enters its scope: notes where the pass stands. */
export function beforeScope(): void {
  if (asyncWrap === undefined) passAsyncId = executionAsyncId();
  else shared[ASYNC_BASE] = asyncWrap.async_hook_fields[kStackLength] as number;
}

/** A thread's part of the id stack while it is switched out: what was current, then what lay below, entry by entry. */
interface Saved {
  ids: number[];
  resources: (object | undefined)[];
}

/** The usual part, which is the thread's own scope and nothing else: needs no copy. */
const OWN_SCOPE = 1;

export type SwitchState = Saved | typeof OWN_SCOPE | undefined;

function refused(): Error {
  return new CodedError(
    'ERR_LWKT_ASYNC_SCOPE',
    'A userthread cannot wait here inside a nested AsyncResource scope (runInAsyncScope, a function bound to a resource, ' +
      `AsyncLocalStorage.snapshot() and bind()): Node ${process.version} does not show its stack of async ids. ` +
      'Wait outside of the scope; AsyncLocalStorage.run() is fine.',
  );
}

/** Where the pass stands, seen from a thread that has entered scopes on top: the uppermost entry with the id of the pass'. */
function findBase(): number {
  const { async_ids_stack: below } = asyncWrap as AsyncWrap;
  let length = fields[kStackLength] as number;
  while (length > 1 && below[2 * (length - 1)] !== passAsyncId) length--;
  return length - 1;
}

/** Before a switch. Returns what afterSwitch wants; throws ERR_LWKT_ASYNC_SCOPE where the switch can't be made. */
export function beforeSwitch(scope: Scope): SwitchState {
  if (asyncWrap === undefined) {
    const id = executionAsyncId();
    // 0: the environment is being stopped and the pass got no scope; the thread will be terminated, not refused
    if (id === passAsyncId || id === 0) return undefined;
    if (!reach()) throw refused();
    shared[ASYNC_BASE] = findBase();
  }
  const length = fields[kStackLength] as number;
  const base = shared[ASYNC_BASE] as number;
  if (length <= base) return undefined;
  const below = (asyncWrap as AsyncWrap).async_ids_stack;
  const state =
    scope !== undefined && length === base + 1 && resources.length === length && resources[base] === scope
      ? OWN_SCOPE
      : save(length, base);
  if (state === OWN_SCOPE) resources.pop();
  current[kExecutionAsyncId] = below[2 * base] as number;
  current[kTriggerAsyncId] = below[2 * base + 1] as number;
  fields[kStackLength] = base;
  return state;
}

function save(length: number, base: number): Saved {
  const below = (asyncWrap as AsyncWrap).async_ids_stack;
  const ids = [current[kExecutionAsyncId] as number, current[kTriggerAsyncId] as number];
  for (let i = length - 1; i > base; i--) ids.push(below[2 * i] as number, below[2 * i + 1] as number);
  const saved: Saved = { ids, resources: [] };
  // What native code has entered is known to Node by an address on this thread's stack: it goes back as if JavaScript had.
  for (let i = base; i < length; i++)
    saved.resources.push(resources[i] ?? (asyncWrap as AsyncWrap).executionAsyncResource(i));
  resources.length = Math.min(base, resources.length);
  return saved;
}

/** After a switch, on the thread that called beforeSwitch. */
export function afterSwitch(scope: Scope, state: SwitchState): void {
  if (asyncWrap === undefined) return;
  const base = fields[kStackLength] as number;
  shared[ASYNC_BASE] = base; // this pass may stand at another depth than the one before
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
    push(base + n, saved[n], ids[i] as number, ids[i + 1] as number);
}

/** What Node does when a scope is entered. */
function push(offset: number, resource: object | undefined, asyncId: number, triggerId: number): void {
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
