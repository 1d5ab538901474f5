/** index.ts: require and import find and read their files through the port, as soon as there is a shim with files that the kernel has not. */
import { whenTreeIsMade } from '../../trees.ts';
import type { PortFs } from './files.ts';
import { hookModules, registerHooks } from './hooks.ts';
import { Loading } from './loading.ts';
import { hookOlderModules } from './older-hooks.ts';

/** The answer puts Node's own back. */
export function installModules(fs: PortFs): () => void {
  let undo: (() => void) | undefined;
  const forget = whenTreeIsMade(() => {
    const loading = new Loading(fs);
    undo = registerHooks === undefined ? hookOlderModules(loading) : hookModules(registerHooks, loading);
  });
  return () => {
    forget();
    undo?.();
  };
}
