/**
 * open-file.ts: what is under a FileHandle: its descriptor, whose it is, and the end of it. Node's class asks it to close, as it asks its own.
 *
 * A FileHandle that nobody has any more is closed by the collector, with Node's warnings; since Node 25 it is an error that nobody catches.
 *
 * Invariant: the descriptor is closed once, by the port that it was opened through; after that fd is -1.
 */
import { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';
import { nextTick } from '../../loop.ts';
import { through } from '../../port/syscall-port.ts';
import * as descriptors from '../arguments/descriptors.ts';
import { collectedHandlesAreErrors } from '../node/this-node.ts';
import type { NativeHandle, NodeClass } from './node-class.ts';

let warned = false;

function warn(fd: number): void {
  process.emitWarning(`Closing file descriptor ${fd} on garbage collection`);
  if (warned) return;
  warned = true;
  process.emitWarning(
    'Closing a FileHandle object on garbage collection is deprecated. Please close FileHandle objects explicitly using ' +
      'FileHandle.prototype.close(). In the future, an error will be thrown if a file descriptor is closed during garbage collection.',
    'DeprecationWarning',
    'DEP0137',
  );
}

const collector = new FinalizationRegistry<OpenFile>((file) => file.collected());

export class OpenFile {
  fd: number;
  /** Of where it was opened: its calls go there, whoever makes them. */
  readonly port: unknown;
  readonly #path: unknown;
  #resource: AsyncResource | undefined;
  #native: NativeHandle | undefined;

  constructor(fd: number, port: unknown, path: unknown) {
    this.fd = fd;
    this.port = port;
    this.#path = path;
  }

  /** It is closed when that is collected. */
  belongsTo(handle: object): void {
    collector.register(handle, this, this);
  }

  /** The descriptor, which is not this one's any more. */
  #release(): number {
    const { fd } = this;
    this.fd = -1;
    this.#native?.releaseFD();
    this.#native = undefined;
    collector.unregister(this);
    return fd;
  }

  async close(): Promise<void> {
    const fd = this.#release();
    return through(this.port, () => descriptors.close(fd).promise());
  }

  closeSync(): void {
    const fd = this.#release();
    through(this.port, () => descriptors.close(fd).run());
  }

  /** @internal Nobody has it any more. */
  collected(): void {
    const { fd } = this;
    if (fd < 0) return;
    this.close()
      .then(() => {
        if (!collectedHandlesAreErrors) return warn(fd);
        const error = new Error(
          'A FileHandle object was closed during garbage collection. This used to be allowed with a deprecation warning but is now considered ' +
            `an error. Please close FileHandle objects explicitly. File descriptor: ${fd} (${this.#name()})`,
        );
        throw Object.assign(error, { code: 'ERR_INVALID_STATE' });
      })
      .catch((error) =>
        nextTick(() => {
          throw error;
        }),
      );
  }

  #name(): string {
    return typeof this.#path === 'string' ? this.#path : inspect(this.#path);
  }

  /** What a port can carry. It is still to be closed here, until it has been `carried`. */
  native(Native: NodeClass['Native']): NativeHandle {
    this.#native ??= new Native(this.fd);
    return this.#native;
  }

  /** Another thread has it now. */
  carried(): NativeHandle {
    const native = this.#native as NativeHandle;
    this.#native = undefined;
    this.#release();
    return native;
  }

  /** Names it for async_hooks. */
  getAsyncId(): number {
    this.#resource ??= new AsyncResource('FILEHANDLE');
    return this.#resource.asyncId();
  }
}
