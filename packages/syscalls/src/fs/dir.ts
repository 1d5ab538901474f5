/** dir.ts: an open directory, as fs.opendir gives it. It is no instance of Node's class, which nobody else can make. */
import type { Dirent as NodeDirent } from 'node:fs';
import { CodedError } from '@libcr/core/internal';
import type { Dirent as Entry } from '../codec/dirent.ts';
import { constants as c } from '../generated/constants.ts';
import { send } from '../port/send.ts';
import { type CheckedPath, checkInteger, checkOptions, checkPath, type Options } from './arguments.ts';
import { direntOf, nextEntries, openDirectory } from './directories.ts';
import { tell } from './forms.ts';
import { Steps, type Work } from './work.ts';

export class Dir {
  /** As it was given. */
  readonly path: string;
  private fd: number;
  private readonly encoding: Options['encoding'];
  private readonly within: CheckedPath;
  private entries: Entry[] = [];
  private at = 0;

  /** @internal */
  constructor(path: CheckedPath, fd: number, encoding: Options['encoding']) {
    this.path = path as string;
    this.within = path;
    this.fd = fd;
    this.encoding = encoding;
  }

  private check(): number {
    if (this.fd < 0) throw new CodedError('ERR_DIR_CLOSED', 'Directory handle was closed');
    return this.fd;
  }

  private next(): Work<NodeDirent | null> {
    this.check();
    return new Steps('fs.Dir.read', () => {
      if (this.at >= this.entries.length) {
        this.entries = nextEntries(this.check(), 'readdir', this.within);
        this.at = 0;
      }
      const entry = this.entries[this.at++];
      return entry === undefined ? null : direntOf(entry, this.within, this.encoding);
    });
  }

  private end(): Work<void> {
    const fd = this.check();
    this.fd = -1;
    return new Steps('fs.Dir.close', () => {
      send(c.SYS_close, fd);
    });
  }

  /** The next entry, in no order; null at the end. Blocks the running userthread only. */
  readSync(): NodeDirent | null {
    return this.next().run();
  }

  read(): Promise<NodeDirent | null>;
  read(callback: (error: Error | null, dirent: NodeDirent | null) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: of both signatures
  read(callback?: any): any {
    if (callback === undefined) return (async () => this.next().promise())();
    tell(this.next().promise(), callback, (entry) => [entry]);
    return undefined;
  }

  closeSync(): void {
    this.end().run();
  }

  close(): Promise<void>;
  close(callback: (error: Error | null) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: of both signatures
  close(callback?: any): any {
    if (callback === undefined) return (async () => this.end().promise())();
    tell(this.end().promise(), callback, () => []);
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
    if (this.fd >= 0) await this.close();
  }

  [Symbol.dispose](): void {
    if (this.fd >= 0) this.closeSync();
  }
}

export function opendir(path: unknown, options?: unknown): Work<Dir> {
  const { encoding, bufferSize, recursive } = checkOptions(options);
  const checked = checkPath(path);
  if (bufferSize !== undefined) checkInteger(bufferSize, 'options.bufferSize', 1, 2 ** 32 - 1);
  if (recursive)
    throw new CodedError(
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      'opendir of @libcr/syscalls/fs is not recursive: use readdir',
    );
  return new Steps('fs.opendir', () => new Dir(checked, openDirectory('opendir', checked), encoding));
}
