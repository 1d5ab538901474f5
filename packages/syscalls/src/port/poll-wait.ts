/** poll-wait.ts: waiting for one of several descriptors, or a timeout: what poll and epoll_wait do. */
import type { Pending } from './pending.ts';
import { Readiness } from './readiness.ts';

const POLLIN = 1;
const EPERM = -1;

/** The descriptors that a struct pollfd[] names, with their events. */
function pollfds(buffer: NodeJS.ArrayBufferView, count: number): Readiness[] {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const list: Readiness[] = [];
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(i * 8, true);
    if (fd >= 0) list.push(new Readiness(fd, view.getUint16(i * 8 + 4, true), 'poll()'));
  }
  return list;
}

export class PollWait implements Pending {
  readonly reason: string;
  done = false;
  /** -errno where a descriptor can't be waited for. */
  result = 0;
  /** The timeout has passed. */
  late = false;
  private readonly deadline: number;
  private readonly list: Readiness[];
  private timer: NodeJS.Timeout | undefined;

  /** deadline: performance.now()'s time, or Infinity. */
  constructor(name: string, args: readonly unknown[], deadline: number) {
    this.reason = `${name}()`;
    this.deadline = deadline;
    this.list =
      name === 'poll'
        ? pollfds(args[0] as NodeJS.ArrayBufferView, args[1] as number)
        : [new Readiness(args[0] as number, POLLIN, this.reason)];
  }

  begin(notify: () => void): void {
    const over = (): void => {
      if (this.done) return;
      this.cancel();
      notify();
    };
    for (const readiness of this.list) {
      readiness.begin(over);
      if (readiness.result === EPERM) continue; // a regular file: always ready for what it can do, never for anything else
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
      Math.max(0, Math.ceil(this.deadline - performance.now())),
    );
  }

  cancel(): void {
    this.done = true;
    clearTimeout(this.timer);
    for (const readiness of this.list) readiness.cancel();
  }
}
