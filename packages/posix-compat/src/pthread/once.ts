/**
 * once.ts: what is to be done once, by whoever comes first; the others wait until it is done.
 */
import { checkFunction } from '../options.ts';
import { Mutex } from '../sync/mutex.ts';

/** Says whether it has been done. Among the threads of one rfork. (pthread_once_t) */
export class Once {
  /** @internal */ readonly mutex: Mutex = new Mutex();
  /** @internal */ done = false;
}

/**
 * Calls init if nobody has with this `control`, and returns when it is done: blocks the running userthread while another one is about it. Where init throws, or its
 * thread is cancelled in it, it has not been done, and the next one calls its own. Throws TypeError, EDEADLK inside of init, ERR_LWKT_WOULD_BLOCK on
 * thread0. (pthread_once)
 */
export function once(control: Once, init: () => void): void {
  checkFunction('init', init);
  if (control.done) return;
  const guard = control.mutex.lock();
  try {
    if (control.done) return;
    init();
    control.done = true;
  } finally {
    guard.release();
  }
}
