/**
 * transferable.ts: whether an ArrayBuffer may be moved away. Node shares some between many Buffers (its pool) and has marked those; moving one would
 * empty the Buffers of others.
 *
 * Node 21 and later say so (isMarkedAsUntransferable). Node 20 does not: but there postMessage leaves marked ones out, so that only unmarked ones
 * make it complain of a list with one buffer in it twice.
 */
import type { MessagePort } from 'node:worker_threads';

let probe: MessagePort | undefined;
let isMarked: ((buffer: ArrayBuffer) => boolean) | undefined;

/** Found out when it is first asked: node:worker_threads brings streams with it, which a program may never need. */
function marks(): (buffer: ArrayBuffer) => boolean {
  const threads = process.getBuiltinModule('node:worker_threads') as {
    isMarkedAsUntransferable?: (object: unknown) => boolean;
  };
  return threads.isMarkedAsUntransferable ?? isMarkedOnNode20;
}

function isMarkedOnNode20(buffer: ArrayBuffer): boolean {
  if (probe === undefined) {
    const { port1, port2 } = new MessageChannel();
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
  if (transfer === undefined) return;
  isMarked ??= marks();
  for (const buffer of transfer)
    if (isMarked(buffer))
      throw cloneError(
        'An ArrayBuffer that others use too (as small Buffers do: Node gives them parts of one) cannot be transferred.',
      );
  if (new Set(transfer).size !== transfer.length)
    throw cloneError('Transfer list contains duplicate ArrayBuffer');
}

export function cloneError(message: string): Error {
  return new DOMException(message, 'DataCloneError');
}
