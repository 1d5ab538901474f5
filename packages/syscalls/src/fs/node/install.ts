/**
 * install.ts: the port under node:fs itself, for code that can't be changed: its functions are replaced by those of this folder, on the module and in what
 * has been imported by name.
 *
 * Invariant: what was replaced is put back by the last guard that is removed, and only where it is still ours.
 */
import nodeFs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { receiveHandles } from '../handles/file-handle.ts';
import type { PortFs } from '../modules/files.ts';
import { installModules } from '../modules/index.ts';
import { setInstalled } from './replaced.ts';

type Functions = Record<string, unknown>;

/** Puts node:fs back; also at the end of a `using` block. */
export interface FsGuard {
  /** Harmless when it is off already. */
  remove(): void;
  /** @internal Resolves when file handles that a port brings are ours, too. */
  readonly ready: Promise<void>;
  [Symbol.dispose](): void;
}

let guards = 0;
let undo: (() => void) | undefined;
let ready = Promise.resolve();

/** Replaces what both have. The answer puts it back. */
function replace(target: Functions, source: Functions): () => void {
  const before = new Map<string, unknown>();
  for (const [name, own] of Object.entries(source)) {
    if (typeof own !== 'function' || typeof target[name] !== 'function' || target[name] === own) continue;
    if (/^[A-Z]/.test(name)) continue; // classes stay Node's
    before.set(name, target[name]);
    // What hangs on a function (realpathSync.native, util.promisify's) goes along.
    for (const key of Reflect.ownKeys(target[name] as object))
      if (!Reflect.has(own, key))
        Object.defineProperty(
          own,
          key,
          Object.getOwnPropertyDescriptor(target[name], key) as PropertyDescriptor,
        );
    target[name] = own;
  }
  return () => {
    for (const [name, original] of before) if (target[name] === source[name]) target[name] = original;
  };
}

/**
 * process.stdout and process.stderr do not go through the port, whatever they are. Where they are files Node writes them with functions that it takes from
 * node:fs when one of the two is first asked for: so that is done before.
 */
function keepOutput(): void {
  if (isFile(1)) void process.stdout;
  else if (isFile(2)) void process.stderr;
}

function isFile(fd: number): boolean {
  try {
    return nodeFs.fstatSync(fd).isFile();
  } catch {
    return false; // closed
  }
}

/** Begins. fs: this folder's functions. */
export function install(fs: Functions): FsGuard {
  if (guards++ === 0) {
    keepOutput();
    const target = nodeFs as unknown as Functions;
    const undoFs = replace(target, fs);
    const undoPromises = replace(target.promises as Functions, fs.promises as Functions);
    syncBuiltinESMExports();
    setInstalled(true);
    const receiving = receiveHandles();
    ({ ready } = receiving);
    const undoModules = installModules(fs as unknown as PortFs);
    undo = () => {
      undoModules();
      receiving.end();
      setInstalled(false);
      undoFs();
      undoPromises();
      syncBuiltinESMExports();
    };
  }
  let on = true;
  const remove = (): void => {
    if (!on) return;
    on = false;
    if (--guards === 0) undo?.();
  };
  return { remove, ready, [Symbol.dispose]: remove };
}
