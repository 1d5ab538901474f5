/** record-clock.test.ts: clocks and chance in a recording: every source, on this Node, answers in the replay what it did. */
import crypto, { randomUUID as importedUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { hrtime as importedHrtime } from 'node:process';
import { promisify } from 'node:util';
import { create } from '@libcr/core';
import { expect, test } from 'vitest';
import { mkdtempSync } from '../../src/fs/index.ts';
import { sys } from '../../src/index.ts';
import { record } from '../../src/shims/record/index.ts';
import type { ClockLine, Line } from '../../src/shims/recording/lines.ts';
import { replay } from '../../src/shims/replay/index.ts';
import { temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
// biome-ignore lint/suspicious/noExplicitAny: not on each Node, and not in the types of the oldest
type Any = any;
const { Temporal, Performance } = globalThis as Any;
const any = crypto as Any;
const german = new Intl.DateTimeFormat('de', {
  dateStyle: 'full',
  timeStyle: 'full',
  timeZone: 'UTC',
  fractionalSecondDigits: undefined,
});
const exact = new Intl.DateTimeFormat('en', {
  minute: 'numeric',
  second: 'numeric',
  fractionalSecondDigits: 3,
});

/** What changes by itself, and which reading it is. */
const sources: Record<string, [name: ClockLine['clock'], read: () => unknown]> = {
  'Date.now': ['Date.now', () => Date.now()],
  'new Date': ['Date.now', () => new Date().toISOString()],
  'Date()': ['Date.now', () => Date()],
  'Reflect.construct(Date)': ['Date.now', () => +Reflect.construct(Date, [])],
  'class extends Date': ['Date.now', () => +new (class extends Date {})()],
  'format()': ['Date.now', () => exact.format()],
  'format(undefined)': ['Date.now', () => german.format(undefined)],
  'formatToParts()': ['Date.now', () => exact.formatToParts()],
  'performance.now': ['performance.now', () => performance.now()],
  'performance.now of its class': ['performance.now', () => Performance.prototype.now.call(performance)],
  'performance.timeOrigin': ['performance.timeOrigin', () => performance.timeOrigin],
  'performance.toJSON': ['performance.timeOrigin', () => (performance.toJSON() as Any).timeOrigin],
  'performance.mark': ['performance.now', () => performance.mark('m', { detail: 1 }).toJSON()],
  'performance.measure': ['performance.now', () => performance.measure('n').toJSON()],
  'measure from a mark': ['performance.now', () => performance.measure('n', 'm').duration],
  'measure with options': [
    'performance.now',
    () => performance.measure('n', { start: 1, detail: { a: 1 } }).toJSON(),
  ],
  'Event.timeStamp': ['performance.now', () => new Event('x').timeStamp],
  eventLoopUtilization: ['performance.eventLoopUtilization', () => performance.eventLoopUtilization()],
  'process.hrtime': ['process.hrtime', () => process.hrtime()],
  'hrtime.bigint': ['process.hrtime', () => String(process.hrtime.bigint())],
  'hrtime, imported': ['process.hrtime', () => importedHrtime([1, 2])],
  'process.uptime': ['process.uptime', () => process.uptime()],
  'process.cpuUsage': ['process.cpuUsage', () => process.cpuUsage()],
  'process.resourceUsage': ['process.resourceUsage', () => process.resourceUsage()],
  'process.memoryUsage': ['process.memoryUsage', () => process.memoryUsage()],
  'memoryUsage.rss': ['process.memoryUsage', () => process.memoryUsage.rss()],
  'process.availableMemory': ['process.availableMemory', () => process.availableMemory?.()],
  'process.constrainedMemory': ['process.constrainedMemory', () => process.constrainedMemory()],
  'os.uptime': ['os.uptime', () => os.uptime()],
  'os.freemem': ['os.freemem', () => os.freemem()],
  'os.loadavg': ['os.loadavg', () => os.loadavg()],
  'os.cpus': ['os.cpus', () => os.cpus()],
  'Math.random': ['Math.random', () => Math.random()],
  randomBytes: ['crypto.randomBytes', () => crypto.randomBytes(20).toString('hex')],
  'randomBytes, by its older names': [
    'crypto.randomBytes',
    () => [any.pseudoRandomBytes(5), any.prng(6), any.rng(7)].map((bytes) => bytes.toString('hex')),
  ],
  randomInt: ['crypto.randomInt', () => [crypto.randomInt(2 ** 40), crypto.randomInt(5, 2 ** 40)]],
  randomUUID: [
    'crypto.randomUUID',
    () => [crypto.randomUUID(), crypto.randomUUID({ disableEntropyCache: true })],
  ],
  'randomUUID, imported': ['crypto.randomUUID', () => importedUUID()],
  'webcrypto.randomUUID': ['crypto.randomUUID', () => globalThis.crypto.randomUUID()],
  randomFillSync: ['crypto.randomFill', () => crypto.randomFillSync(Buffer.alloc(10), 3).toString('hex')],
  'randomFillSync of a part': [
    'crypto.randomFill',
    () => crypto.randomFillSync(new Uint16Array(10), 3, 2).join(),
  ],
  'randomFillSync of an ArrayBuffer': [
    'crypto.randomFill',
    () => Buffer.from(crypto.randomFillSync(new ArrayBuffer(9) as Any)).toString('hex'),
  ],
  getRandomValues: [
    'crypto.getRandomValues',
    () => [
      crypto.getRandomValues(new Uint32Array(3)).join(),
      globalThis.crypto.getRandomValues(new Int8Array(7)).join(),
    ],
  ],
  generateKeySync: [
    'crypto.generateKey',
    () => crypto.generateKeySync('hmac', { length: 64 }).export().toString('hex'),
  ],
  'generateKeyPairSync, objects': [
    'crypto.generateKeyPair',
    () => {
      const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
      expect(
        crypto.verify(null, Buffer.from('x'), publicKey, crypto.sign(null, Buffer.from('x'), privateKey)),
      ).toBe(true);
      return publicKey.export({ format: 'der', type: 'spki' }).toString('hex');
    },
  ],
  'generateKeyPairSync, text': [
    'crypto.generateKeyPair',
    () => {
      const encoding = { format: 'pem' } as const;
      return crypto.generateKeyPairSync('x25519', {
        publicKeyEncoding: { ...encoding, type: 'spki' },
        privateKeyEncoding: { ...encoding, type: 'pkcs8' },
      });
    },
  ],
  generatePrimeSync: [
    'crypto.generatePrime',
    () => [
      String(crypto.generatePrimeSync(64, { bigint: true })),
      Buffer.from(crypto.generatePrimeSync(64)).toString('hex'),
    ],
  ],
  mkdtemp: ['crypto.randomBytes', () => mkdtempSync(join(folder, 'd'))],
  ...(Temporal !== undefined && {
    'Temporal.Now': [
      'Temporal.Now',
      () =>
        [
          Temporal.Now.instant(),
          Temporal.Now.zonedDateTimeISO('Asia/Kolkata'),
          Temporal.Now.zonedDateTimeISO(),
          Temporal.Now.plainDateTimeISO('UTC'),
          Temporal.Now.plainDateISO(),
          Temporal.Now.plainTimeISO(),
        ].map(String),
    ],
  }),
  ...(any.randomUUIDv7 !== undefined && { randomUUIDv7: ['crypto.randomUUID', () => any.randomUUIDv7()] }),
  ...((process as Any).threadCpuUsage !== undefined && {
    threadCpuUsage: ['process.threadCpuUsage', () => (process as Any).threadCpuUsage()],
  }),
};

const CALLBACKS = 8;
/** What is told later, in the order in which it was. */
function askLater(told: unknown[]): void {
  const tell =
    (name: string) =>
    (error: unknown, ...values: unknown[]): void => {
      told.push([
        name,
        error,
        values.map((value) => (value instanceof crypto.KeyObject ? value.type : String(value))),
      ]);
    };
  crypto.randomBytes(8, tell('randomBytes'));
  crypto.randomFill(Buffer.alloc(8), tell('randomFill'));
  crypto.randomFill(new Uint8Array(8), 2, 4, tell('randomFill of a part'));
  crypto.randomInt(2 ** 40, tell('randomInt'));
  crypto.generatePrime(64, { bigint: true }, tell('generatePrime'));
  crypto.generateKey('hmac', { length: 64 }, tell('generateKey'));
  crypto.generateKeyPair('ed25519', {} as Any, tell('generateKeyPair'));
  promisify(crypto.randomBytes)(8).then((value) => tell('promise')(null, value));
}

interface Seen {
  values: Record<string, unknown>;
  told: unknown[];
}

async function see(): Promise<Seen> {
  const told: unknown[] = [];
  const values = Object.fromEntries(Object.entries(sources).map(([name, [, read]]) => [name, read()]));
  askLater(told);
  return { values, told };
}

/** All of it on a userthread, and what it was told by then. */
async function program(syscallPort?: unknown): Promise<Seen> {
  const seen = await create(see, { name: 'program', syscallPort } as Any).finished;
  while ((seen as Seen).told.length < CALLBACKS) await new Promise((resolve) => setImmediate(resolve));
  return seen as Seen;
}

/** All that has a stand-in, as it is now. */
const state = (): unknown[] => {
  const objects: object[] = [
    Date,
    Date.prototype,
    Intl.DateTimeFormat.prototype,
    process,
    process.memoryUsage,
    os,
    crypto,
    Math,
    Performance.prototype,
    Event.prototype,
    Object.getPrototypeOf(crypto.webcrypto) as object,
    ...(Temporal === undefined ? [] : [Temporal.Now]),
  ];
  const date = Object.getOwnPropertyDescriptor(globalThis, 'Date');
  const others = objects.flatMap((object) =>
    Reflect.ownKeys(object).map((key) => {
      const { value, get } = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
      return typeof value === 'function' || get !== undefined ? [key, value ?? get] : [key];
    }),
  );
  return [date, ...others];
};

test('every source: the replay has what was recorded; afterwards all is as it was', async () => {
  await program(); // loads what it needs
  const before = state();
  const file = join(folder, 'recording');
  const recorder = record({ file, clock: true });
  const first = await program(sys.with(recorder));
  recorder.close();
  expect(state()).toEqual(before);

  const lines = fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const clocks = new Set(
    lines.flatMap((line) => ('clock' in line && typeof line.clock === 'string' ? [line.clock] : [])),
  );
  for (const [name] of Object.values(sources)) expect(clocks).toContain(name);

  const again = await program();
  const same = [
    'os.cpus',
    'os.loadavg',
    'os.freemem',
    'os.uptime',
    'process.availableMemory',
    'process.constrainedMemory',
    'performance.timeOrigin',
    'performance.toJSON',
    'format(undefined)',
    'eventLoopUtilization',
    'Date()',
  ];
  for (const name of Object.keys(sources))
    if (!same.includes(name)) expect([name, again.values[name]]).not.toEqual([name, first.values[name]]);

  const shim = replay({ file });
  const second = await program(sys.with(shim));
  shim.finish();
  expect(second).toEqual(first);
  expect(state()).toEqual(before);
});

test('misuse is what it was, and takes no reading', async () => {
  const misuses: (() => unknown)[] = [
    () => crypto.randomBytes(-1),
    () => crypto.randomBytes(4, 'x' as Any),
    () => crypto.randomInt(5, 1),
    () => (crypto.randomFill as Any)(Buffer.alloc(4)),
    () => crypto.randomFillSync(Buffer.alloc(4), 9),
    () => crypto.generateKeyPairSync('nothing' as Any),
    () => (crypto.generateKeyPair as Any)('ed25519', {}),
    () => globalThis.crypto.getRandomValues(new Float32Array(4) as Any),
    () => Performance.prototype.now.call({} as Any),
    () => Intl.DateTimeFormat.prototype.formatToParts.call({} as Any),
    () => process.hrtime('x' as Any),
    () => process.cpuUsage('x' as Any),
    ...(Temporal === undefined ? [] : [() => Temporal.Now.plainDateISO('no/where')]),
  ];
  const outcomes = (): unknown[] =>
    misuses.map((misuse) => {
      try {
        return [String(misuse), misuse()];
      } catch (error) {
        return [String(misuse), (error as Error).name, (error as Error).message, (error as Any).code];
      }
    });
  const plain = outcomes();
  const file = join(folder, 'misuse');
  const recorder = record({ file, clock: true });
  const recorded = await create(outcomes, { name: 'program', syscallPort: sys.with(recorder) } as Any)
    .finished;
  recorder.close();
  expect(recorded).toEqual(plain);
  expect(fs.readFileSync(file, 'utf8')).not.toContain('"program"');
  const { format } = german;
  expect(german.format).toBe(format);
  expect([crypto.randomInt.name, crypto.randomBytes.length, format.length]).toEqual(['randomInt', 2, 1]);
});

test('whatever has a name of that kind on this Node has a stand-in', async () => {
  const kinds: [object, RegExp][] = [
    [crypto, /^(pseudo)?random|^generate|^p?rng$/i], // getRandomValues asks Web Crypto's
    [Object.getPrototypeOf(crypto.webcrypto) as object, /random/i],
    [process, /^(hrtime|uptime)$|(Usage|Memory)$/],
    [os, /^(uptime|freemem|loadavg|cpus)$/],
    [Date, /^now$/],
    [Math, /random/],
    [Performance.prototype, /^(now|mark|measure|toJSON|timeOrigin|eventLoopUtilization)$/],
    ...(Temporal === undefined ? [] : [[Temporal.Now, /^(?!timeZoneId$)/] as [object, RegExp]]),
  ];
  const standing = (): Map<string, unknown> =>
    new Map(
      kinds.flatMap(([object, kind], i) =>
        Reflect.ownKeys(object)
          .filter((key): key is string => typeof key === 'string' && kind.test(key))
          .map((key): [string, unknown] => {
            const { value, get } = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
            return [`${i} ${key}`, value ?? get];
          }),
      ),
    );
  const before = standing();
  const recorder = record({ file: join(folder, 'standing'), clock: true });
  const during = standing();
  recorder.close();
  expect(before.size).toBeGreaterThan(30);
  expect([...before].filter(([key, value]) => during.get(key) === value)).toEqual([]);
});
