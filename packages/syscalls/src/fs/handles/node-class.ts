/**
 * node-class.ts: Node's own class of file handles, and what of it only Node's code calls by name: streams, postMessage and http2 know a file handle by
 * these. Node exports none of it, but each handle that it has opened shows it.
 *
 * Invariant: it is looked for once, with a file that is closed again; what could not be had is looked for again the next time.
 */
import { fileURLToPath } from 'node:url';
import { CodedError } from '@libcr/core/internal';
import { nodeFs } from '../../node-fs.ts';

/** The object that Node has under a file handle; a port can carry it to another thread. */
export interface NativeHandle {
  readonly fd: number;
  /** The descriptor is the caller's again: it is not closed any more. */
  releaseFD(): void;
}

/** The keys of methods that Node's class has for Node's other code. */
export interface NodeKeys {
  /** An operation begins, a stream is made: close() waits for it. */
  ref: symbol;
  unref: symbol;
  /** postMessage: what a port takes along, and what is left behind. */
  transfer: symbol;
  transferList: symbol;
  /** On the other side, an object of Node's class gets what was taken along. */
  deserialize: symbol;
  /** What is under the handle, and its descriptor; on each instance. */
  handle: symbol;
  fd: symbol;
}

export interface NodeClass {
  // biome-ignore lint/suspicious/noExplicitAny: no types of it are Node's to give
  FileHandle: any;
  Native: new (fd: number) => NativeHandle;
  keys: NodeKeys;
}

const PLACES = [fileURLToPath(import.meta.url), '/dev/null'];

function keyOf(object: object, description: string): symbol {
  const key = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
  if (key === undefined)
    throw new CodedError('ERR_INVALID_STATE', `This Node's class FileHandle has no ${description}`);
  return key;
}

async function look(): Promise<NodeClass> {
  // Under Node's permission model not every file may be opened; this one has been loaded.
  const handle = await nodeFs.promises
    .open(PLACES[0] as string)
    .catch(() => nodeFs.promises.open(PLACES[1] as string));
  try {
    const { prototype } = handle.constructor as { prototype: object };
    const under = keyOf(handle, 'kHandle');
    return {
      FileHandle: handle.constructor as NodeClass['FileHandle'],
      Native: (handle as unknown as Record<symbol, object>)[under]?.constructor as NodeClass['Native'],
      keys: {
        ref: keyOf(prototype, 'kRef'),
        unref: keyOf(prototype, 'kUnref'),
        transfer: keyOf(prototype, 'messaging_transfer_symbol'),
        transferList: keyOf(prototype, 'messaging_transfer_list_symbol'),
        deserialize: keyOf(prototype, 'messaging_deserialize_symbol'),
        handle: under,
        fd: keyOf(handle, 'kFd'),
      },
    };
  } finally {
    await handle.close();
  }
}

let looking: Promise<NodeClass> | undefined;

export function nodeClass(): Promise<NodeClass> {
  looking ??= look().catch((error) => {
    looking = undefined;
    throw error;
  });
  return looking;
}

/** Whether it is a file handle: one of ours, or one that Node has opened, or that a port has brought. */
export function isFileHandle(
  value: unknown,
): value is { fd: number } & Record<string, (...args: unknown[]) => Promise<unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return (
    Object.getOwnPropertySymbols(value).some(({ description }) => description === 'kHandle') &&
    'readFile' in value
  );
}
