/** write-all.ts: writes for shims, which are past the port and at once. */
import { nodeFs } from '../node-fs.ts';

const RETRY_MS = 1;

/** So many characters of text at a time: long ones take room for themselves once already. */
const PIECE = 1 << 18;

const isFirstOfTwo = (text: string, i: number): boolean => /[\ud800-\udbff]/.test(text.charAt(i));

/** Writes all, even where standard error is a pipe that Node has made non-blocking. Nothing where nobody reads it any more. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  if (typeof data !== 'string') {
    writeBytes(fd, data);
    return;
  }
  for (let from = 0; from < data.length; ) {
    const to = Math.min(from + PIECE, data.length);
    const end = to < data.length && isFirstOfTwo(data, to - 1) ? to - 1 : to;
    writeBytes(fd, Buffer.from(data.slice(from, end)));
    from = end;
  }
}

function writeBytes(fd: number, bytes: Uint8Array): void {
  let rest = bytes;
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
