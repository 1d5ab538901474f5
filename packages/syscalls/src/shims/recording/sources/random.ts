/**
 * random.ts: chance: Math.random(), and node:crypto's and Web Crypto's random values.
 *
 * What is asked for with a callback is made at once, so that it is its userthread's reading, and told on the event loop's next turn.
 */
import crypto from 'node:crypto';
import { viewBytes } from '../../../codec/bytes.ts';
import type { ClockName } from '../lines.ts';
import type { Any, Patches, Reading } from './patches.ts';

const BASE64 = [
  (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64'),
  (text: string): Buffer => Buffer.from(text, 'base64'),
] as const;

/** A function with a form with a callback, and one without: the answer without, told to the callback. */
function withCallback(answer: (self: Any, args: Any[]) => Any): (...args: Any[]) => Any {
  return function (this: Any, ...args: Any[]) {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return answer(this, args);
    const value = answer(this, args.slice(0, -1));
    setImmediate(callback, null, value);
    return undefined;
  };
}

/** The memory that is filled, whichever part of it. */
function memoryOf(target: ArrayBufferView | ArrayBuffer): Buffer {
  return ArrayBuffer.isView(target) ? viewBytes(target) : Buffer.from(target);
}

export function patchRandom(patches: Patches, reading: Reading): void {
  const { random } = Math;
  patches.method(Math, 'random', () => () => reading('Math.random', random));

  const fill = (name: ClockName, real: (...args: Any[]) => Any) => (self: Any, args: Any[]) => {
    const target = Reflect.apply(real, self, args);
    const memory = memoryOf(target);
    BASE64[1](reading(name, () => BASE64[0](memory)) as string).copy(memory);
    return target;
  };
  const { randomFillSync } = crypto;
  const fillSync = fill('crypto.randomFill', randomFillSync);
  patches.method(
    crypto,
    'randomFillSync',
    () =>
      function (this: Any, ...args: Any[]) {
        return fillSync(this, args);
      },
  );
  patches.method(crypto, 'randomFill', (real) => {
    const standIn = withCallback(fillSync);
    return function (this: Any, ...args: Any[]) {
      if (typeof args.at(-1) !== 'function') return Reflect.apply(real, this, args); // throws: it has no other form
      return Reflect.apply(standIn, this, args);
    };
  });
  const web = Object.getPrototypeOf(crypto.webcrypto) as object;
  for (const object of [web, crypto])
    patches.method(object, 'getRandomValues', (real) => {
      const values = fill('crypto.getRandomValues', real);
      return function (this: Any, ...args: Any[]) {
        return values(this, args);
      };
    });
  // The older names are getters until somebody reads them.
  for (const key of ['randomBytes', 'pseudoRandomBytes', 'prng', 'rng'] as const) {
    void (crypto as Any)[key];
    patches.method(crypto, key, (real) =>
      withCallback((self, args) => {
        const bytes = Reflect.apply(real, self, args);
        return BASE64[1](reading('crypto.randomBytes', () => BASE64[0](bytes)) as string);
      }),
    );
  }
  patches.method(crypto, 'randomInt', (real) =>
    withCallback((self, args) => {
      const number = Reflect.apply(real, self, args);
      return reading('crypto.randomInt', () => number);
    }),
  );
  for (const object of [web, crypto]) {
    patches.read(object, 'randomUUID', 'crypto.randomUUID', reading);
    patches.read(object, 'randomUUIDv7', 'crypto.randomUUID', reading);
  }
}

export { BASE64, withCallback };
