/** offset.ts: a position in a file that a call takes by reference (loff_t *; copy_file_range(2), sendfile(2), splice(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';

/** undefined is NULL: the descriptor's own position. */
export function encodeOffset(name: string, offset: number | bigint | undefined): Buffer | null {
  if (offset === undefined) return null;
  if (typeof offset !== 'number' && typeof offset !== 'bigint')
    throw invalidType(name, 'of type number or bigint', offset);
  if (typeof offset === 'number' ? !Number.isSafeInteger(offset) : BigInt.asIntN(64, offset) !== offset)
    throw outOfRange(name, 'an integer of 64 bits', offset);
  const struct = Buffer.allocUnsafe(8);
  struct.writeBigInt64LE(BigInt(offset));
  return struct;
}
