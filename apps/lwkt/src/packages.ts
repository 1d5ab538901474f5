/**
 * packages.ts: @libcr/core and @libcr/syscalls, as the script sees them. Two copies of one package have two
 * schedulers that know nothing of each other, so lwkt uses the script's own where the script has one.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export type Core = typeof import('@libcr/core');
export type Syscalls = typeof import('@libcr/syscalls');
export type Config = typeof import('@libcr/syscalls/config');
export type TraceModule = typeof import('@libcr/syscalls/shims/trace');

/** Imports specifier as a module at `from` would; failing that, lwkt's own copy. */
async function importAs<M>(from: string, specifier: string): Promise<M> {
  let path: string;
  try {
    path = createRequire(from).resolve(specifier);
  } catch {
    path = createRequire(import.meta.url).resolve(specifier);
  }
  return import(pathToFileURL(path).href) as Promise<M>;
}

export function importCore(from: string): Promise<Core> {
  return importAs(from, '@libcr/core');
}

export function importCoreInternal(from: string): Promise<typeof import('@libcr/core/internal')> {
  return importAs(from, '@libcr/core/internal');
}

/** @libcr/core/top of the copy of @libcr/core that importCore gives: `lwkt top` can look at this process from then on. Not where that copy has none. */
export async function importTop(from: string): Promise<void> {
  for (const place of [from, import.meta.url]) {
    const { resolve } = createRequire(place);
    try {
      resolve('@libcr/core');
    } catch {
      continue;
    }
    let path: string;
    try {
      path = resolve('@libcr/core/top');
    } catch {
      return;
    }
    await import(pathToFileURL(path).href);
    return;
  }
}

export function importSyscalls(from: string): Promise<Syscalls> {
  return importAs(from, '@libcr/syscalls');
}

export function importTrace(from: string): Promise<TraceModule> {
  return importAs(from, '@libcr/syscalls/shims/trace');
}

export function importConfig(from: string): Promise<Config> {
  return importAs(from, '@libcr/syscalls/config');
}

export function importRecord(from: string): Promise<typeof import('@libcr/syscalls/shims/record')> {
  return importAs(from, '@libcr/syscalls/shims/record');
}

export function importReplay(from: string): Promise<typeof import('@libcr/syscalls/shims/replay')> {
  return importAs(from, '@libcr/syscalls/shims/replay');
}
