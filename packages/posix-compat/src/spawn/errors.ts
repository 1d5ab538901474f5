/** errors.ts: what is thrown for options that are none, as Node throws it. Not @libcr/core's, which needs its native half. */
import { inspect } from 'node:util';

export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const error = new TypeError(
    `The "${name}" option must be ${expected}. Received ${inspect(actual, { depth: 0 })}`,
  );
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  const error = new RangeError(
    `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(actual)}`,
  );
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}
