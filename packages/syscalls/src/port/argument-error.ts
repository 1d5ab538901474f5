/** argument-error.ts: the TypeError or RangeError for an argument that native/node/marshal.c has refused. */
import { CodedError, invalidType, outOfRange } from '@libcr/core/internal';
import type { Argument } from '../generated/rows.ts';
import { BAD_NUL, BAD_RANGE } from './answers.ts';
import { rowOf } from './calls.ts';

const VIEW = 'an instance of Buffer, TypedArray, or DataView';

function expected({ format }: Argument): string {
  switch (format) {
    case 'fd':
    case 'int':
    case 'octal':
    case 'flags':
    case 'id':
    case 'fileMode':
    case 'device':
      return 'of type number';
    case 'text':
      return 'of type string or an instance of Uint8Array';
    case 'path':
      return 'of type string or an instance of Uint8Array or URL';
    case 'iovIn':
    case 'iovOut':
      return 'an array of Buffers, TypedArrays or DataViews';
    case 'null':
      return 'null';
    default:
      return VIEW;
  }
}

function size(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return ArrayBuffer.isView(value) ? value.byteLength : 0;
}

/** answer is one of BAD_*, minus the argument's index. */
export function argumentError(number: number, args: readonly unknown[], answer: number): Error {
  const kind = answer <= BAD_NUL ? BAD_NUL : answer <= BAD_RANGE ? BAD_RANGE : -6000;
  const i = kind - answer;
  const argument = rowOf(number)?.args[i] as Argument;
  const value = args[i];
  const { name, format } = argument;
  if (kind === BAD_NUL) {
    const error = new TypeError(
      `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${JSON.stringify(value)}`,
    );
    return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
  }
  if (kind !== BAD_RANGE) return invalidType(name, expected(argument), value);
  if (ArrayBuffer.isView(value))
    return outOfRange(name, `as large as the kernel's struct`, `${value.byteLength} bytes`);
  if (Array.isArray(value)) return outOfRange(name, 'an array of at most 1,024 buffers', value.length);
  const before = args[i - 1];
  if (i > 0 && (ArrayBuffer.isView(before) || Array.isArray(before)))
    return outOfRange(name, `>= 0 and <= ${size(before)}`, value);
  return outOfRange(name, format === 'int' ? 'an integer of 64 bits' : 'an integer of 32 bits', value);
}

/** A buffer that was good when the call began and is not any more. */
export function bufferGone(name: string): Error {
  return new CodedError(
    'ERR_INVALID_STATE',
    `Invalid state: a buffer was detached or resized while ${name}() was under way`,
  );
}
