/**
 * ring.ts: waiting for what has been given to the ring (native/node/ring/ring.h): descriptors, and whole calls.
 *
 * Invariant: inflight[id] is the operation that native knows by id, from its begin to its completion.
 */
import { constants as c } from '../../generated/constants.ts';
import { completions, native, onCompletions } from '../../native.ts';
import { OFFLOAD } from '../answers.ts';
import type { Pending } from './pending.ts';

/** Whether this environment has a ring. Chosen once, when it loads. */
export const onRing: boolean = native.path === 'ring';

abstract class RingOperation implements Pending {
  readonly reason: string;
  done = false;
  result = 0;
  protected id = 0;
  private notify: (() => void) | undefined;

  constructor(reason: string) {
    this.reason = reason;
  }

  protected abstract start(): number;

  begin(notify: () => void): void {
    const id = this.start();
    if (id > 0) {
      this.id = id;
      this.notify = notify;
      inflight[id] = this;
      return;
    }
    this.result = id;
    this.done = true;
  }

  cancel(): void {
    if (this.id === 0) return;
    inflight[this.id] = undefined;
    native.giveUp(this.id);
    this.id = 0;
    this.done = true;
  }

  completed(result: number): void {
    this.result = result;
    this.done = true;
  }

  tell(): void {
    this.notify?.();
  }
}

const inflight: (RingOperation | undefined)[] = [];

onCompletions((count) => {
  // All of them first: what one of them lets run may give up another, or begin one with the number of one that is over.
  const list: (RingOperation | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const id = completions[2 * i] as number;
    const operation = inflight[id];
    inflight[id] = undefined;
    operation?.completed(completions[2 * i + 1] as number);
    list.push(operation);
  }
  for (const operation of list) operation?.tell();
});

/**
 * Waits until fd is ready for events (POLLIN, POLLOUT, …), or broken, nanoseconds at most. result is what has happened (POLL*), or -errno: -ETIME,
 * or -EBADF where fd has been closed.
 */
export class RingPoll extends RingOperation {
  readonly fd: number;
  private readonly events: number;
  /** Below 0: for ever. To be set before begin(). */
  nanoseconds = -1;
  private background = false;

  constructor(fd: number, events: number, reason: string) {
    super(reason);
    this.fd = fd;
    this.events = events;
  }

  protected start(): number {
    return native.poll(this.fd, this.events, this.nanoseconds, this.background);
  }

  /** See background.ts. */
  setBackground(on: boolean): void {
    this.background = on;
    if (this.id !== 0) native.background(this.id, on);
  }

  override completed(result: number): void {
    this.id = 0; // nothing is to be collected
    super.completed(result);
  }
}

/** A read of a stream socket that has been read empty. result is the bytes, or -errno; or answers.ts' READABLE where the ring can't. */
export class Receive extends RingOperation {
  private readonly fd: number;
  private readonly data: unknown;
  private readonly length: number;

  constructor(name: string, fd: number, data: unknown, length: number) {
    super(`${name}()`);
    this.fd = fd;
    this.data = data;
    this.length = length;
  }

  protected start(): number {
    return native.receive(this.fd, this.length);
  }

  override completed(result: number): void {
    if (result <= 0) this.id = 0; // nothing is to be taken
    super.completed(result);
  }

  /** Puts the data where it belongs. result is answers.ts' BAD_RANGE then where the buffer has become too small. */
  take(): void {
    if (this.id === 0) return;
    this.result = native.take(this.id, this.data, this.length);
    this.id = 0;
  }

  /** See pending.ts. The data is in its place then. */
  recall(): boolean {
    const { id } = this;
    if (id === 0) return false;
    inflight[id] = undefined;
    this.id = 0;
    const result = native.recall(id, this.data, this.length);
    if (result === -c.ECANCELED) return false;
    this.completed(result);
    return true;
  }

  override cancel(): void {
    this.recall();
  }
}

/** A whole call. moved: bytes that have been moved already. */
export class RingCall extends RingOperation {
  readonly whole: boolean;
  private readonly call: { moved: number; number: number; args: unknown[] };

  constructor(name: string, call: { moved: number; number: number; args: unknown[] }, whole = true) {
    super(`${name}()`);
    this.call = call;
    this.whole = whole;
  }

  /** The ring does not know the call, after begin(): nothing has been done. */
  get refused(): boolean {
    return this.result === OFFLOAD;
  }

  protected start(): number {
    const { moved, number, args } = this.call;
    return native.submit(moved, number, args[0], args[1], args[2], args[3], args[4], args[5]);
  }

  /** Puts the data where it belongs. false: the buffers have become too small. */
  collect(): boolean {
    if (this.id === 0) return true;
    const { id } = this;
    const { args } = this.call;
    this.id = 0;
    return native.collect(id, args[0], args[1], args[2], args[3], args[4], args[5]) === 0;
  }
}
