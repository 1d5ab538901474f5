/** files.ts: what looking for modules asks of files, through a port; and whether an answer is one that only the port gives. */
import { fileURLToPath } from 'node:url';
import { nodeFs } from '../../node-fs.ts';
import { through } from '../../port/syscall-port.ts';

/** The functions of this package's node:fs that are needed; given by install.ts, which knows them all. */
export interface PortFs {
  readFileSync(path: string): Buffer;
  realpathSync(path: string): string;
  statSync: typeof nodeFs.statSync;
}

export type Kind = 'file' | 'directory' | undefined;

export class Files {
  private readonly fs: PortFs;
  readonly port: unknown;

  constructor(fs: PortFs, port: unknown) {
    this.fs = fs;
    this.port = port;
  }

  private stat(path: string): ReturnType<typeof nodeFs.statSync> {
    try {
      return through(this.port, () => this.fs.statSync(path, { throwIfNoEntry: false }) as never);
    } catch {
      return undefined as never; // ENOTDIR, EACCES: as if it weren't there, as require has it
    }
  }

  kind(path: string): Kind {
    const stat = this.stat(path);
    return stat?.isDirectory() ? 'directory' : stat === undefined ? undefined : 'file';
  }

  real(path: string): string {
    return through(this.port, () => this.fs.realpathSync(path));
  }

  read(path: string): Buffer {
    return through(this.port, () => this.fs.readFileSync(path));
  }

  /** A package.json; undefined where there is none. Throws ERR_INVALID_PACKAGE_CONFIG. */
  packageJson(folder: string): Record<string, unknown> | undefined {
    const path = `${folder === '/' ? '' : folder}/package.json`;
    if (this.kind(path) !== 'file') return undefined;
    try {
      return JSON.parse(this.read(path).toString('utf8'));
    } catch (cause) {
      const error = new Error(`Invalid package config ${path}.`, { cause });
      throw Object.assign(error, { code: 'ERR_INVALID_PACKAGE_CONFIG' });
    }
  }

  /** Whether the kernel knows another file of that path, or none. */
  isOurs(path: string): boolean {
    const ours = this.stat(path);
    if (ours === undefined) return false;
    let theirs: ReturnType<typeof nodeFs.statSync> | undefined;
    try {
      theirs = nodeFs.statSync(path);
    } catch {
      return true;
    }
    return theirs?.ino !== ours.ino || theirs?.dev !== ours.dev;
  }
}

/** The path of a file: URL without query and fragment; undefined for others. */
export function pathOfUrl(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}
