/** open.ts: a stream over a descriptor that is there already. */
import { sys } from '../../index.ts';
import { FdChannel } from './fd-channel.ts';
import { Stream } from './stream.ts';

/**
 * A descriptor (a pipe, a terminal, a file, a socket) as a Stream, whose own it is from now on: close() closes it. Does not block. Throws EBADF.
 * (Go's os.NewFile)
 */
export function stream(fd: number): Stream {
  return new Stream(new FdChannel(fd, sys.fstat(fd).isSocket()));
}
