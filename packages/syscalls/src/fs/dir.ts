/**
 * dir.ts: an open directory, as fs.opendir gives it: an instance of Node's class, of which it has the path; all else goes through the port.
 *
 * Invariant: the descriptor is closed once; also where nobody has the Dir any more, with Node's warning.
 */
import nodeFs, { type Dirent as NodeDirent } from 'node:fs';
import { join } from 'node:path';
import { curthread, wait } from '@libcr/core';
import { CodedError, thread0 } from '@libcr/core/internal';
import type { Dirent as Entry } from '../codec/file/dirent.ts';
import { constants as c } from '../generated/constants.ts';
import { send, sendAsync } from '../port/send.ts';
import { through } from '../port/syscall-port.ts';
import {
  type CheckedPath,
  checkInteger,
  checkOptions,
  checkPath,
  type Options,
} from './arguments/arguments.ts';
import { direntOf, nextEntries, openDirectory, textOf } from './directories.ts';
import { checkCallback, tell } from './forms/forms.ts';
import { Steps, type Work } from './forms/work.ts';

/** What is open, apart from who has it. */
interface Open {
  fd: number;
  readonly port: unknown;
}

const collector = new FinalizationRegistry<Open>((open) => {
  if (open.fd < 0) return;
  through(open.port, () => sendAsync(c.SYS_close, open.fd));
  open.fd = -1;
  process.emitWarning('Closing directory handle on garbage collection');
});

const NodeDir = nodeFs.Dir as unknown as new (
  handle: object,
  path: CheckedPath,
  options: object,
) => { readonly path: string };

export class Dir extends NodeDir {
  private readonly encoding: Options['encoding'];
  /** The directories below that are still to be read; undefined where those are not wanted. */
  private readonly below: string[] | undefined;
  /** The directory that is being read now. Its port is that of where it was opened: its calls go there, whoever makes them. */
  private readonly open: Open;
  private within: CheckedPath;
  private entries: NodeDirent[] = [];
  private at = 0;
  private closed = false;
  /** How many have called read() or close() and are not answered yet. */
  private asking = 0;
  /** Resolves when the userthread that is after more entries has them, or has failed. */
  private filling: Promise<void> | undefined;

  /** @internal */
  constructor(path: CheckedPath, fd: number, encoding: Options['encoding'], recursive: boolean) {
    super({}, path, {});
    this.within = path;
    this.open = { fd, port: curthread().syscallPort };
    this.encoding = encoding;
    this.below = recursive ? [] : undefined;
    collector.register(this, this.open);
  }

  private check(): void {
    if (this.closed) throw new CodedError('ERR_DIR_CLOSED', 'Directory handle was closed');
  }

  /** Lets those who read finish. */
  private waitForOthers(): void {
    while (this.filling !== undefined) {
      if (curthread() === thread0) throw this.isConcurrent();
      wait(this.filling);
    }
  }

  private isConcurrent(): Error {
    return new CodedError(
      'ERR_DIR_CONCURRENT_OPERATION',
      'Cannot do synchronous work on directory handle with concurrent asynchronous operations',
    );
  }

  /** On the event loop's own stack nobody can be waited for. */
  private atOnce<R>(work: () => Work<R>): R {
    this.check();
    if (this.asking > 0 && curthread() === thread0) throw this.isConcurrent();
    return through(this.open.port, () => work().run());
  }

  private async later<R>(work: () => Work<R>): Promise<R> {
    this.asking++;
    try {
      return await through(this.open.port, () => work().promise());
    } finally {
      this.asking--;
    }
  }

  /** More entries of the directory, or the first of the next one. None are left at the end. */
  private fill(): void {
    let done = (): void => {};
    this.filling = new Promise((resolve) => {
      done = resolve;
    });
    try {
      for (;;) {
        const entries = nextEntries(this.open.fd, 'readdir', this.within);
        if (entries.length > 0) {
          this.entries = entries.map((entry) => this.dirent(entry));
          this.at = 0;
          return;
        }
        const next = this.below?.shift();
        if (next === undefined) return;
        // What can't be opened is left out when the caller goes on after the error.
        const fd = openDirectory('opendir', next);
        send(c.SYS_close, this.open.fd);
        this.open.fd = fd;
        this.within = next;
      }
    } finally {
      this.filling = undefined;
      done();
    }
  }

  private dirent(entry: Entry): NodeDirent {
    const dirent = direntOf(entry, this.within, this.encoding);
    if (this.below !== undefined && dirent.isDirectory())
      this.below.push(join(textOf(this.within), textOf(entry.name)));
    return dirent;
  }

  private next(): Work<NodeDirent | null> {
    this.check();
    return new Steps('fs.Dir.read', () => {
      this.waitForOthers();
      if (this.at >= this.entries.length) {
        if (this.open.fd < 0) this.check();
        this.fill();
      }
      return this.entries[this.at++] ?? null;
    });
  }

  private end(): Work<void> {
    this.check();
    this.closed = true;
    return new Steps('fs.Dir.close', () => {
      try {
        this.waitForOthers();
      } catch (error) {
        this.closed = false;
        throw error;
      }
      const { fd } = this.open;
      this.open.fd = -1;
      send(c.SYS_close, fd);
    });
  }

  /**
   * The next entry, in no order; with `recursive` those of a directory come after those of the one it is in. null at the end. Blocks the running
   * userthread only.
   */
  readSync(): NodeDirent | null {
    return this.atOnce(() => this.next());
  }

  read(): Promise<NodeDirent | null>;
  read(callback: (error: Error | null, dirent: NodeDirent | null) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: of both signatures
  read(callback?: any): any {
    const read = (): Promise<NodeDirent | null> => this.later(() => this.next());
    if (callback === undefined) return read();
    this.check();
    const checked = checkCallback(callback, 'callback');
    tell(read(), checked, (entry) => [entry]);
    return undefined;
  }

  closeSync(): void {
    this.atOnce(() => this.end());
  }

  close(): Promise<void>;
  close(callback: (error: Error | null) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: of both signatures
  close(callback?: any): any {
    const close = (): Promise<void> => this.later(() => this.end());
    if (callback === undefined) return close();
    const checked = checkCallback(callback, 'callback');
    tell(close(), checked, () => []);
    return undefined;
  }

  async *entriesOf(): AsyncGenerator<NodeDirent, void, undefined> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<NodeDirent, void, undefined> {
    return this.entriesOf();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) await this.close();
  }

  [Symbol.dispose](): void {
    if (!this.closed) this.closeSync();
  }
}

export function opendir(path: unknown, options?: unknown): Work<Dir> {
  const { encoding, bufferSize, recursive } = checkOptions(options);
  const checked = checkPath(path);
  if (bufferSize !== undefined) checkInteger(bufferSize, 'options.bufferSize', 1, 2 ** 32 - 1);
  return new Steps(
    'fs.opendir',
    () => new Dir(checked, openDirectory('opendir', checked), encoding, Boolean(recursive)),
  );
}
