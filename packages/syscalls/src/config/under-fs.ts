/** under-fs.ts: the port under node:fs, for good; loaded where it is asked for. */
import { createRequire } from 'node:module';

/** Resolves when all of it is there. */
export function putUnderFs(): Promise<void> {
  return createRequire(import.meta.url)('@libcr/syscalls/fs').installFs().ready;
}
