/** payload.test.ts: values as bytes and back, and bytes that nobody has made of a value. A seed is printed; LIBCR_SOAK_SEED makes the same choices again. */
import { randomInt } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { decode, decodeMessage, encode, KIND, kindOf, Packed } from '../src/payload.ts';

const SEED = Number(process.env.LIBCR_SOAK_SEED ?? randomInt(1_000_000));
console.log(`payloads: seed ${SEED}`);

function generator(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const back = (value: unknown): unknown => {
  const bytes = encode(value, 'structured');
  return decode(kindOf(bytes), bytes);
};

/** A value of every kind, in each other. */
function someValue(random: (below: number) => number, depth: number): unknown {
  const inner = (): unknown => someValue(random, depth - 1);
  const list = (): unknown[] => Array.from({ length: random(4) }, inner);
  const text = (): string => 'a~{$@:,.Ar'.slice(random(10)) + ['', 'ä', '\u{1f600}', '\0'][random(4)];
  const plain = [
    () => undefined,
    () => null,
    () => random(2) === 0,
    () => random(2 ** 31) - 2 ** 30,
    () => random(2 ** 32),
    () => (random(1000) - 500) / 7,
    () => BigInt(random(2 ** 31)) ** BigInt(random(9)) * (random(2) === 0 ? 1n : -1n),
    text,
    () => new Date(random(2 ** 31)),
    () => /a~(b)/giu,
    () => Buffer.from(text()),
    () => new Uint32Array([1, 2, 3]),
    () => new Float64Array([0.1]).subarray(0, random(2)),
    () => new DataView(new ArrayBuffer(random(20))),
    () => Uint8Array.from([1, 2, 3, 4]).buffer,
    () => Object(text()),
    () => Object(random(100)),
    () => Object(random(2) === 0),
    () => Object(12n),
  ];
  const nested = [
    list,
    () => Object.assign(list(), { length: 5, x: inner() }),
    () => {
      const sparse: unknown[] = [];
      sparse[random(5000)] = inner();
      return sparse;
    },
    () => ({ [text()]: inner(), b: inner(), 5: inner() }),
    () => new Map(list().map((value) => [value, inner()])),
    () => new Set(list()),
    () => new RangeError(text(), { cause: inner() }),
    () => Object.assign(new Error(text()), { stack: undefined }),
  ];
  const kinds = depth > 0 ? [...plain, ...nested, ...nested] : plain;
  return kinds[random(kinds.length)]?.();
}

test('whatever structured clone takes comes back as it was', () => {
  const random = generator(SEED);
  for (let i = 0; i < 3000; i++) {
    const value = someValue(random, 4);
    expect(back(value)).toEqual(deserialize(serialize(value)));
  }
});

test('bytes of a protocol of its own go as they are, and are no value', () => {
  const packed = new Packed(Buffer.from('..what it says'));
  const bytes = encode(packed, 'packed');
  expect(decodeMessage(bytes, 'packed')).toEqual(packed);
  const malformed = expect.objectContaining({ code: 'ERR_LIBCR_NATS_MALFORMED' });
  expect(() => decodeMessage(bytes, 'structured')).toThrow(malformed);
  for (const value of [undefined, 'text', Buffer.from('bytes'), { a: 1 }])
    expect(() => decodeMessage(encode(value, 'structured'), 'packed')).toThrow(malformed);
});

describe('bytes that are no value', () => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
  const of = (...parts: (number | string | number[])[]): Uint8Array =>
    Buffer.from([
      0xc1,
      KIND.value,
      0xff,
      15,
      ...parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part)),
    ]);

  test('arrays that are nearly all holes, and buffers that would grow, ask for no memory', () => {
    const hole = (length: number) =>
      ['a', varint(length), '@', 0, varint(length)].flat() as (number | string)[];
    const before = process.memoryUsage().rss;
    for (const bytes of [
      of(...hole(2 ** 25)),
      of('A', 40, ...Array.from({ length: 40 }, () => hole(2 ** 25)).flat(), '$', 0, 40),
      of('~', 0, varint(2 ** 40)),
      of('o', '"', 1, 'x', ...hole(2 ** 31), '{', 1),
    ])
      expect(() => decode(kindOf(bytes), bytes)).toThrow(
        expect.objectContaining({ code: 'ERR_LIBCR_NATS_MALFORMED' }),
      );
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  test('values that somebody has changed a little are values, or malformed', () => {
    const random = generator(SEED + 1);
    let malformed = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(serialize(someValue(random, 3)));
      for (let n = random(3) + 1; n > 0; n--) bytes[random(bytes.length)] = random(256);
      const whole = Buffer.concat([
        Buffer.from([0xc1, KIND.value]),
        bytes.subarray(0, random(10) === 0 ? random(bytes.length) : bytes.length),
      ]);
      try {
        decode(kindOf(whole), whole);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_LIBCR_NATS_MALFORMED' });
        malformed++;
      }
    }
    expect(malformed).toBeGreaterThan(1000);
    expect(malformed).toBeLessThan(19_000);
  });
});
