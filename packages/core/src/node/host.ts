/**
 * host.ts: how an entry that Node's own require() has not loaded gets what that has. Jest, for one, loads each test's modules anew and in a context of its own; but the
 * native half is there once for a kernel thread, and with it the scheduler and all that packages keep. tools/bundle/commonjs.ts puts the call in front of each entry.
 *
 * It may itself be loaded so: nothing here is state.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { loadNativeHalf } from './native-half.ts';
import type { Clock } from './users-clock.ts';

const half = { of: '@libcr/core', name: 'core', url: import.meta.url } as const;

interface FromHost {
  /** Of the context that the native half was loaded in, which is Node's own: only there getBuiltinModule gives Node's own modules for certain. */
  process: { getBuiltinModule?(name: 'node:module'): typeof import('node:module') };
}

/** The module at that path, as Node's own require() gives it, to a program with that global object. Throws ERR_LIBCR_NATIVE, and what that module throws. */
export function fromHost(path: string, global: Clock): unknown {
  const { process: host } = loadNativeHalf<FromHost>(half);
  const require = host.getBuiltinModule?.('node:module').createRequire(path) ?? createRequire(path);
  require(fileURLToPath(new URL('./users-clock.cjs', import.meta.url))).setUsersGlobal(global);
  return require(path);
}
