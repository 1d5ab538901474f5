/**
 * packages.ts: @libcr/core and @libcr/syscalls, as the script sees them. Two copies of one package have two
 * schedulers that know nothing of each other, so lwkt uses the script's own where the script has one.
 */
import { createRequire } from 'node:module';

export type Core = typeof import('@libcr/core');
export type Syscalls = typeof import('@libcr/syscalls');
export type Config = typeof import('@libcr/syscalls/config');
export type TraceModule = typeof import('@libcr/syscalls/shims/trace');

/** Loads specifier as a module at `from` would; failing that, lwkt's own copy. What these packages give to require() is what they give to an import. */
async function importAs<M>(from: string, specifier: string): Promise<M> {
  const theirs = createRequire(from);
  try {
    theirs.resolve(specifier);
  } catch {
    return createRequire(import.meta.url)(specifier) as M;
  }
  return theirs(specifier) as M;
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
    const require = createRequire(place);
    try {
      require.resolve('@libcr/core');
    } catch {
      continue;
    }
    try {
      require.resolve('@libcr/core/top');
    } catch {
      return;
    }
    require('@libcr/core/top');
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

export function importSupervisor(from: string): Promise<typeof import('@libcr/syscalls/supervisor')> {
  return importAs(from, '@libcr/syscalls/supervisor');
}
