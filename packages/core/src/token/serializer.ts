/**
 * serializer.ts: serializers, which stay held while their holder blocks.
 */
import { CodedError } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import type { WaitOptions } from '../thread/userthread.ts';
import { Hold, Lock, push, take, taker } from './lock.ts';

/**
 * A serializer: a lock for threads of all rforks that is kept while its holder blocks. Waiters get it in order. It does not nest. In a message it
 * goes to other rforks, as a Token does. (lwkt_serialize)
 */
export class Serializer extends Lock {
  constructor(name = 'serializer') {
    super(name);
  }

  /** @internal */
  override get kind(): string {
    return 'Serializer';
  }

  /** @internal */
  override get letsGo(): boolean {
    return false;
  }

  /** Enters; blocks while somebody is in. Throws ERR_LWKT_DEADLOCK where that is the caller, ERR_LWKT_WOULD_BLOCK on thread0, AbortError,
   *  TimeoutError, ERR_LWKT_RFORK_ENDED. (lwkt_serialize_enter) */
  enter(options?: WaitOptions): Hold {
    const hold = this.#begin('Serializer.enter()');
    take(hold, options);
    return hold;
  }

  /** Enters if nobody is in; else undefined. One of another rfork's blocks for the answer. Throws as enter(). (lwkt_serialize_try) */
  tryEnter(): Hold | undefined {
    const hold = this.#begin('Serializer.tryEnter()');
    hold.grant = this.tryAcquire(false);
    if (hold.grant === undefined) return undefined;
    push(hold);
    return hold;
  }

  #begin(what: string): Hold {
    const me = taker(what);
    if (this.heldBy(me) !== undefined)
      throw new CodedError(
        'ERR_LWKT_DEADLOCK',
        `this thread is in ${this.label} already: it would wait for itself`,
      );
    return new Hold(this, false, me, false);
  }
}

inspectAsString(Serializer);
