// Functions that compute, of all the kinds that V8 runs differently, each checking its own result. See preempt.mjs.
import vm from 'node:vm';

// (func (param i32) (result i32) (local i32) (loop …)): the sum of 3, 6, … 3n, modulo 2^32
const sumWasm = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f], // type: (i32) -> i32
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x07, 0x01, 0x03, 0x73, 0x75, 0x6d, 0x00, 0x00], // export sum
  ...[0x0a, 0x1e, 0x01, 0x1c, 0x01, 0x01, 0x7f, 0x03, 0x40], // one local, loop
  ...[0x20, 0x01, 0x20, 0x00, 0x41, 0x03, 0x6c, 0x6a, 0x21, 0x01], // sum += n * 3
  ...[0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00], // if (--n) continue
  ...[0x0b, 0x20, 0x01, 0x0b],
]);

function check(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));

function* squares(n) {
  for (let i = 0; i < n; i++) yield i * i;
}

class Counter {
  #n = 0;
  static all = 0;
  add() {
    Counter.all++;
    return ++this.#n;
  }
}

/** size: 1 takes some 50 to 200 ms each. */
export const jobs = {
  recursion(size) {
    for (let i = 0; i < 4 * size; i++) check('fibonacci', fibonacci(25), 75025);
  },
  // The first kind of regular expression that is tried without end; V8 compiles it after a while.
  regexp(size) {
    const bad = `${'a'.repeat(16)}b`;
    for (let i = 0; i < 30 * size; i++) check('regexp', /^(a+)+$/.test(bad), false);
    check(
      'lastMatch',
      'xyz'.replace(/y/, (m) => m.toUpperCase()),
      'xYz',
    );
  },
  wasm(size) {
    const { sum } = new WebAssembly.Instance(new WebAssembly.Module(sumWasm)).exports;
    const n = 3_000_000;
    for (let i = 0; i < 10 * size; i++)
      check('wasm', sum(n), Number(BigInt.asIntN(32, (3n * BigInt(n) * BigInt(n + 1)) / 2n)));
  },
  sort(size) {
    for (let k = 0; k < size; k++) {
      const a = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_011).sort((x, y) => x - y);
      for (let i = 1; i < a.length; i++) if (a[i - 1] > a[i]) throw new Error('not sorted');
    }
  },
  generator(size) {
    let sum = 0;
    for (const x of squares(300_000 * size)) sum = (sum + x) % 1_000_003;
    let expected = 0;
    for (let i = 0; i < 300_000 * size; i++) expected = (expected + i * i) % 1_000_003;
    check('generator', sum, expected);
  },
  map(size) {
    const map = new Map();
    const n = 150_000 * size;
    for (let i = 0; i < n; i++) map.set(`k${i % 500}`, (map.get(`k${i % 500}`) ?? 0) + 1);
    let total = 0;
    for (const value of map.values()) total += value;
    check('map', total, n);
  },
  bigint(size) {
    for (let k = 0; k < 3 * size; k++) {
      let factorial = 1n;
      for (let i = 1n; i < 900n; i++) factorial *= i;
      check('bigint', factorial % 899n, 0n);
    }
  },
  exceptions(size) {
    const n = 30_000 * size;
    let count = 0;
    for (let i = 0; i < n; i++)
      try {
        if (i % 3 === 0) throw new Error('x');
        count++;
      } catch {
        count += 2;
      } finally {
        count++;
      }
    check('exceptions', count, n * 2 + Math.ceil(n / 3));
  },
  privateFields(size) {
    const counter = new Counter();
    const n = 2_000_000 * size;
    for (let i = 0; i < n; i++) counter.add();
    check('private fields', counter.add(), n + 1);
  },
  strings(size) {
    let text = '';
    let length = 0;
    for (let i = 0; i < 200_000 * size; i++) {
      text += String.fromCharCode(65 + (i % 26));
      length++;
      if (text.length >= 5000) {
        text = text.slice(2500);
        length -= 2500;
      }
    }
    check('strings', text.length, length);
  },
  json(size) {
    for (let i = 0; i < 3000 * size; i++) {
      const value = { a: i, b: [i, { c: 'x'.repeat(i % 50) }], toJSON: () => ({ a: i, b: [i, 2] }) };
      check('json', JSON.stringify(value), `{"a":${i},"b":[${i},2]}`);
      check('json', JSON.parse(JSON.stringify({ i, list: [i] }), (_, v) => v).list[0], i);
    }
  },
  otherContext(size) {
    check(
      'vm',
      vm.runInNewContext(`let s = 0; for (let i = 0; i < ${size * 2e6}; i++) s += i % 7; s`) > 0,
      true,
    );
  },
  proxies(size) {
    const proxy = new Proxy({}, { get: (_, key) => Array.from(String(key)).length });
    let sum = 0;
    for (let i = 0; i < 40_000 * size; i++) sum += proxy[`k${i & 7}`];
    check('proxies', sum, 80_000 * size);
  },
};
