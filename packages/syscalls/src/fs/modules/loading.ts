/**
 * loading.ts: which modules are a port's files and not the kernel's, and what is in them. What hooks of Node ask, of whichever kind they are.
 *
 * Invariant: a URL is in `owners` once it has been found to be a file that the kernel has not, with the port that has it.
 */
import { isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import { curthread } from '@libcr/core';
import { CodedError } from '@libcr/core/internal';
import { constants as c } from '../../generated/constants.ts';
import { portOf } from '../../port/syscall-port.ts';
import { Files, type PortFs, pathOfUrl } from './files.ts';
import { find, type Request } from './find.ts';
import { formatOf } from './format.ts';

export interface Loaded {
  format: string;
  source: Buffer | string;
}

export class Loading {
  private readonly fs: PortFs;
  private isPassing = false;
  private readonly owners = new Map<string, Files>();

  constructor(fs: PortFs) {
    this.fs = fs;
  }

  /** Files as the port shows them of the module that asks, or of who runs; undefined where nothing stands between it and the kernel. */
  private filesFor(parentUrl: string | undefined): Files | undefined {
    const known = parentUrl === undefined ? undefined : this.owners.get(bareUrl(parentUrl));
    if (known !== undefined) return known;
    const td = curthread();
    return portOf(td).wants[c.SYS_statx] === 1 ? new Files(this.fs, td.syscallPort) : undefined;
  }

  /** Runs fn, in which nothing is asked: it has been, already. */
  passing<R>(fn: () => R): R {
    this.isPassing = true;
    try {
      return fn();
    } finally {
      this.isPassing = false;
    }
  }

  /** The URL, if it is a port's file; undefined where Node is to go on by itself. */
  resolve(
    specifier: string,
    parentUrl: string | undefined,
    conditions: readonly string[],
    isImport: boolean,
  ): string | undefined {
    if (this.isPassing || isBuiltin(specifier)) return undefined;
    const files = this.filesFor(parentUrl);
    if (files === undefined) return undefined;
    const parent = pathOfUrl(parentUrl) ?? `${process.cwd()}/[eval]`;
    const path = find(files, { specifier, parent, isImport, conditions } satisfies Request);
    if (path === undefined || !files.isOurs(path)) return undefined;
    const { href } = pathToFileURL(path);
    this.owners.set(href, files);
    return href + (isImport ? suffixOf(specifier) : '');
  }

  /** What is in a module of a port's; undefined for others. */
  load(url: string): Loaded | undefined {
    const files = this.owners.get(bareUrl(url));
    const path = pathOfUrl(url);
    if (files === undefined || path === undefined) return undefined;
    const source = files.read(path);
    const format = formatOf(files, path, () => source.toString('utf8'));
    if (format === 'addon')
      throw new CodedError(
        'ERR_INVALID_ARG_VALUE',
        `${path} is a native addon, which only the kernel can load: it has to be a real file, past every shim`,
      );
    if (format === undefined)
      throw new CodedError('ERR_UNKNOWN_FILE_EXTENSION', `Unknown file extension of ${path}`);
    return { format, source: format === 'wasm' ? source : source.toString('utf8') };
  }

  owns(path: string): boolean {
    return this.owners.has(pathToFileURL(path).href);
  }
}

/** Query and fragment of a relative or file: specifier: each makes another module of the same file. */
function suffixOf(specifier: string): string {
  return /^(?:\.{0,2}\/|file:)/.test(specifier) ? (/[?#].*$/s.exec(specifier)?.[0] ?? '') : '';
}

const bareUrl = (url: string): string => url.replace(/[?#].*$/s, '');
