/** become.ts: this process becomes another program, where Node can (22.15, 23.11 and later), or this package's native half for it. */
import { createRequire } from 'node:module';
import { nativePath } from '../native-path.ts';

/**
 * execve(2) of `file` with `args`, the first of which is its name; the environment is this process'. Where it can be done it does not return: nothing of Node is left, no
 * handler of its end runs. Returns where there is no way.
 */
export function become(file: string, args: readonly string[]): void {
  const { execve } = process as { execve?: (file: string, args: readonly string[]) => never };
  if (execve !== undefined) execve.call(process, file, args);
  const path = nativePath();
  if (path === undefined) return;
  let native: { execve?: (file: string, args: readonly string[]) => number };
  try {
    native = createRequire(import.meta.url)(path);
  } catch {
    return; // it is for another C library
  }
  native.execve?.(file, args);
}
