/**
 * launcher.ts: where the launcher is, the program that runs other programs with their threads as userthreads. What it does is
 * in native/; `lwkt run -- PROGRAM` is the command for it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of the launcher: one static file, `libcr [--stats[=FD]] [--trace[=FD]] [--] PROGRAM [ARGS...]`, that can be run by
 * itself. Throws an error with the code `ERR_LIBCR_NATIVE` where the package has none for this machine: it is made for Linux on
 * x86-64.
 */
export function launcherPath(): string {
  const path = fileURLToPath(new URL(`../prebuilds/linux-${process.arch}/libcr`, import.meta.url));
  if (existsSync(path)) return path;
  const error = new Error(`there is no launcher for programs for linux-${process.arch} (looked for ${path})`);
  throw Object.assign(error, { code: 'ERR_LIBCR_NATIVE' });
}
