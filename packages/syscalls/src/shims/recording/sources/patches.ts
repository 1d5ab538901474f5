/**
 * patches.ts: properties that others stand in for, and all as it was again.
 *
 * Invariant: undo() puts back the very descriptors, the last first; a property that is not there, as on another Node, is left alone.
 */
import { syncBuiltinESMExports } from 'node:module';
import { curthread, type UserThread } from '@libcr/core';
import type { ClockName } from '../lines.ts';

/** Answers a reading: the real one, kept, or one that was kept. */
export type Reading = (name: ClockName, read: () => number | string) => number | string;

// biome-ignore lint/suspicious/noExplicitAny: functions of every shape
export type Any = any;
type Method = (this: Any, ...args: Any[]) => Any;

export class Patches {
  private readonly undone: (() => void)[] = [];
  /** Those in a stand-in: what that calls is the real thing. */
  private readonly inside = new WeakSet<UserThread>();

  /** Puts a descriptor in place of another, of which it is made; the rest of that stays. */
  replace(object: object, key: PropertyKey, make: (was: PropertyDescriptor) => PropertyDescriptor): void {
    const was = Object.getOwnPropertyDescriptor(object, key);
    if (was?.configurable !== true) return;
    Object.defineProperty(object, key, { ...was, ...make(was) });
    this.undone.push(() => Object.defineProperty(object, key, was));
  }

  /** Puts a function in place of another, with that one's own properties. What it calls of others that are replaced is the real thing. */
  method(object: object, key: PropertyKey, make: (real: Method) => Method): void {
    this.replace(object, key, ({ value: real }) => {
      if (typeof real !== 'function') return {};
      return { value: this.dressed(real, make(real)) };
    });
  }

  /** The same for what is read without being called. */
  getter(object: object, key: PropertyKey, make: (real: Method) => Method): void {
    this.replace(object, key, ({ get: real }) =>
      real === undefined ? {} : { get: this.dressed(real, make(real)) },
    );
  }

  /** A function whose answer is a reading of itself. */
  read(
    object: object,
    key: PropertyKey,
    name: ClockName,
    reading: Reading,
    [encode, decode]: readonly [(value: Any) => number | string, (value: Any) => Any] = AS_IT_IS,
  ): void {
    this.method(
      object,
      key,
      (real) =>
        function (this: Any, ...args: Any[]) {
          const value = Reflect.apply(real, this, args); // also for what it throws
          return decode(reading(name, () => encode(value)));
        },
    );
  }

  /** Names that modules have imported follow. */
  done(): () => void {
    syncBuiltinESMExports();
    return () => {
      for (const undo of this.undone.splice(0).reverse()) undo();
      syncBuiltinESMExports();
    };
  }

  private dressed(real: Method, standIn: Method): Method {
    const patches = this;
    const dressed = function (this: Any, ...args: Any[]): Any {
      const td = curthread();
      if (patches.inside.has(td)) return Reflect.apply(real, this, args);
      patches.inside.add(td);
      try {
        return Reflect.apply(standIn, this, args);
      } finally {
        patches.inside.delete(td);
      }
    };
    for (const key of Reflect.ownKeys(real)) {
      const descriptor = Object.getOwnPropertyDescriptor(real, key) as PropertyDescriptor;
      if (key !== 'prototype') Object.defineProperty(dressed, key, descriptor);
    }
    return dressed;
  }
}

const AS_IT_IS = [(value: Any) => value, (value: Any) => value] as const;
/** What JSON can say. */
export const JSON_TEXT: readonly [(value: Any) => string, (value: Any) => Any] = [JSON.stringify, JSON.parse];
