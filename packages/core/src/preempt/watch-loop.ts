/**
 * watch-loop.ts: the watchdog of the event loop: who has kept it for longer than allowed. What looks is native (native/node/preempt/watch-loop.cc).
 */

import { CodedError, invalidType, outOfRange, systemError } from '../errors/errors.ts';
import { native } from '../node/native.ts';
import { ownTimers } from '../node/own-timers.ts';
import { thread0, threadAt } from '../thread/block.ts';
import type { UserThread } from '../thread/userthread.ts';

/** What watchLoop reports. */
export interface LoopBlock {
  /** How long the event loop has been kept, in milliseconds: the whole of it, as it is told when that is over. */
  duration: number;
  /** The name of who ran when the limit had passed; "thread0" for the event loop itself: callbacks, microtasks. */
  name: string;
  /** Its handle; undefined where it has ended since. */
  td: UserThread | undefined;
  /** Where it was then, as the lines of Error.stack. Where it was in a builtin or in C++: where JavaScript went on afterwards. */
  stack: string;
}

export interface WatchLoopOptions {
  /** Milliseconds that the event loop may be kept without being reported, 1 to 3,600,000. */
  limit: number;
  /** Called on the event loop, once for each time that the limit has been exceeded, when that is over. What it throws is an uncaught exception. */
  onBlock(block: LoopBlock): void;
}

/** What watchLoop returns: ends the watch. */
export interface LoopWatcher {
  stop(): void;
  [Symbol.dispose](): void;
}

const LIMIT_MAX = 3_600_000;

let watched: LoopWatcher | undefined;

/**
 * Watches this rfork's event loop: whoever keeps it for longer than limit, userthread or callback, is reported with name and stack. One watch at a time
 * (ERR_LWKT_WATCHED). It costs a note at each turn of the loop, and a look from a kernel thread of its own every quarter of the limit; it does not keep
 * the program alive. Never blocks. Throws TypeError and RangeError.
 */
export function watchLoop(options: WatchLoopOptions): LoopWatcher {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { limit, onBlock } = options;
  if (typeof limit !== 'number') throw invalidType('options.limit', 'of type number', limit);
  if (!(limit >= 1 && limit <= LIMIT_MAX))
    throw outOfRange('options.limit', `>= 1 and <= ${LIMIT_MAX}`, limit);
  if (typeof onBlock !== 'function') throw invalidType('options.onBlock', 'of type function', onBlock);
  if (watched !== undefined)
    throw new CodedError('ERR_LWKT_WATCHED', 'this event loop is watched already: stop() that watch first');
  const errno = native.watchLoop(limit, (slot, name, stack, duration) => {
    const td = slot === -1 ? thread0 : threadAt(slot);
    try {
      onBlock({ duration, name: td?.name ?? name, td, stack });
    } catch (error) {
      ownTimers.setImmediate(() => {
        throw error;
      });
    }
  });
  if (errno !== 0) throw systemError(errno, 'watchLoop');
  const watcher: LoopWatcher = {
    stop() {
      if (watched !== watcher) return;
      watched = undefined;
      native.watchLoop(0);
    },
    [Symbol.dispose]() {
      watcher.stop();
    },
  };
  watched = watcher;
  return watcher;
}
