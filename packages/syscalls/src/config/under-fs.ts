/** under-fs.ts: the port under node:fs, for good; loaded where it is asked for. */
import { createRequire } from 'node:module';

export function putUnderFs(): void {
  createRequire(import.meta.url)('@libcr/syscalls/fs').installFs();
}
