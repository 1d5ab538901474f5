/** positions.ts: where in a file a read or a write goes: at a place of its own, or at the file's position, which moves. As Node reads such arguments. */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { boundsBigPositions } from '../node/this-node.ts';
import { checkInteger } from './arguments.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** read's: what is no position is an error. -1: the file's own. count: how much is to be read there. */
export function checkPosition(position: unknown, count: number): number | bigint {
  if (position === undefined || position === null) return -1;
  if (typeof position === 'number') return checkInteger(position, 'position', -1) + 0;
  if (typeof position !== 'bigint') throw invalidType('position', 'of type bigint or integer', position);
  const min = boundsBigPositions ? -1n : MIN;
  const max = boundsBigPositions ? MAX - BigInt(count) : MAX;
  if (position < min || position > max) throw outOfRange('position', `>= ${min} && <= ${max}`, position);
  return position < 0n ? -1 : position;
}

/** write's, readv's and writev's: what is no position (null, -1, NaN as of a stream that tries again, a bigint) stands for the file's own. */
export function positionOf(position: unknown): number {
  return Number.isSafeInteger(position) && (position as number) >= 0 ? (position as number) + 0 : -1;
}
