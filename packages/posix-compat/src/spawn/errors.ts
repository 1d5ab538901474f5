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

/** What is of the right kind, and can't be meant: also an option that means something only together with another, or not with it. */
export function invalidValue(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}
