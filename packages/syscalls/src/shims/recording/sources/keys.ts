/**
 * keys.ts: what node:crypto makes out of chance: keys and primes. A recording has them: whoever may read it has the program's keys.
 *
 * Not here: what chance goes into inside of something else: signatures, padding, keys of ECDH and Diffie-Hellman objects, Web Crypto's keys.
 */
import crypto, { type KeyObject } from 'node:crypto';
import type { Any, Patches, Reading } from './patches.ts';
import { BASE64, withCallback } from './random.ts';

type Encoded =
  | { text: string }
  | { base64: string }
  | { secret: string }
  | { public: string }
  | { private: string }
  | { jwk: object };

function encodeKey(key: Any): Encoded {
  if (typeof key === 'string') return { text: key };
  if (ArrayBuffer.isView(key)) return { base64: BASE64[0](key as Uint8Array) };
  const object = key as KeyObject;
  if (typeof object.export !== 'function') return { jwk: key };
  if (object.type === 'secret') return { secret: BASE64[0](object.export()) };
  if (object.type === 'public') return { public: BASE64[0](object.export({ type: 'spki', format: 'der' })) };
  return { private: BASE64[0](object.export({ type: 'pkcs8', format: 'der' })) };
}

function decodeKey(encoded: Encoded): Any {
  if ('text' in encoded) return encoded.text;
  if ('base64' in encoded) return BASE64[1](encoded.base64);
  if ('jwk' in encoded) return encoded.jwk;
  if ('secret' in encoded) return crypto.createSecretKey(BASE64[1](encoded.secret));
  return 'public' in encoded
    ? crypto.createPublicKey({ key: BASE64[1](encoded.public), format: 'der', type: 'spki' })
    : crypto.createPrivateKey({ key: BASE64[1](encoded.private), format: 'der', type: 'pkcs8' });
}

interface Pair {
  publicKey: Any;
  privateKey: Any;
}

export function patchKeys(patches: Patches, reading: Reading): void {
  const { generateKeySync, generateKeyPairSync, generatePrimeSync } = crypto;
  const key = (...args: Any[]): Any => {
    const made = Reflect.apply(generateKeySync as Any, crypto, args);
    return decodeKey(
      JSON.parse(reading('crypto.generateKey', () => JSON.stringify(encodeKey(made))) as string),
    );
  };
  const pair = (...args: Any[]): Pair => {
    const made = Reflect.apply(generateKeyPairSync as Any, crypto, args) as Pair;
    const text = reading('crypto.generateKeyPair', () =>
      JSON.stringify([encodeKey(made.publicKey), encodeKey(made.privateKey)]),
    );
    const [publicKey, privateKey] = JSON.parse(text as string);
    return { publicKey: decodeKey(publicKey), privateKey: decodeKey(privateKey) };
  };
  const prime = (...args: Any[]): Any => {
    const made = Reflect.apply(generatePrimeSync as Any, crypto, args) as bigint | ArrayBuffer;
    if (typeof made === 'bigint') return BigInt(reading('crypto.generatePrime', () => String(made)));
    const bytes = BASE64[1](reading('crypto.generatePrime', () => BASE64[0](new Uint8Array(made))) as string);
    return Uint8Array.from(bytes).buffer;
  };
  patches.method(crypto, 'generateKeySync', () => key);
  patches.method(crypto, 'generateKeyPairSync', () => pair);
  patches.method(crypto, 'generatePrimeSync', () => prime);
  const told = (name: string, answer: (...args: Any[]) => Any): void =>
    patches.method(crypto, name, (real) => {
      const standIn = withCallback((_, args) => answer(...args));
      return (...args) => Reflect.apply(typeof args.at(-1) === 'function' ? standIn : real, crypto, args);
    });
  told('generateKey', key);
  told('generatePrime', prime);
  patches.method(crypto, 'generateKeyPair', (real) => (...args) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return Reflect.apply(real, crypto, args); // throws
    const { publicKey, privateKey } = pair(...args.slice(0, -1));
    setImmediate(callback, null, publicKey, privateKey);
    return undefined;
  });
}
