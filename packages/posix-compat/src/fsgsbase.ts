/**
 * fsgsbase.ts: whether user mode may write %fs itself. Where it may not, each switch between a program's threads makes a system call.
 */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

const AT_HWCAP2 = 26n;
const HWCAP2_FSGSBASE = 2n;

/** By the auxiliary vector, pairs of 64-bit numbers that the kernel has given to this process. What can't be read counts as no. */
export function hasFsgsbase(): boolean {
  if (process.arch !== 'x64' || endianness() !== 'LE') return false;
  let vector: Buffer;
  try {
    vector = readFileSync('/proc/self/auxv');
  } catch {
    return false;
  }
  for (let at = 0; at + 16 <= vector.length; at += 16)
    if (vector.readBigUInt64LE(at) === AT_HWCAP2)
      return (vector.readBigUInt64LE(at + 8) & HWCAP2_FSGSBASE) !== 0n;
  return false;
}
