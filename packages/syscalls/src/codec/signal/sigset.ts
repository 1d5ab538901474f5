/** sigset.ts: the kernel's sigset_t (8 bytes), as an array of signal numbers, 1 to 64 (rt_sigpending(2), signalfd(2)). */
import { invalidType } from '@libcr/core/internal';
import { integer } from '../integer.ts';
import { readBigU64 } from '../words.ts';

const SIGNALS = 64;

export function encodeSigset(name: string, signals: readonly number[]): Buffer {
  if (!Array.isArray(signals)) throw invalidType(name, 'an array of signal numbers', signals);
  let bits = 0n;
  signals.forEach((signal, i) => {
    bits |= 1n << BigInt(integer(`${name}[${i}]`, signal, 1, SIGNALS) - 1);
  });
  const struct = Buffer.allocUnsafe(8);
  struct.writeBigUInt64LE(bits);
  return struct;
}

export function decodeSigset(struct: Buffer): number[] {
  const bits = readBigU64(struct, 0);
  const signals: number[] = [];
  for (let signal = 1; signal <= SIGNALS; signal++)
    if ((bits >> BigInt(signal - 1)) & 1n) signals.push(signal);
  return signals;
}
