/**
 * place.ts: where an object's words are: in memory of its own, or in a SharedArrayBuffer at an offset, where other rforks and plain Workers find it.
 *
 * Invariant: the first word says what is there, so that at() finds an object or says that there is none. It is written last.
 */
import { types } from 'node:util';
import { inspectAsString, invalidType, native, outOfRange } from '@libcr/core/internal';
import { posixError } from '../errors.ts';

/** Where an object in shared memory is. It can be sent to other rforks and Workers; the class' at() makes it an object again. */
export interface SharedPlace {
  readonly buffer: SharedArrayBuffer;
  /** In bytes, a multiple of 4. */
  readonly offset: number;
}

export interface PlaceOptions {
  /**
   * For threads of other rforks, too: true, or the memory where the object is to be, in which BYTES bytes from `offset` on must be zero. Absent: for the
   * threads of this rfork.
   */
  shared?: boolean | SharedArrayBuffer | undefined;
  /** In bytes, a multiple of 4; 0 if absent. */
  offset?: number | undefined;
}

/** For constructors: the object is there already. */
export class Existing {
  readonly place: SharedPlace;

  constructor(place: SharedPlace) {
    this.place = place;
  }
}

/** What is in an object's first word: this, its kind, and 8 bits of its own. */
const MAGIC = 0x4c430000;

/** What an object is, and C's name of the function that makes it. */
export interface Kind {
  readonly number: number;
  readonly words: number;
  readonly init: string;
}

// V8's structured clone refuses host objects that it doesn't know: a handle in a message is a clear error, and no empty object there.
const HostObject: new () => object = native.HostObject;

/** The base of all objects. Word 0 is the first one's. */
export abstract class Placed extends HostObject {
  /** @internal */ readonly words: Int32Array;
  /** @internal What the maker has said about it, 8 bits. */ readonly attributes: number;

  constructor(kind: Kind, options: PlaceOptions | Existing, attributes: number) {
    super();
    if (options instanceof Existing) {
      this.words = wordsAt(kind, options.place);
      this.attributes = found(kind, this.words);
      return;
    }
    if (typeof options !== 'object' || options === null)
      throw invalidType('options', 'of type object', options);
    const { shared = false, offset = 0 } = options;
    this.attributes = attributes;
    if (shared === false) this.words = new Int32Array(kind.words);
    else {
      const before = Number.isInteger(offset) ? Math.max(offset, 0) : 0; // what it may be is checked below
      const buffer = shared === true ? new SharedArrayBuffer(before + kind.words * 4) : shared;
      this.words = wordsAt(kind, { buffer, offset });
    }
    if (this.words.some((word) => word !== 0)) throw posixError('EBUSY', kind.init);
  }

  /** @internal Called when all the other words are as they are to be. */
  protected ready(kind: Kind): void {
    Atomics.store(this.words, 0, MAGIC | (kind.number << 8) | this.attributes);
  }

  /** Whether threads of other rforks can have it. (PTHREAD_PROCESS_SHARED) */
  get isShared(): boolean {
    return isShared(this.words);
  }

  /** Where it is, for others: send this, and give it to at() there. Throws EINVAL unless it is shared. */
  get place(): SharedPlace {
    const { buffer, byteOffset } = this.words;
    if (!types.isSharedArrayBuffer(buffer)) throw posixError('EINVAL', 'place');
    return { buffer, offset: byteOffset };
  }

  abstract override toString(): string;
}

inspectAsString(Placed);

export function isShared(words: Int32Array): boolean {
  return types.isSharedArrayBuffer(words.buffer);
}

function wordsAt(kind: Kind, place: SharedPlace): Int32Array {
  if (typeof place !== 'object' || place === null) throw invalidType('place', 'of type object', place);
  const { buffer, offset } = place;
  if (!types.isSharedArrayBuffer(buffer))
    throw invalidType('shared', 'a boolean or an instance of SharedArrayBuffer', buffer);
  if (typeof offset !== 'number') throw invalidType('offset', 'of type number', offset);
  const last = buffer.byteLength - kind.words * 4;
  if (!(Number.isInteger(offset / 4) && offset >= 0 && offset <= last))
    throw outOfRange('offset', `a multiple of 4, >= 0 and <= ${last}`, offset);
  return new Int32Array(buffer, offset, kind.words);
}

function found(kind: Kind, words: Int32Array): number {
  const word = Atomics.load(words, 0);
  if ((word & ~0xff) !== (MAGIC | (kind.number << 8))) throw posixError('EINVAL', kind.init);
  return word & 0xff;
}
