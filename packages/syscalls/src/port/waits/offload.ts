/** offload.ts: waiting for a call that a helper thread makes (native/node/offload.c). */
import { native, onDone } from '../../native.ts';
import type { Pending } from './pending.ts';

const jobs = new Map<number, Offload>();

onDone((id, result) => {
  const job = jobs.get(id);
  if (job === undefined) return;
  job.result = result;
  job.done = true;
  job.notify?.();
});

/** done: bytes that have been moved already; held: a descriptor that open goes on from, or -1. */
export class Offload implements Pending {
  readonly reason: string;
  readonly whole = true;
  done = false;
  result = 0;
  notify: (() => void) | undefined;
  private id = 0;
  private readonly call: { moved: number; held: number; number: number; args: unknown[] };

  constructor(name: string, call: { moved: number; held: number; number: number; args: unknown[] }) {
    this.reason = `${name}()`;
    this.call = call;
  }

  begin(notify: () => void): void {
    const { moved, held, number, args } = this.call;
    this.notify = notify;
    this.id = native.offload(moved, held, number, ...args);
    if (this.id > 0) {
      jobs.set(this.id, this);
      return;
    }
    this.result = this.id;
    this.id = 0;
    this.done = true;
  }

  /** Puts the data where it belongs. false: the buffers have become too small. */
  collect(): boolean {
    if (this.id === 0) return true;
    jobs.delete(this.id);
    const { id } = this;
    this.id = 0;
    return native.finish(id, ...this.call.args) === 0;
  }

  cancel(): void {
    if (this.id === 0) return;
    jobs.delete(this.id);
    native.abandon(this.id);
    this.id = 0;
    this.done = true;
  }
}
