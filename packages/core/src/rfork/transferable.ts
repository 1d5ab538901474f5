/**
 * transferable.ts: whether an ArrayBuffer may be moved away. Node shares some between many Buffers (its pool) and has marked those; moving one would
 * empty the Buffers of others.
 *
 * Node 21 and later say so (isMarkedAsUntransferable). Node 20 does not: but there postMessage leaves marked ones out, so that only unmarked ones
 * make it complain of a list with one buffer in it twice.
 */
import * as threads from 'node:worker_threads';

const { isMarkedAsUntransferable } = threads as {
  isMarkedAsUntransferable?: (object: unknown) => boolean;
};

let probe: threads.MessagePort | undefined;

function isMarkedOnNode20(buffer: ArrayBuffer): boolean {
  if (probe === undefined) {
    const { port1, port2 } = new threads.MessageChannel();
    port1.unref();
    port2.close();
    probe = port1;
  }
  try {
    probe.postMessage(undefined, [buffer, buffer]);
    return true;
  } catch {
    return false;
  }
}

/** Throws DataCloneError. */
export function checkTransferable(transfer: readonly ArrayBuffer[] | undefined): void {
  for (const buffer of transfer ?? [])
    if ((isMarkedAsUntransferable ?? isMarkedOnNode20)(buffer))
      throw cloneError(
        'An ArrayBuffer that others use too (as small Buffers do: Node gives them parts of one) cannot be transferred.',
      );
  if (transfer !== undefined && new Set(transfer).size !== transfer.length)
    throw cloneError('Transfer list contains duplicate ArrayBuffer');
}

export function cloneError(message: string): Error {
  return new DOMException(message, 'DataCloneError');
}
