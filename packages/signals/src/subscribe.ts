/**
 * subscribe.ts: all of some signals, for as long as they are wanted: signals(), abortOn(), onsignal(). Each signal goes to all that want it, and its action is not
 * done. They have nothing to do with masks.
 *
 * Invariant: what the native half is told that is wanted here is what the subscriptions want together.
 */
import { Msg, MsgPort } from '@libcr/core';
import { CodedError, invalidType } from '@libcr/core/internal';
import { addTakers } from './deliver.ts';
import { hold } from './hold.ts';
import { subscribe as tell } from './read.ts';
import type { SignalInfo } from './siginfo.ts';
import { inWords, type Signals, setToTake } from './sigset.ts';

/** Ends what it stands for. */
export interface Subscription {
  /** No more signals. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
}

interface Entry {
  readonly low: number;
  readonly high: number;
  get(info: SignalInfo): void;
}

const entries = new Set<Entry>();

function update(): void {
  let low = 0;
  let high = 0;
  for (const entry of entries) {
    low |= entry.low;
    high |= entry.high;
  }
  tell(low, high);
}

function add(signals: Signals, what: string, get: (info: SignalInfo) => void): () => void {
  const entry = { ...pick(signals, what), get };
  entries.add(entry);
  update();
  return () => {
    if (entries.delete(entry)) update();
  };
}

function pick(signals: Signals, what: string): { low: number; high: number } {
  const { low, high } = setToTake(signals, what);
  return { low, high };
}

addTakers({
  offer: () => false,
  publish(info) {
    let wanted = false;
    for (const entry of [...entries]) {
      if (!inWords(entry.low, entry.high, info.signo)) continue;
      wanted = true;
      entry.get(info);
    }
    return wanted;
  },
  wants(signo) {
    for (const entry of entries) if (inWords(entry.low, entry.high, signo)) return true;
    return false;
  },
});

export interface SubscribeOptions {
  /** Keeps the program alive until it is closed. */
  ref?: boolean | undefined;
}

/** Holds the event loop if options say so; calls the function that is returned at the end. */
function holding(options: SubscribeOptions): () => void {
  if (!(options.ref ?? false)) return () => {};
  hold(true);
  let held = true;
  return () => {
    if (held) hold(false);
    held = false;
  };
}

function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { ref = false } = options as SubscribeOptions;
  if (typeof ref !== 'boolean') throw invalidType('options.ref', 'of type boolean', ref);
}

/** What signals() returns. */
export interface SignalIterator extends AsyncIterableIterator<SignalInfo>, Subscription {
  next(): Promise<IteratorResult<SignalInfo, undefined>>;
  return(): Promise<IteratorResult<SignalInfo, undefined>>;
  [Symbol.asyncIterator](): SignalIterator;
}

/**
 * These signals, from now on until it is closed, for `for await` on the event loop: each comes once, in its order, however long the loop's body takes. Who leaves the loop
 * closes it. It does not keep the program alive unless options.ref. Never blocks. Throws TypeError and RangeError, EINVAL for signals that nobody can wait for.
 */
export function signals(set: Signals, options: SubscribeOptions = {}): SignalIterator {
  checkOptions(options);
  const queue: SignalInfo[] = [];
  const takers: ((result: IteratorResult<SignalInfo, undefined>) => void)[] = [];
  const over = { value: undefined, done: true } as const;
  let open = true;
  const end = add(set, 'signals', (info) => {
    const taker = takers.shift();
    if (taker === undefined) queue.push(info);
    else taker({ value: info, done: false });
  });
  const release = holding(options);

  const iterator: SignalIterator = {
    next() {
      const info = queue.shift();
      if (info !== undefined) return Promise.resolve({ value: info, done: false });
      if (!open) return Promise.resolve(over);
      return new Promise((resolve) => takers.push(resolve));
    },
    return() {
      iterator.close();
      return Promise.resolve(over);
    },
    close() {
      if (!open) return;
      open = false;
      end();
      release();
      queue.length = 0;
      for (const taker of takers.splice(0)) taker(over);
    },
    [Symbol.dispose]() {
      iterator.close();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** The reason of abortOn()'s signal. */
export class SignalError extends CodedError {
  /** What came along. */
  readonly info: SignalInfo;

  constructor(info: SignalInfo) {
    super('ERR_LIBCR_SIGNAL', `The process has been sent ${info.signal}`);
    this.info = info;
  }
}

/**
 * An AbortSignal that the first of these signals aborts; its reason is a SignalError with what came along. Afterwards the signals do again what they did before, and so
 * they do if it is closed: a second ^C ends the program that the first was to end well. It does not keep the program alive. Never blocks. Throws TypeError and
 * RangeError, EINVAL for signals that nobody can wait for.
 */
export function abortOn(set: Signals): AbortSignal & Subscription {
  const controller = new AbortController();
  const close = add(set, 'abortOn', (info) => {
    close();
    controller.abort(new SignalError(info));
  });
  return Object.assign(controller.signal, { close, [Symbol.dispose]: close });
}

/**
 * Each of these signals is sent to the port as a message whose data is what came along; nobody waits for its answer. Until what this returns is closed, or a signal finds
 * the port closed. It does not keep the program alive unless options.ref. Never blocks. Throws TypeError and RangeError, EINVAL for signals that nobody can wait for, ERR_LWKT_NOT_OWNER for another rfork's port.
 */
export function onsignal(
  port: MsgPort<SignalInfo>,
  set: Signals,
  options: SubscribeOptions = {},
): Subscription {
  if (!(port instanceof MsgPort)) throw invalidType('port', 'an instance of MsgPort', port);
  const { home, post } = port as unknown as { home: unknown; post(msg: Msg<SignalInfo>): void };
  if (home !== undefined)
    throw new CodedError(
      'ERR_LWKT_NOT_OWNER',
      `port "${port.name}" is another rfork's: call onsignal() there`,
    );
  checkOptions(options);
  const end = add(set, 'onsignal', (info) => {
    try {
      post.call(port, new Msg(info));
    } catch {
      close(); // the port is closed
    }
  });
  const release = holding(options);
  const close = (): void => {
    end();
    release();
  };
  return { close, [Symbol.dispose]: close };
}

declare module '@libcr/core' {
  interface MsgPort {
    /** onsignal() of @libcr/signals with this port. */
    onsignal(set: Signals, options?: SubscribeOptions): Subscription;
  }
}

Object.defineProperty(MsgPort.prototype, 'onsignal', {
  configurable: true,
  writable: true,
  value(this: MsgPort<SignalInfo>, set: Signals, options?: SubscribeOptions): Subscription {
    return onsignal(this, set, options);
  },
});
