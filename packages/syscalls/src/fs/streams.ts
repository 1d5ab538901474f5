/** streams.ts: Node's own file streams over the port: their option `fs` is for that. */
import { curthread } from '@libcr/core';
import { nodeFs } from '../node-fs.ts';
import { checkOptions } from './arguments.ts';
import * as callbacks from './callbacks.ts';
import * as descriptors from './descriptors.ts';
import { FileHandle } from './file-handle.ts';
import { boundTo, called } from './forms.ts';

/** What a stream does on the event loop goes through the port of where it was made. */
const own = (): object =>
  boundTo(curthread().syscallPort, {
    open: called(descriptors.open),
    close: called(descriptors.close),
    read: callbacks.read,
    write: callbacks.write,
    writev: callbacks.writev,
    fsync: called(descriptors.fsync),
  });

// biome-ignore lint/suspicious/noExplicitAny: Node's types of the option are of its own functions
const withFs = (options: unknown): any => ({ fs: own(), ...checkOptions(options) });

const handleOf = (options: unknown): FileHandle | undefined => {
  const fd = (options as { fd?: unknown } | null | undefined)?.fd;
  return fd instanceof FileHandle ? fd : undefined;
};

export const createReadStream: typeof nodeFs.createReadStream = (path, options) =>
  handleOf(options)?.createReadStream({ ...(options as object), fd: undefined }) ??
  nodeFs.createReadStream(path, withFs(options));

export const createWriteStream: typeof nodeFs.createWriteStream = (path, options) =>
  handleOf(options)?.createWriteStream({ ...(options as object), fd: undefined }) ??
  nodeFs.createWriteStream(path, withFs(options));
