/**
 * work.ts: what an operation has to do once its arguments have been checked. Written once, it is done in two ways: blocking, or as a promise.
 *
 * Not here: which function of node:fs does what (forms.ts derives those).
 *
 * Invariant: every system call goes through the port of the userthread that asked for it.
 */
import { types } from 'node:util';
import { create } from '@libcr/core';
import { abortError } from '@libcr/core/internal';
import { inTurn } from '../../port/budget.ts';
import { send, sendAsync } from '../../port/send.ts';

export interface Work<R> {
  /** Blocks the running userthread only. On the event loop it does what fs.*Sync do. */
  run(): R;
  /** Begins at once, and never holds up the event loop by waiting. */
  promise(): Promise<R>;
}

/** An operation of a single system call. As a promise it costs no userthread, unless a shim wants the call. */
export class SystemCall<R> implements Work<R> {
  private readonly decode: (reply: number) => R;
  private readonly number: number;
  private readonly a0: unknown;
  private readonly a1: unknown;
  private readonly a2: unknown;
  private readonly a3: unknown;
  private readonly a4: unknown;

  constructor(
    decode: (reply: number) => R,
    number: number,
    a0: unknown,
    a1?: unknown,
    a2?: unknown,
    a3?: unknown,
    a4?: unknown,
  ) {
    this.decode = decode;
    this.number = number;
    this.a0 = a0;
    this.a1 = a1;
    this.a2 = a2;
    this.a3 = a3;
    this.a4 = a4;
  }

  run(): R {
    return this.decode(send(this.number, this.a0, this.a1, this.a2, this.a3, this.a4));
  }

  async promise(): Promise<R> {
    const reply = sendAsync(this.number, this.a0, this.a1, this.a2, this.a3, this.a4);
    return this.decode(typeof reply === 'number' ? reply : await reply);
  }
}

/** An operation of several system calls, in blocking style. As a promise it has a userthread of its own, which costs about a microsecond. */
export class Steps<R> implements Work<R> {
  private readonly name: string;
  private readonly main: () => R;
  private readonly signal: AbortSignal | undefined;

  constructor(name: string, main: () => R, signal?: AbortSignal | undefined) {
    this.name = name;
    this.main = main;
    this.signal = signal;
  }

  run(): R {
    return this.main();
  }

  promise(): Promise<R> {
    const { name, signal } = this;
    if (!types.isProxy(signal)) return create(this.main, { name, signal }).finished as Promise<R>;
    // Nobody can listen to the proxy of a signal, but it can be asked, as node:fs does.
    return create(
      () => {
        if (signal?.aborted) throw abortError(signal.reason);
        const result = this.main();
        if (signal?.aborted) throw abortError(signal.reason);
        return result;
      },
      { name },
    ).finished as Promise<R>;
  }
}

/** What is known without a system call. */
export class Answer<R> implements Work<R> {
  private readonly value: R;

  constructor(value: R) {
    this.value = value;
  }

  run(): R {
    return this.value;
  }

  async promise(): Promise<R> {
    await inTurn(0);
    return this.value;
  }
}
