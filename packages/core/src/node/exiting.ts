/**
 * exiting.ts: whether process.exit() has begun. It may be called on a userthread, where 'exit' listeners run then: those are the last JavaScript that
 * runs, so there no wait may let others run.
 *
 * Invariant: exiting is set before the listeners of programs run, but for those that they put in front (prependListener) after this was loaded.
 */

import { EXITING, native } from './native.ts';

/** Test runners (Jest) have a copy of process as the global one. */
const real = process.getBuiltinModule('node:process');

/** A look costs nothing; isExiting() makes sure. */
export let exiting = false;

real.prependListener('exit', () => {
  exiting = true;
  native.shared[EXITING] = 1; // nobody is preempted, either
});

/** Anybody may emit 'exit'; that Node has done so is said here. */
export function isExiting(): boolean {
  return (real as unknown as { _exiting?: boolean })._exiting === true;
}
