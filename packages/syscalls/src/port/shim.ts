/** shim.ts: what a shim is, and defining one. The contract is api.md's: (next) => (msg) => reply. */
import { CodedError, invalidType } from '@libcr/core/internal';
import type { CallName } from '../generated/rows.ts';
import { CALL_COUNT, numbersOf } from './calls.ts';
import type { SysMsg } from './sysmsg.ts';

/** What comes after a shim: the next shim that wants the call, or the kernel. A reply is >= 0, or -errno. */
export type Next = (msg: SysMsg) => number;

export interface Shim {
  /** Shown in reports. */
  readonly name: string;
  /**
   * The calls it wants to see; 'all' for every one. Calls that do the same thing to the same objects are one family (open, openat, openat2,
   * creat; mkdir, mkdirat; … : the package's README has them), and naming one chooses all: so look at msg.name, msg.path and msg.get(),
   * not at the place of an argument.
   */
  readonly on: readonly CallName[] | 'all';
  /**
   * Called once for each port it is installed on; what it returns is called for each message, on the userthread that makes the call,
   * and may block. It may call next any number of times, or answer itself. If it throws, the call fails with EIO and the error is published on
   * the diagnostics channel "libcr:syscalls:shim-error"; what next throws (an AbortError, a TypeError for bad arguments) passes through.
   */
  readonly shim: (next: Next) => (msg: SysMsg) => number;
}

/** Throws TypeError for something that is no shim. */
export function checkShim(shim: unknown): asserts shim is Shim {
  if (typeof shim !== 'object' || shim === null)
    throw invalidType('shim', 'a shim, as of defineShim()', shim);
  const { name, on, shim: factory } = shim as Partial<Shim>;
  if (typeof name !== 'string') throw invalidType('shim.name', 'of type string', name);
  if (typeof factory !== 'function') throw invalidType('shim.shim', 'of type function', factory);
  if (on !== 'all' && !Array.isArray(on)) throw invalidType('shim.on', "'all' or an array of names", on);
  if (on === 'all') return;
  for (const call of on) {
    if (numbersOf(call) === undefined)
      throw new CodedError(
        'ERR_INVALID_ARG_VALUE',
        `shim "${name}" asks for "${String(call)}", which is not a system call of @libcr/syscalls`,
      );
  }
}

/** Checks a shim and returns it; for its types. */
export function defineShim(shim: Shim): Shim {
  checkShim(shim);
  return shim;
}

/** Which calls it wants: 1 or 0 by number. */
export function wantsOf({ on }: Shim): Uint8Array {
  const wants = new Uint8Array(CALL_COUNT);
  if (on === 'all') wants.fill(1);
  else for (const name of on) for (const number of numbersOf(name) as number[]) wants[number] = 1;
  return wants;
}
