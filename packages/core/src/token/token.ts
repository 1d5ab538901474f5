/**
 * token.ts: tokens, which their holder lets go of whenever it blocks.
 */
import { CodedError, invalidType } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import type { WaitOptions } from '../thread/userthread.ts';
import { Hold, Lock, push, take, taker } from './lock.ts';

export interface TokenOptions extends WaitOptions {
  /** Together with others who take it shared; absent: alone. */
  shared?: boolean | undefined;
}

/**
 * A token: of all threads that hold it, on whatever rfork, one runs (or those run that have it shared). A thread that blocks, in whatever call,
 * lets go of all its tokens and has them again before that call returns: so what a token protects may have changed across each call that blocks,
 * taking another token among them, and holding one can't lead to a deadlock. What must not change while its holder blocks is a Serializer's.
 *
 * In a message it goes to other rforks. Its state stays on the rfork that made it: elsewhere, taking it costs a message and its answer; when that
 * rfork has ended, ERR_LWKT_RFORK_ENDED. (DragonFly 2004: lwkt_token)
 */
export class Token extends Lock {
  constructor(name = 'token') {
    super(name);
  }

  /** @internal */
  override get kind(): string {
    return 'Token';
  }

  /** @internal */
  override get letsGo(): boolean {
    return true;
  }

  /**
   * Takes it, and blocks while others have it. The thread may have it already. Throws ERR_LWKT_WOULD_BLOCK on thread0, ERR_LWKT_DEADLOCK where the
   * thread has it shared and wants it alone, AbortError, TimeoutError. (lwkt_gettoken, lwkt_gettoken_shared)
   */
  get(options: TokenOptions = {}): Hold {
    const hold = this.#begin('Token.get()', options);
    take(hold, options.signal === undefined && options.timeout === undefined ? undefined : options);
    return hold;
  }

  /** Takes it if nobody else has it; else undefined. A token of another rfork's blocks for the answer. Throws as get(). (lwkt_trytoken) */
  tryGet(options: TokenOptions = {}): Hold | undefined {
    const hold = this.#begin('Token.tryGet()', options);
    if (!hold.inner) {
      hold.grant = this.tryAcquire(hold.shared);
      if (hold.grant === undefined) return undefined;
    }
    push(hold);
    return hold;
  }

  #begin(what: string, options: TokenOptions): Hold {
    if (typeof options !== 'object' || options === null)
      throw invalidType('options', 'of type object', options);
    const { shared = false } = options;
    if (typeof shared !== 'boolean') throw invalidType('options.shared', 'of type boolean', shared);
    const me = taker(what);
    const outer = this.heldBy(me);
    if (outer?.shared && !shared)
      throw new CodedError(
        'ERR_LWKT_DEADLOCK',
        `${this.label} is held shared by this very thread, which would wait for itself`,
      );
    return new Hold(this, shared, me, outer !== undefined);
  }
}

inspectAsString(Token);
