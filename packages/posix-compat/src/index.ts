/**
 * @libcr/posix-compat: POSIX threads and their locks over userthreads, and programs whose threads are userthreads. See README.md.
 *
 * Not here: the tokens, serializers and ports that LWKT has for the same purposes (@libcr/core).
 */
import { ownScripts } from '@libcr/core/internal';

ownScripts(import.meta.url); // a lock that is half taken must not be seen by others: it is not preempted

export {
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  type Clock,
  clockNow,
  type Deadline,
  type LockOptions,
} from './clock.ts';
export { NamedSemaphore, type OpenOptions } from './named/named-semaphore.ts';
export { SEM_VALUE_MAX } from './options.ts';
export * as pthread from './pthread/index.ts';
export * as sched from './sched.ts';
export * from './spawn/index.ts';
export { BARRIER_SERIAL_THREAD, Barrier } from './sync/barrier.ts';
export { Cond, type CondOptions } from './sync/cond.ts';
export type { Guard } from './sync/guard.ts';
export { Mutex, type MutexOptions, type MutexType } from './sync/mutex.ts';
export { RWLock } from './sync/rwlock.ts';
export { Semaphore } from './sync/semaphore.ts';
export { Spin } from './sync/spin.ts';
export type { PlaceOptions, SharedPlace } from './wait/place.ts';
