/** become.ts: this process becomes another program, where Node can (22.15, 23.11 and later), or this package's native half for it. */
import { createRequire } from 'node:module';
import { nativePath } from '../native-path.ts';

interface Native {
  /** Returns an errno, if it returns. */
  execve?: (file: string, args: readonly string[], descriptors: readonly number[]) => number;
}

function loadNative(): Native {
  const path = nativePath();
  if (path === undefined) return {};
  try {
    return createRequire(import.meta.url)(path);
  } catch {
    return {}; // it is for another C library
  }
}

/**
 * execve(2) of `file` with `args`, the first of which is its name; the environment is this process'. Where it can be done it does not return: nothing of Node is left, no
 * handler of its end runs. Returns where there is no way.
 *
 * The program has the first three descriptors, and what is in `descriptors`, though Node has marked it close-on-exec: that needs the native half.
 */
export function become(file: string, args: readonly string[], descriptors: readonly number[] = []): void {
  const { execve } = process as { execve?: (file: string, args: readonly string[]) => never };
  if (execve !== undefined && descriptors.length === 0) execve.call(process, file, args);
  loadNative().execve?.(file, args, descriptors);
}
