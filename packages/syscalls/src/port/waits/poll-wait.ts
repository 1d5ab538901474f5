/** poll-wait.ts: waiting for one of several descriptors, or a timeout: what poll, select, epoll_wait and their like do. */

import { milliseconds } from '../../clock.ts';
import { decodeFdSet } from '../../codec/net/fd-sets.ts';
import { constants as c } from '../../generated/constants.ts';
import { clearTimeout, setTimeout } from '../../loop.ts';
import { inBackground } from './background.ts';
import type { Pending } from './pending.ts';
import { Readiness } from './readiness.ts';
import { onRing, RingPoll } from './ring.ts';

type Wait = Readiness | RingPoll;

/** A wait for one descriptor. */
export function waitFor(fd: number, events: number, reason: string): Wait {
  return inBackground(fd, onRing ? new RingPoll(fd, events, reason) : new Readiness(fd, events, reason));
}

/** The descriptors that a struct pollfd[] names, with their events. */
function pollfds(buffer: NodeJS.ArrayBufferView, count: number): Wait[] {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const list: Wait[] = [];
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(i * 8, true);
    if (fd >= 0) list.push(waitFor(fd, view.getUint16(i * 8 + 4, true), 'poll()'));
  }
  return list;
}

/** The descriptors of select's three sets. */
function selected([count, read, write, except]: readonly unknown[]): Wait[] {
  const list = (bits: unknown, events: number): Wait[] => {
    if (bits === null || bits === undefined) return [];
    const { buffer, byteOffset, byteLength } = bits as NodeJS.ArrayBufferView;
    const set = new Uint8Array(buffer, byteOffset, byteLength);
    return decodeFdSet(set, count as number).map((fd) => waitFor(fd, events, 'select()'));
  };
  return [...list(read, c.POLLIN), ...list(write, c.POLLOUT), ...list(except, c.POLLPRI)];
}

function descriptors(name: string, args: readonly unknown[]): Wait[] {
  switch (name) {
    case 'poll':
    case 'ppoll':
      return pollfds(args[0] as NodeJS.ArrayBufferView, args[1] as number);
    case 'select':
    case 'pselect6':
      return selected(args);
    default:
      return [waitFor(args[0] as number, c.POLLIN, `${name}()`)];
  }
}

export class PollWait implements Pending {
  readonly reason: string;
  done = false;
  /** -errno where a descriptor can't be waited for. */
  result = 0;
  /** The timeout has passed. */
  late = false;
  private readonly deadline: number;
  private readonly list: Wait[];
  private timer: NodeJS.Timeout | undefined;

  /** deadline: performance.now()'s time, or Infinity. */
  constructor(name: string, args: readonly unknown[], deadline: number) {
    this.reason = `${name}()`;
    this.deadline = deadline;
    this.list = descriptors(name, args);
  }

  begin(notify: () => void): void {
    const over = (): void => {
      if (this.done) return;
      this.cancel();
      notify();
    };
    if (onRing) this.beginOnRing(over);
    else this.beginOnLoop(over);
  }

  private beginOnLoop(over: () => void): void {
    for (const readiness of this.list) {
      readiness.begin(over);
      if (readiness.result === -c.EPERM) continue; // a regular file: always ready for what it can do, never for anything else
      if (readiness.done) {
        this.result = readiness.result;
        this.cancel();
        return;
      }
    }
    if (this.deadline === Infinity) return;
    this.timer = setTimeout(
      () => {
        this.late = true;
        over();
      },
      Math.max(0, Math.ceil(this.deadline - milliseconds())),
    );
  }

  /** The first wait brings the timeout along, linked to it; where there is none, or it turns out to be none, a wait for the time alone. */
  private beginOnRing(over: () => void): void {
    const begin = (wait: RingPoll): void => {
      if (this.deadline !== Infinity && wait === this.list[0])
        wait.nanoseconds = Math.max(0, (this.deadline - milliseconds()) * 1e6);
      wait.begin(() => {
        if (wait.result === -c.ETIME) this.late = true;
        if (wait.result !== -c.EINVAL) return over();
        if (wait !== this.list[0]) return; // a regular file: always ready for what it can do, never for anything else
        this.list[0] = new RingPoll(-1, 0, this.reason);
        if (this.deadline !== Infinity) begin(this.list[0] as RingPoll);
      });
      if (wait.done) this.result = wait.result;
    };
    if (this.list.length === 0) this.list.push(new RingPoll(-1, 0, this.reason));
    for (const wait of [...this.list] as RingPoll[]) {
      if (wait.fd >= 0 || this.deadline !== Infinity) begin(wait);
    }
    if (this.result < 0) this.cancel();
  }

  cancel(): void {
    this.done = true;
    clearTimeout(this.timer);
    for (const readiness of this.list) readiness.cancel();
  }
}
