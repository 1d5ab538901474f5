/** bytes.ts: buffers that go to a call as they are. What is no buffer goes on too: the native half refuses it by the argument's name. */
import { types } from 'node:util';
import { invalidType, outOfRange } from '@libcr/core/internal';

/** Text is UTF-8. */
export function toBytes(data: NodeJS.ArrayBufferView | string): NodeJS.ArrayBufferView {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

export function byteLength(data: NodeJS.ArrayBufferView): number {
  return ArrayBuffer.isView(data) ? data.byteLength : 0;
}

/** A plain array of the buffers, so that no code of the caller's runs while the native half reads it. */
export function toBuffers(name: string, list: readonly NodeJS.ArrayBufferView[]): NodeJS.ArrayBufferView[] {
  if (!Array.isArray(list)) throw invalidType(name, 'an array of Buffers, TypedArrays or DataViews', list);
  return Array.from(list as readonly NodeJS.ArrayBufferView[]);
}

const SIZE_MAX = 2 ** 30;

/** Room for an answer. */
export function allocateBytes(name: string, size: number): Buffer {
  if (typeof size !== 'number') throw invalidType(name, 'of type number', size);
  if (!Number.isInteger(size) || size < 0 || size > SIZE_MAX)
    throw outOfRange(name, `an integer >= 0 and <= ${SIZE_MAX}`, size);
  return Buffer.alloc(size);
}

/** Arrays as plain ones, also inside, so that no code of the caller's runs while the native half reads them. */
export function plainArrays(value: unknown): unknown {
  return Array.isArray(value) ? Array.from(value, plainArrays) : value;
}

/** What is left of a buffer after its first bytes. */
export function viewAfter(view: NodeJS.ArrayBufferView, bytes: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + bytes, view.byteLength - bytes);
}

/** What is left of buffers after so many bytes in the first ones; empty ones that come next are left out. */
export function buffersAfter(
  buffers: readonly NodeJS.ArrayBufferView[],
  bytes: number,
): NodeJS.ArrayBufferView[] {
  let left = bytes;
  let i = 0;
  for (; i < buffers.length; i++) {
    const { byteLength } = buffers[i] as NodeJS.ArrayBufferView;
    if (left < byteLength) break;
    left -= byteLength;
  }
  const rest = buffers.slice(i);
  if (left > 0) rest[0] = viewAfter(rest[0] as NodeJS.ArrayBufferView, left);
  return rest;
}

const ofTyped = Object.getPrototypeOf(Uint8Array.prototype) as object;
type Part = 'buffer' | 'byteOffset' | 'byteLength';
const partOf = (prototype: object, part: Part): ((this: unknown) => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, part)?.get as () => unknown;
const typed = [
  partOf(ofTyped, 'buffer'),
  partOf(ofTyped, 'byteOffset'),
  partOf(ofTyped, 'byteLength'),
] as const;
const data = [
  partOf(DataView.prototype, 'buffer'),
  partOf(DataView.prototype, 'byteOffset'),
  partOf(DataView.prototype, 'byteLength'),
] as const;

/**
 * A view's bytes, not copied, as the kernel takes them of any view: where they really are, whatever properties a program has given it. One whose memory has
 * been detached has none.
 */
export function viewBytes(view: ArrayBufferView): Buffer {
  const [buffer, offset, length] = types.isDataView(view) ? data : typed;
  try {
    const bytes = length.call(view) as number;
    if (bytes === 0) return Buffer.alloc(0);
    return Buffer.from(buffer.call(view) as ArrayBuffer, offset.call(view) as number, bytes);
  } catch {
    return Buffer.alloc(0); // a DataView's getters throw
  }
}
