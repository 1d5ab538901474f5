/**
 * abort-signal.ts: many threads may wait with one AbortSignal. It gets one listener of ours, however many
 * they are: eleven would be reported as a leak on Node 20.
 *
 * Invariant: the listener is there exactly while somebody follows the signal.
 */

interface Followers {
  callbacks: Set<() => void>;
  listener: () => void;
}

const followed = new WeakMap<AbortSignal, Followers>();

/**
 * Calls back when the signal is aborted, which it must not be yet. Returns what ends that. callback must be a function
 * of its own.
 */
export function followSignal(signal: AbortSignal, callback: () => void): () => void {
  let followers = followed.get(signal);
  if (followers === undefined) {
    const callbacks = new Set<() => void>();
    followers = {
      callbacks,
      listener: () => {
        for (const call of callbacks) call();
      },
    };
    followed.set(signal, followers);
    signal.addEventListener('abort', followers.listener);
  }
  const { callbacks, listener } = followers;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || followed.get(signal)?.callbacks !== callbacks) return;
    followed.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}
