/** callbacks.ts: the functions with callbacks that are called in more than one way, or that answer more than one thing. */
import { invalidType } from '@libcr/core/internal';
import * as descriptors from './descriptors.ts';
import { called, named, promised, tell } from './forms.ts';
import { exists as existsWork } from './paths.ts';

// biome-ignore lint/suspicious/noExplicitAny: as forms.ts
type Args = any[];
type Called = (...args: Args) => void;

const READ_SIZE = 16384;

/** (fd, callback), (fd, options, callback), (fd, buffer, options, callback), or all of it, as readSync's arguments. */
function readArguments(given: Args): Args {
  const [fd, first, second, ...rest] = given;
  if (ArrayBuffer.isView(first)) {
    if (typeof second !== 'object' || second === null) return [fd, first, second, ...rest];
    return [fd, first, second.offset, second.length, second.position];
  }
  const { buffer = Buffer.alloc(READ_SIZE), offset, length, position } = first ?? {};
  return [fd, buffer, offset, length, position];
}

const readCalled = called(descriptors.read, (n, [, buffer]) => [n, buffer]);

export const read: Called = named(
  (...args: Args): void => {
    const callback = args.pop();
    if (typeof callback !== 'function') throw invalidType('cb', 'of type function', callback);
    readCalled(...readArguments(args), callback);
  },
  async (...args: Args) => {
    const full = readArguments(args);
    return { bytesRead: await promised(descriptors.read)(...full), buffer: full[1] };
  },
);

export const write: Called = named(
  called(descriptors.write, (n, [, buffer]) => [n, buffer]),
  async (...args: Args) => ({ bytesWritten: await promised(descriptors.write)(...args), buffer: args[1] }),
);

export const readv: Called = named(
  called(descriptors.readv, (n, [, buffers]) => [n, buffers]),
  async (...args: Args) => ({ bytesRead: await promised(descriptors.readv)(...args), buffers: args[1] }),
);

export const writev: Called = named(
  called(descriptors.writev, (n, [, buffers]) => [n, buffers]),
  async (...args: Args) => ({ bytesWritten: await promised(descriptors.writev)(...args), buffers: args[1] }),
);

/** Its callback gets no error. (node:fs has it as deprecated) */
export const exists: Called = named(
  (...args: Args): void => {
    const callback = args.pop();
    if (typeof callback !== 'function') throw invalidType('cb', 'of type function', callback);
    tell(
      existsWork(args[0]).promise(),
      (_error, there) => callback(there),
      (there) => [there],
    );
  },
  (path: unknown) => promised(existsWork)(path),
);

const closeCalled = called(descriptors.close);

function rethrow(error: Error | null): void {
  if (error !== null) throw error;
}

/** The one function whose callback may be missing: what fails is an uncaught exception then, as in node:fs. */
export const close: Called = (fd: unknown, callback: unknown = rethrow): void => closeCalled(fd, callback);
