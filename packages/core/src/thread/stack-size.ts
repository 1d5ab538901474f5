/**
 * stack-size.ts: how much stack a userthread gets if create() does not say: what run() or new Rfork() gave this rfork, or the environment
 * variable LIBCR_STACK_SIZE, or 256 KiB.
 */
import { invalidType, outOfRange } from '../errors/errors.ts';
import { orders } from '../rfork/self.ts';

/** V8 compiles no function with less than 40 KiB of stack left: in 64 KiB, less what is kept for C++, hardly anything would run. */
export const STACK_MIN: number = 128 * 1024;
export const STACK_MAX: number = 64 * 1024 * 1024;

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 * 1024 };

/** Throws TypeError and RangeError. */
export function checkStackSize(
  size: number,
  min: number = STACK_MIN,
  name: string = 'options.stackSize',
): void {
  if (typeof size !== 'number') throw invalidType(name, 'of type number', size);
  if (!Number.isInteger(size) || size < min || size > STACK_MAX)
    throw outOfRange(name, `an integer >= ${min} and <= ${STACK_MAX}`, size);
}

/** Throws RangeError. Loading this package does, so a mistyped size is not passed over. */
function fromEnvironment(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([km]?)$/i.exec(text.trim()) ?? [];
  const size = digits === '' ? Number.NaN : Number(digits) * (UNITS[unit.toLowerCase()] as number);
  if (!(size >= STACK_MIN && size <= STACK_MAX))
    throw outOfRange(
      'LIBCR_STACK_SIZE',
      `a number of bytes, or of KiB or MiB as in 512k and 1m, >= ${STACK_MIN} and <= ${STACK_MAX}`,
      text,
    );
  return size;
}

const { LIBCR_STACK_SIZE } = process.env;

/** Bytes; undefined where the environment tells, which rforks get anyway. */
let given = orders?.stackSize;
const unsaid = LIBCR_STACK_SIZE ? fromEnvironment(LIBCR_STACK_SIZE) : 256 * 1024;

/** Bytes that a userthread of this rfork gets. */
export function stackDefault(): number {
  return given ?? unsaid;
}

/** What rforks begin with that this one starts; undefined: what their environment says. */
export function stackForRforks(): number | undefined {
  return given;
}

/** size has been checked. For userthreads that are created, and rforks that are started, from now on. */
export function setStackDefault(size: number): void {
  given = size;
}
