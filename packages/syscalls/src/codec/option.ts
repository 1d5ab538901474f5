/** option.ts: setsockopt's value: a struct as a buffer, or a number for an int. */
export function encodeOption(value: NodeJS.ArrayBufferView | number): NodeJS.ArrayBufferView {
  if (typeof value !== 'number') return value;
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32LE(value);
  return buffer;
}
