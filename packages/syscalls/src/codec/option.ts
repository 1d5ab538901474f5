/** option.ts: setsockopt's value: a struct as a buffer, or a number for an int. */
import { outOfRange } from '@libcr/core/internal';

export function encodeOption(value: NodeJS.ArrayBufferView | number): NodeJS.ArrayBufferView {
  if (typeof value !== 'number') return value;
  if (!Number.isInteger(value) || value !== (value | 0))
    throw outOfRange('value', 'an integer of 32 bits', value);
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32LE(value);
  return buffer;
}
