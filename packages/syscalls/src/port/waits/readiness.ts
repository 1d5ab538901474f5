/**
 * readiness.ts: waiting for descriptors. Several userthreads may wait for one; native/node/readiness.c knows each descriptor once.
 *
 * Invariant: a descriptor is armed natively exactly while it has waiters, for the union of what they wait for.
 */
import { constants as c } from '../../generated/constants.ts';
import { native, onReady } from '../../native.ts';
import type { Pending } from './pending.ts';

const waiters = new Map<number, Readiness[]>();

/** How many descriptors are waited for: a live binding, so that close() looks here only when it must. */
export let watched = 0;

function update(fd: number, list: Readiness[]): number {
  if (list.length === 0) {
    waiters.delete(fd);
  } else {
    waiters.set(fd, list);
    let events = 0;
    for (const waiter of list) events |= waiter.events;
    const answer = native.watch(fd, events);
    if (answer < 0) return answer;
  }
  watched = waiters.size;
  return 0;
}

/** How many waits keep the event loop alive. */
let holding = 0;

function hold(by: number): void {
  const before = holding;
  holding += by;
  if (before === 0 || holding === 0) native.ref(holding > 0);
}

/** Waits until fd is ready for events (c.POLLIN, c.POLLOUT, …), or broken. result is 0, or -errno where that cannot be waited for. */
export class Readiness implements Pending {
  readonly fd: number;
  readonly events: number;
  readonly reason: string;
  done = false;
  result = 0;
  notify: (() => void) | undefined;
  private background = false;
  /** It keeps the loop alive. */
  private holds = false;

  constructor(fd: number, events: number, reason: string) {
    this.fd = fd;
    this.events = events;
    this.reason = reason;
  }

  begin(notify: () => void): void {
    this.notify = notify;
    const list = [...(waiters.get(this.fd) ?? []), this];
    const answer = update(this.fd, list);
    if (answer === 0) {
      this.setHolding(!this.background);
      return;
    }
    this.result = answer;
    this.done = true;
    update(this.fd, list.slice(0, -1));
  }

  private setHolding(on: boolean): void {
    if (this.holds === on) return;
    this.holds = on;
    hold(on ? 1 : -1);
  }

  /** See background.ts. */
  setBackground(on: boolean): void {
    this.background = on;
    if (this.notify !== undefined && !this.done) this.setHolding(!on);
  }

  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.setHolding(false);
    const list = waiters.get(this.fd)?.filter((waiter) => waiter !== this) ?? [];
    if (list.length === 0) native.forget(this.fd);
    update(this.fd, list);
  }

  finish(result: number): void {
    this.result = result;
    this.done = true;
    this.setHolding(false);
    this.notify?.();
  }
}

onReady((fd, revents) => {
  const list = waiters.get(fd);
  if (list === undefined) return;
  const happened = (waiter: Readiness): boolean => (revents & (waiter.events | c.POLLERR | c.POLLHUP)) !== 0;
  const answer = update(
    fd,
    list.filter((waiter) => !happened(waiter)),
  );
  for (const waiter of list) if (answer < 0 || happened(waiter)) waiter.finish(0);
});

/** fd is about to be closed: whoever waits for it gets c.EBADF. */
export function closing(fd: number): void {
  const list = waiters.get(fd);
  if (list === undefined) return;
  native.forget(fd);
  update(fd, []);
  for (const waiter of list) waiter.finish(-c.EBADF);
}

/** The same for all descriptors from first to last. */
export function closingRange(first: number, last: number): void {
  for (const fd of [...waiters.keys()]) if (fd >= first && fd <= last) closing(fd);
}
