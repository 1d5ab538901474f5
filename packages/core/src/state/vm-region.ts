/**
 * vm-region.ts: scripts of node:vm that run with a time limit (timeout), or until Ctrl-C (breakOnSigint). Node ends such a script by having V8
 * terminate whatever runs at that moment; if the script waited, that would be another thread, or the event loop. So a userthread does not wait inside: that throws
 * ERR_LWKT_VM_TIMEOUT, and the limit ends the script as it does elsewhere.
 *
 * All of vm's functions that run a script come to one method, of the class that vm.Script extends; modules of node:vm to another. Those two are wrapped.
 *
 * Invariant: outside of userthreads, and for scripts without a limit, what is called is Node's own, with the arguments as they came.
 */
import vm from 'node:vm';
import { BLOCK_WATCHED, native } from '../node/native.ts';
import { curthread } from '../thread/block.ts';

type RunInContext = (
  this: vm.Script,
  contextified: object | null,
  timeout: number,
  displayErrors: boolean,
  breakOnSigint: boolean,
  ...rest: unknown[]
) => unknown;

/** Runs fn as something that V8 may be told to terminate. */
function watched<T>(fn: () => T): T {
  const td = curthread();
  const { refusal } = td; // not a counter: a termination that passes skips the finally blocks of scripts further in
  const before = native.watched(true);
  td.refusal = BLOCK_WATCHED;
  try {
    return fn();
  } finally {
    td.refusal = refusal;
    native.watched(before);
  }
}

const known = new WeakSet<object>();

/** A context that scripts run in has a list of joins of its own. (join-stack.cc) */
function introduce(run: RunInContext, contextified: object): void {
  if (known.has(contextified)) return;
  known.add(contextified);
  try {
    native.joinContext(
      run.call(new vm.Script('(function () {})'), contextified, -1, true, false, false) as object,
    );
  } catch {
    // no context: the script itself will say so
  }
}

interface ModuleOptions {
  timeout?: unknown;
  breakOnSigint?: unknown;
}

/** Called once. */
export function watchVm(): void {
  const script = Object.getPrototypeOf(vm.Script.prototype) as { runInContext?: RunInContext };
  const run = script.runInContext;
  if (typeof run === 'function')
    script.runInContext = function runInContext(
      contextified,
      timeout,
      displayErrors,
      breakOnSigint,
      ...rest
    ) {
      if (contextified !== null) introduce(run, contextified);
      const call = () => run.call(this, contextified, timeout, displayErrors, breakOnSigint, ...rest);
      return (timeout > 0 || breakOnSigint) && native.traceSlot() >= 0 ? watched(call) : call();
    };
  const module = (vm as { Module?: { prototype: { evaluate(options?: ModuleOptions): Promise<void> } } })
    .Module?.prototype;
  if (module === undefined) return; // there with --experimental-vm-modules
  const evaluate = module.evaluate;
  module.evaluate = function (options) {
    const call = () => evaluate.call(this, options);
    const limited = options?.timeout !== undefined || options?.breakOnSigint === true;
    return limited && native.traceSlot() >= 0 ? watched(call) : call();
  };
}
