/** realms.test.ts: arguments that were made in another realm, as everything is that code under Jest makes: `instanceof` knows none of them. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import vm from 'node:vm';
import { run } from '@libcr/core';
import { expect, test } from 'vitest';
import { Mutex, spawn } from '../src/index.ts';
import { scratch } from './programs.ts';

// biome-ignore lint/suspicious/noExplicitAny: whatever it is
const there = (code: string, globals: object = {}): any => vm.runInNewContext(code, globals);

test('a SharedArrayBuffer that an object is placed in', () => {
  const mutex = new Mutex({ shared: there('new SharedArrayBuffer(64)'), offset: 8 });
  expect(mutex.isShared).toBe(true);
  expect(mutex.place.offset).toBe(8);
  expect(Mutex.at(mutex.place).isShared).toBe(true);
  expect(() => new Mutex({ shared: there('new ArrayBuffer(64)') })).toThrow(TypeError);
});

test('a Date as a deadline', async () => {
  const code = await run(() => {
    const mutex = new Mutex();
    const guard = mutex.lock();
    try {
      mutex.timedLock(there('new Date(0)'));
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      guard[Symbol.dispose]();
    }
  });
  expect(code).toBe('EDEADLK');
});

test('a URL as the working directory of a program', async () => {
  const { href, protocol, host, hostname, pathname } = new URL(`file://${scratch}/`);
  const cwd = there('({ ...url })', { url: { href, protocol, host, hostname, pathname } });
  const child = spawn('pwd', [], { cwd });
  const output = text(child.stdout);
  await once(child, 'close');
  expect((await output).trim()).toBe(scratch);
});
