/**
 * program-port.ts: the port that programs' calls go to: levels of shims, and at its bottom the lwp that has made the call, which makes it, or another in its stead.
 *
 * A shim's own system calls go to the level below, as in process: here it is the program that makes them, with its working directory and its descriptors.
 */

import { curthread, type UserThread } from '@libcr/core';
import { CodedError } from '@libcr/core/internal';
import { CALL_COUNT } from '../port/calls.ts';
import type { Shim } from '../port/shim.ts';
import { type ShimGuard, SyscallPort } from '../port/syscall-port.ts';
import { SysMsg } from '../port/sysmsg.ts';
import type { Asking } from './asking.ts';
import { ProgramThread } from './program-thread.ts';
import { ROWS_OF, TRACE_OF } from './rows/row-shim.ts';

/** What a userthread is busy with. Who puts it here takes it away. */
export const served: Map<UserThread, Asking> = new Map();

const ALL = new Uint8Array(CALL_COUNT).fill(1);

function askingOf(msg: SysMsg): Asking {
  const asking = served.get(curthread()) ?? (msg.td instanceof ProgramThread ? msg.td.asking : undefined);
  if (asking !== undefined) return asking;
  throw new CodedError(
    'ERR_LIBCR_NO_CALL',
    `${msg.name}: a program makes the calls of its shims, and no call of one is under way on this userthread`,
  );
}

/** A shim that lets calls by of which a program's rows see to it (rows/). */
class Skipping implements Shim {
  readonly name: string;
  readonly on: Shim['on'];
  readonly shim: Shim['shim'];

  constructor(of: Shim) {
    this.name = of.name;
    this.on = of.on;
    this.shim = (next) => {
      const handler = of.shim(next);
      return (msg) => (askingOf(msg).skipped.has(of) ? next(msg) : handler(msg));
    };
  }
}

export class ProgramPort extends SyscallPort {
  private levelsOf: readonly { readonly shim: Shim }[] = [];
  /** The outermost first. */
  stack: readonly Shim[] = [];

  constructor() {
    super('programs', undefined);
  }

  override shim(...shims: Shim[]): ShimGuard {
    const guard = super.shim(
      ...shims.map((shim) => (ROWS_OF in shim || TRACE_OF in shim ? new Skipping(shim) : shim)),
    );
    const added = shims.map((shim) => ({ shim }));
    this.levelsOf = [...added, ...this.levelsOf];
    this.stack = this.levelsOf.map(({ shim }) => shim);
    const remove = (): void => {
      guard.remove();
      this.levelsOf = this.levelsOf.filter((level) => !added.includes(level));
      this.stack = this.levelsOf.map(({ shim }) => shim);
    };
    return { remove, [Symbol.dispose]: remove };
  }

  /** Which calls its shims want: 1 or 0 by number. */
  wanted(): Uint8Array {
    return this.wantedCalls();
  }

  /** @internal A shim's own calls are messages, whether a shim below wants them or not. */
  override refresh(): void {
    super.refresh();
    this.wants = ALL;
  }

  /** @internal */
  override dispatch(msg: SysMsg): number {
    if (msg.td instanceof ProgramThread) return super.dispatch(msg);
    const asking = askingOf(msg);
    asking.own++;
    try {
      return super.dispatch(new SysMsg(msg.number, msg.args, asking.thread));
    } finally {
      asking.own--;
    }
  }

  /** @internal */
  protected override kernel(msg: SysMsg): number {
    return askingOf(msg).next(msg);
  }
}
