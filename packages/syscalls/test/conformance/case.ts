/**
 * case.ts: what a conformance case is: a call as it succeeds, compared with node:fs, node:os, process or the C library, and its errors.
 *
 * Not here: how cases are run (conformance.test.ts), and the cases, by family, in the files beside this one.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { type CallName, errnos } from '../../src/generated/rows.ts';
import { constants as c, sys } from '../../src/index.ts';

/** What a case works with: a folder of its own, which is removed, and descriptors that are closed. */
export class Place {
  readonly folder: string;
  private readonly fds: number[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** A file with this text. */
  file(name = 'file', text = 'hello world'): string {
    fs.writeFileSync(this.at(name), text);
    return this.at(name);
  }

  /** fd is closed when the case is over. */
  keep<T extends number | readonly number[]>(fds: T): T {
    this.fds.push(...([fds].flat() as number[]));
    return fds;
  }

  /** A descriptor of a file with this text. */
  open(name = 'file', text = 'hello world', flags: number = c.O_RDWR): number {
    return this.keep(fs.openSync(this.file(name, text), flags));
  }

  directory(): number {
    return this.keep(fs.openSync(this.folder, c.O_RDONLY | c.O_DIRECTORY));
  }

  pipe(): [number, number] {
    return this.keep(sys.pipe2(c.O_CLOEXEC));
  }

  sockets(type: number = c.SOCK_STREAM): [number, number] {
    return this.keep(sys.socketpair(c.AF_UNIX, type | c.SOCK_CLOEXEC));
  }

  cleanUp(): void {
    for (const fd of this.fds) {
      try {
        fs.closeSync(fd);
      } catch {
        // the case has closed it
      }
    }
  }
}

export interface Case {
  /** [what the call gives, what it should]; absent for a call that no test may make as it succeeds: why says so. */
  works?: (place: Place) => readonly [unknown, unknown];
  why?: string;
  /** The same call, failing; through sys.raw with raw(). */
  fails?: Readonly<Record<string, (place: Place) => unknown>>;
}

export type Cases = Readonly<Partial<Record<CallName, Case>>>;

const codes = new Map(errnos.map(([value, name]) => [value, name]));

/** sys.raw, but an error is thrown. */
export function raw(name: CallName, ...args: unknown[]): number {
  const r = sys.raw(c[`SYS_${name}`], ...args);
  if (r >= 0) return r;
  throw Object.assign(new Error(name), { code: codes.get(lastErrno()) });
}

let lastErrno: () => number = () => 0;
/** Where the running userthread's errno is. */
export function errnoFrom(read: () => number): void {
  lastErrno = read;
}

export const NONE = '/libcr-none';
export const BAD = 1_000_000;
export const AT: number = c.AT_FDCWD;
