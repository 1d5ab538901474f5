/**
 * pthread: threads of the standard's making, which can be cancelled and have cleanup handlers; keys and once. The threads are core's userthreads.
 */
export type { CancelState, CancelType } from './cancel-state.ts';
export { type Cleanup, cleanupPush } from './cleanup.ts';
export { Key, PTHREAD_DESTRUCTOR_ITERATIONS } from './key.ts';
export { Once, once } from './once.ts';
export {
  CANCELED,
  cancel,
  create,
  detach,
  equal,
  exit,
  join,
  type PthreadOptions,
  self,
  setCancelState,
  setCancelType,
  testCancel,
} from './thread.ts';
