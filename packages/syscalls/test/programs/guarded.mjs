// Buffers with guard bytes on both sides: what is written outside of a buffer shows without a sanitizer.
//
// Invariant: every buffer made since the last checkGuards() is looked at by the next one.

const GUARD = 64; // a multiple of each element's size: typed arrays begin here, too
const PATTERN = 0xa5;

let made = [];

/** So many zero bytes in the middle of an ArrayBuffer of their own. */
export function guarded(length) {
  const whole = Buffer.from(new ArrayBuffer(length + 2 * GUARD)).fill(PATTERN);
  made.push(whole);
  return whole.subarray(GUARD, GUARD + length).fill(0);
}

/** The same as 32-bit floats. */
export function guardedFloats(length) {
  const { buffer, byteOffset } = guarded(length * Float32Array.BYTES_PER_ELEMENT);
  return new Float32Array(buffer, byteOffset, length);
}

/** Where something was written outside of a buffer, relative to its begin, as text; undefined: nowhere. Forgets all of them. */
export function checkGuards() {
  const looked = made;
  made = [];
  for (const whole of looked) {
    const length = whole.length - 2 * GUARD;
    for (let i = 0; i < whole.length; i++) {
      if (i === GUARD) i += length; // on to the guard behind it
      if (whole[i] !== PATTERN) return `byte ${i - GUARD} of a buffer of ${length} bytes`;
    }
  }
  return undefined;
}

/** Throws if the guards would not show a write before, or behind, a buffer. */
export function checkTheCheck() {
  for (const length of [0, 8])
    for (const at of [-GUARD, -1, length, length + GUARD - 1]) {
      const view = guarded(length);
      new Uint8Array(view.buffer)[view.byteOffset + at] = 0;
      const found = checkGuards();
      if (found !== `byte ${at} of a buffer of ${length} bytes`)
        throw new Error(`guards: ${found}, not ${at}`);
    }
  guarded(8).fill(1);
  if (checkGuards() !== undefined) throw new Error('guards: a write inside of a buffer was found');
}
