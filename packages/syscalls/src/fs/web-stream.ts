/**
 * web-stream.ts: FileHandle.readableWebStream: a file's bytes, from where it is at, as a stream of the web.
 *
 * Invariant: the stream does not read once the file is closed; what waits for it then has come to the end.
 */
import { type ReadableByteStreamController, ReadableStream } from 'node:stream/web';
import { invalidType } from '@libcr/core/internal';
import { checkBoolean } from './arguments.ts';
import type { FileHandle } from './file-handle.ts';

const CHUNK_BYTES = 16_384;

export interface WebStreamOptions {
  /** No other has an effect; one that is given is warned about. */
  type?: 'bytes' | undefined;
  /** The file is closed at the end of the stream, or when it is cancelled. */
  autoClose?: boolean | undefined;
}

export function webStreamOf(handle: FileHandle, options: WebStreamOptions = {}): ReadableStream {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidType('options', 'of type object', options);
  const { type = 'bytes' } = options;
  const autoClose = checkBoolean(options.autoClose, 'options.autoClose');
  if (type !== 'bytes')
    process.emitWarning(
      'A non-"bytes" options.type has no effect. A byte-oriented steam is always created.',
      'ExperimentalWarning',
    );
  let controller: ReadableByteStreamController | undefined;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    controller?.close();
  };
  handle.once('close', end);
  const stream = {
    type: 'bytes',
    autoAllocateChunkSize: CHUNK_BYTES,
    start(own: ReadableByteStreamController) {
      controller = own;
    },
    async pull({ byobRequest }: ReadableByteStreamController) {
      const { view } = byobRequest as unknown as { view: Uint8Array };
      let bytesRead = 0;
      try {
        if (handle.fd >= 0) ({ bytesRead } = await handle.read(view, 0, view.byteLength, null));
      } catch (error) {
        ended = true; // the stream fails with it, and can't be closed any more
        throw error;
      }
      if (bytesRead === 0 && !ended) {
        end();
        if (autoClose) await handle.close();
      }
      // It may have been cancelled meanwhile: nobody waits then.
      const { byobRequest: now } = controller as ReadableByteStreamController;
      (now as { respond(bytes: number): void } | null | undefined)?.respond(ended ? 0 : bytesRead);
    },
    async cancel() {
      ended = true;
      if (autoClose) await handle.close();
    },
  };
  return new ReadableStream(stream as never);
}
