/** write-all.ts: writes for shims, which are past the port and at once. */
import { nodeFs } from '../node-fs.ts';

const RETRY_MS = 1;

/** Writes all, even where standard error is a pipe that Node has made non-blocking. Nothing where nobody reads it any more. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  let rest: Uint8Array = Buffer.from(data as Uint8Array);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(nodeFs.writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return; // nobody reads it any more
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
